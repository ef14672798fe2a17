"""A variable that is set changes what the service shows of itself: two services, side by side."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, Final

import pytest

from tests.integration.service_process import ServiceProcess, a_body

CHANGED: Final = {
    "ORDERMANAGER_ACCOUNT": "second",
    "ORDERMANAGER_DRY_RUN_BALANCE": "5000",
    "ORDERMANAGER_DRY_RUN_SYMBOLS": "SOLUSDT",
    "ORDERMANAGER_ENABLE_DRY_RUN": "true",
    "ORDERMANAGER_EVENT_LOOP": "asyncio",
    "ORDERMANAGER_HOST": "127.0.0.2",
    "ORDERMANAGER_LOG_LEVEL": "DEBUG",
    "ORDERMANAGER_SERVICE_NAME": "om-7",
    "ORDERMANAGER_STORE_URL": "sqlite:///other.sqlite",
}


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    with ServiceProcess(tmp_path_factory.mktemp("usual")) as process:
        yield process.ready()


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    with ServiceProcess(tmp_path_factory.mktemp("other"), (), **CHANGED) as process:
        yield process.ready()


def health(service: ServiceProcess, key: str) -> Any:
    return service.http.get("/health").json()[key]


def wallet(service: ServiceProcess) -> Decimal:
    """In hundreds: another test may have paid a fee."""
    (balance,) = service.get("/balances")["balances"]
    return round(Decimal(balance["wallet"]), -2)


def knows_sol(service: ServiceProcess) -> bool:
    told = service.send(a_body(1, asset="SOLUSDT", amount=500)).json()
    return told["code"] != "UNKNOWN_INSTRUMENT"


def tells_of_requests(service: ServiceProcess) -> bool:
    service.http.get("/health")
    service.send(a_body(2, asset="SOLUSDT", amount=501))
    while service.until("signal.decided")["signal_id"] != a_body(2)["signal_id"]:
        pass
    return any(each["event"] == "http.request" for each in service.log)


def event_loop(service: ServiceProcess) -> Any:
    return next(each["event_loop"] for each in service.log if each["event"] == "service.listening")


def files(service: ServiceProcess) -> bool:
    return (service.folder / "other.sqlite").exists()


OBSERVED: Final[dict[str, tuple[Callable[[ServiceProcess], Any], Any, Any]]] = {
    # what is looked at, what it is usually, what it is once the variable is set
    "ORDERMANAGER_ACCOUNT": (lambda s: health(s, "account"), "dry:default", "dry:second"),
    "ORDERMANAGER_DRY_RUN_BALANCE": (wallet, 100_000, 5_000),
    "ORDERMANAGER_DRY_RUN_SYMBOLS": (knows_sol, False, True),
    "ORDERMANAGER_EVENT_LOOP": (event_loop, "uvloop", "asyncio"),
    "ORDERMANAGER_HOST": (lambda s: s.http.base_url.host, "127.0.0.1", "127.0.0.2"),
    "ORDERMANAGER_LOG_LEVEL": (tells_of_requests, False, True),
    "ORDERMANAGER_SERVICE_NAME": (lambda s: health(s, "service"), "order-manager", "om-7"),
    "ORDERMANAGER_STORE_URL": (files, False, True),
}


@pytest.mark.parametrize("name", sorted(OBSERVED))
def test_a_variable_shows_in_what_the_service_does(
    name: str, usual: ServiceProcess, other: ServiceProcess
) -> None:
    look, without, with_it = OBSERVED[name]

    assert look(usual) == without
    assert look(other) == with_it
