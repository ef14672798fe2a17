"""What every test may use: hypothesis profiles and the recorded market data."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("ORDER_MANAGER_SHARED") or ROOT.parent / "shared").resolve()
MISSING = (
    f"recorded market data: none at {SHARED}, so the tests that replay it are left out; "
    "set ORDER_MANAGER_SHARED to its folder"
)

# No deadline: how busy the machine is says nothing about the code.
settings.register_profile("default", deadline=None)
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with `market-data/` and `signals/`; without it the test is left out."""
    return SHARED


def has_shared_data() -> bool:
    return (SHARED / "market-data").is_dir() and (SHARED / "signals").is_dir()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if has_shared_data():
        return
    needy = [item for item in items if "shared_data" in getattr(item, "fixturenames", ())]
    config.hook.pytest_deselected(items=needy)
    items[:] = [item for item in items if item not in needy]


def pytest_report_header() -> str | None:
    return None if has_shared_data() else MISSING


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not has_shared_data():
        terminalreporter.write_line(MISSING, yellow=True)
