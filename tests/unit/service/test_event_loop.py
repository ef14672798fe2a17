"""Which event loop the service runs on."""

import pytest

from order_service import event_loop
from order_service.event_loop import event_loop_of
from order_service.settings import Settings, SettingsError


def settings(**given: str) -> Settings:
    return Settings.from_environment({f"ORDERMANAGER_{name}": text for name, text in given.items()})


@pytest.fixture
def without_uvloop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_loop, "find_spec", lambda _: None)


@pytest.mark.parametrize(
    ("given", "chosen"),
    [({}, "uvloop"), ({"EVENT_LOOP": "uvloop"}, "uvloop"), ({"EVENT_LOOP": "asyncio"}, "asyncio")],
)
def test_where_uvloop_is_installed_it_runs_the_service_unless_asyncio_is_asked_for(
    given: dict[str, str], chosen: str
) -> None:
    assert event_loop_of(settings(**given)) == chosen


@pytest.mark.usefixtures("without_uvloop")
def test_without_uvloop_asyncio_runs_the_service() -> None:
    assert event_loop_of(settings()) == "asyncio"


@pytest.mark.usefixtures("without_uvloop")
def test_uvloop_that_was_asked_for_and_is_not_installed_is_a_mistake_of_the_settings() -> None:
    with pytest.raises(SettingsError, match="ORDERMANAGER_EVENT_LOOP: asks for uvloop"):
        event_loop_of(settings(EVENT_LOOP="uvloop"))
