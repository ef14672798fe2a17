"""Which store a URL names."""

from pathlib import Path

import pytest

from order_adapters.clock import SystemClock
from order_adapters.registry import make_store
from order_adapters.stores.memory import MemoryStore
from order_domain.errors import InvalidValue


def test_memory_is_a_store_of_its_own_each_time() -> None:
    one, other = make_store("memory:", SystemClock()), make_store("memory:", SystemClock())

    assert isinstance(one, MemoryStore)
    assert isinstance(other, MemoryStore)
    assert one.database is not other.database


async def test_three_slashes_name_a_file_here_and_four_one_from_the_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    for url in ("sqlite:///here.db", f"sqlite:///{tmp_path}/there.db"):
        store = make_store(url, SystemClock())
        await store.open()
        await store.close()

    assert databases(tmp_path) == ["here.db", "there.db"]


def databases(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.db"))


@pytest.mark.parametrize("url", ["oracle://host", "", "sqlite:", "sqlite:///", "store.db"])
def test_a_url_that_names_no_store_is_refused(url: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        make_store(url, SystemClock())

    assert refused.value.details["field"] == "store"
