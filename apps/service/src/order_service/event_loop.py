"""Event loop: uvloop where it is there, which needs less CPU for the same work; else asyncio's."""

from importlib.util import find_spec
from typing import Literal

from order_service.settings import Problem, Settings, SettingsError

EventLoop = Literal["asyncio", "uvloop"]
_MISSING = "asks for uvloop, which is not installed"


def event_loop_of(settings: Settings) -> EventLoop:
    """Choose by the settings. Raises SettingsError: they ask for what is not installed."""
    wanted = settings.ordermanager.event_loop
    if wanted == "asyncio":
        return wanted
    if find_spec("uvloop") is not None:
        return "uvloop"
    if wanted == "uvloop":
        raise SettingsError([Problem("ORDERMANAGER_EVENT_LOOP", _MISSING)])
    return "asyncio"
