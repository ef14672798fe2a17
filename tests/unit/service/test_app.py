"""The application while its service is not there: honest, and in the same shapes."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from dependency_injector import providers

from order_service.app import create_app
from order_service.container import Container
from order_service.service import Service
from order_service.settings import Settings

KEY = "k" * 20


@pytest.fixture
def container(tmp_path: Path) -> Container:
    settings = Settings.from_environment(
        {
            "ORDERMANAGER_ENABLE_DRY_RUN": "true",
            "ORDERMANAGER_STORE_URL": f"sqlite:///{tmp_path}/orders.sqlite",
        }
    )
    return Container(settings=providers.Object(settings))


@pytest.fixture
async def http(container: Container) -> AsyncIterator[httpx.AsyncClient]:
    """Without a lifespan, so nothing is opened."""
    app = create_app(container.service(), api_key=KEY, service_name="om")
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(
        transport=transport, base_url="http://om", headers={"X-API-Key": KEY}
    ) as client:
        yield client


def test_every_dependency_of_the_container_is_given(container: Container) -> None:
    container.check_dependencies()

    assert isinstance(container.service(), Service)
    assert container.service() is container.service()


@pytest.mark.parametrize(
    ("path", "status", "word"),
    [("/health", 503, "unhealthy"), ("/ready", 503, "not_ready"), ("/live", 200, "healthy")],
)
async def test_what_is_not_ready_says_so(
    http: httpx.AsyncClient, path: str, status: int, word: str
) -> None:
    answer = await http.get(path)

    assert answer.status_code == status
    assert answer.json()["status"] == word


async def test_health_tells_what_is_not_connected(http: httpx.AsyncClient) -> None:
    assert (await http.get("/health")).json()["database_connected"] is False


async def test_no_signal_is_taken_before_the_service_is_ready(http: httpx.AsyncClient) -> None:
    answer = await http.post("/api/v1/signals", content=b"{}")

    assert answer.status_code == 503
    assert answer.json()["code"] == "NOT_READY"


async def test_a_store_that_is_away_is_told_without_its_insides(http: httpx.AsyncClient) -> None:
    answer = await http.get("/api/v1/orders")

    assert answer.status_code in (500, 503)
    assert answer.headers["content-type"] == "application/problem+json"
    assert "sqlite" not in answer.text


async def test_a_part_that_somebody_else_cancelled_ends_the_service(container: Container) -> None:
    service, ended = container.service(), asyncio.Event()
    service.on_end = ended.set
    waited_for: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def part() -> None:
        await waited_for

    service._begin("part", part)
    await asyncio.sleep(0)
    waited_for.cancel()
    async with asyncio.timeout(1):
        await ended.wait()

    assert isinstance(service.error, asyncio.CancelledError)
    assert not service.health.is_alive


async def test_an_owner_who_cannot_prove_its_lease_is_not_ready(container: Container) -> None:
    """Somebody else may act by now: two would say that they do."""
    service = container.service()
    await service.open()
    try:
        async with asyncio.timeout(20):
            while not service.health.is_ready:  # noqa: ASYNC110 -- nothing rings
                await asyncio.sleep(0.01)
        service._runtime._parts.lease.give_up()
        health = service.health
    finally:
        await service.close()

    assert (health.is_alive, health.is_ready, health.store) == (True, False, False)
