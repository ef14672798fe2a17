"""The operator's page in a real browser: what it shows, and what its buttons do."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.integration.service_process import KEY, ServiceProcess, a_body

SHOTS = os.environ.get("PAGE_SHOTS")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[ServiceProcess]:
    with ServiceProcess(tmp_path, ORDERMANAGER_SHUTDOWN_TIMEOUT="2") as running:
        running.ready()
        yield running


@pytest.fixture
def browser(request: pytest.FixtureRequest) -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or ""
    width, height, dark = getattr(request, "param", (1360, 1150, False))
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(
        options=options, service=webdriver.ChromeService(shutil.which("chromedriver"))
    )
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
    )
    scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})
    yield driver
    driver.quit()


def until(browser: Any, holds: Callable[[], Any]) -> Any:
    return WebDriverWait(browser, 20, poll_frequency=0.1).until(lambda _: holds())


def text_of(browser: Any, name: str) -> str:
    found: str = browser.find_element(By.ID, name).text
    return found


def enter(browser: Any, service: ServiceProcess) -> None:
    browser.get(str(service.http.base_url))
    until(browser, lambda: browser.find_element(By.ID, "login").is_displayed())
    browser.find_element(By.ID, "key").send_keys(KEY)
    browser.find_element(By.CSS_SELECTOR, "#login button").click()
    until(browser, lambda: text_of(browser, "state-word"))


def some_life(service: ServiceProcess) -> None:
    """Fills (together less than the least displayed size), resting and denied orders."""
    for number in range(1, 6):
        body = a_body(number, amount=200 * number, strategy_id=f"trend_{number}")
        service.filled(service.send(body).json()["order_ids"][0])
    for number in range(10, 13):
        service.send(a_body(number, asset="ETHUSDT", confidence=0.2, strategy_id=f"quiet_{number}"))
    for number in range(20, 24):
        service.send(a_body(number, asset="BTCUSDT", amount=1, strategy_id="tiny"))
    post = service.http.post
    price = float(service.get("/positions/BTCUSDT")["current_price"])
    for number, part in enumerate((0.99, 0.985, 0.98)):
        form = {
            "asset": "BTCUSDT",
            "side": "buy",
            "quantity": "0.01",
            "price": str(round(price * part)),
        }
        post("/api/v1/orders", json=form, headers={"Idempotency-Key": f"rest-{number}"})


def keep(browser: Any, name: str) -> None:
    if SHOTS:
        browser.save_screenshot(f"{SHOTS}/{name}.png")


@pytest.mark.parametrize(
    "browser",
    [(1360, 1150, False), (1360, 1150, True), (390, 1400, True)],
    ids=["desktop", "dark", "phone"],
    indirect=True,
)
def test_it_shows_the_account_and_its_life(
    browser: Any, service: ServiceProcess, request: pytest.FixtureRequest
) -> None:
    some_life(service)
    enter(browser, service)
    until(browser, lambda: "BTCUSDT" in text_of(browser, "positions"))
    until(browser, lambda: "order filled" in text_of(browser, "events"))
    line = "return document.querySelector('#pnl-line path').getAttribute('d').split('L').length"
    until(browser, lambda: browser.execute_script(line) >= 3)
    keep(browser, request.node.callspec.id)

    assert text_of(browser, "state-word") == "ACTIVE"
    assert text_of(browser, "mode") == "dry run"
    assert "QUANTITY_BELOW_MIN" in text_of(browser, "denials")
    assert "WORKING" in text_of(browser, "orders")
    assert float(text_of(browser, "open-count")) >= 3
    overflow = browser.execute_script(
        "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert overflow <= 0


def test_its_buttons_halt_and_resume_and_cancel(browser: Any, service: ServiceProcess) -> None:
    some_life(service)
    enter(browser, service)
    browser.find_element(By.ID, "halt").click()
    until(browser, lambda: text_of(browser, "state-word") == "HALTED")
    halted = service.get("/trading-state")["account"]
    browser.find_element(By.ID, "resume").click()
    browser.switch_to.alert.accept()
    until(browser, lambda: text_of(browser, "state-word") == "ACTIVE")
    before = service.get("/exposure")["open_orders"]
    until(browser, lambda: browser.find_elements(By.XPATH, "//*[@id='orders']//button"))[0].click()
    until(browser, lambda: service.get("/exposure")["open_orders"] < before)

    assert halted == "HALTED"


def test_an_order_tells_why_it_exists_and_what_happened_to_it(
    browser: Any, service: ServiceProcess
) -> None:
    service.filled(service.send(a_body(1)).json()["order_ids"][0])
    enter(browser, service)
    row = until(browser, lambda: browser.find_elements(By.CSS_SELECTOR, "#orders tr.open-order"))
    row[0].click()
    until(browser, lambda: "order filled" in text_of(browser, "order-body"))
    keep(browser, "order")

    assert "exposure with all orders" in text_of(browser, "order-body")


def test_events_appear_without_a_reload(browser: Any, service: ServiceProcess) -> None:
    enter(browser, service)
    before = text_of(browser, "events")
    service.filled(service.send(a_body(1)).json()["order_ids"][0])
    until(browser, lambda: "order filled" in text_of(browser, "events"))

    assert "order filled" not in before


def test_a_wrong_key_is_told_and_shows_nothing(browser: Any, service: ServiceProcess) -> None:
    browser.get(str(service.http.base_url))
    until(browser, lambda: browser.find_element(By.ID, "login").is_displayed())
    browser.find_element(By.ID, "key").send_keys("wrong")
    browser.find_element(By.CSS_SELECTOR, "#login button").click()
    until(browser, lambda: "not let in" in text_of(browser, "login-said"))

    assert not browser.find_element(By.ID, "desk").is_displayed()


def test_nothing_is_loaded_from_elsewhere_and_the_console_is_clean(
    browser: Any, service: ServiceProcess
) -> None:
    enter(browser, service)
    until(browser, lambda: text_of(browser, "pnl"))
    urls = browser.execute_script(
        "return performance.getEntriesByType('resource').map((each) => each.name)"
    )
    complaints = [each for each in browser.get_log("browser") if each["level"] == "SEVERE"]

    assert urls
    assert all(url.startswith(str(service.http.base_url)) for url in urls)
    assert complaints == []
