"""What is exported is every row once, in its order, and nothing that only looks whole."""

from collections.abc import AsyncIterator
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_adapters.stores.memory.store import MemoryStore
from order_service.exporting import exported
from order_service.http.exports import MOST_AT_ONCE, ROWS_AT_ONCE, BrokenOff, Exports
from order_service.http.problems import Refused
from order_service.plain import Row
from tests.contract.backends import MemoryBackend
from tests.row_builders import a_delivery_row, a_signal_row


async def signals_of(store: MemoryStore) -> list[tuple[object, object, object]]:
    found = exported("signals", store.views, store.outbox)
    return [(row["delivery"], row.get("generation"), row["signal_id"]) async for row in found]


@given(st.data())
async def test_signals_come_by_delivery_however_they_were_committed(data: st.DataObject) -> None:
    deliveries = data.draw(st.lists(st.integers(1, 30), unique=True, max_size=12))
    retried = [n for n in deliveries if data.draw(st.booleans())]
    refused = data.draw(st.lists(st.integers(31, 60), unique=True, max_size=5))
    store = await MemoryBackend().owned()
    committed = [
        *(a_signal_row(n, delivery=n) for n in deliveries),
        *(a_delivery_row(n) for n in refused),
        *(a_signal_row(n, delivery=n, generation=1) for n in retried),
    ]
    for number, row in enumerate(data.draw(st.permutations(committed)), 1):
        await store.journal.flush(number, [row])

    found = await signals_of(store)
    keys = [(delivery, generation or 0) for delivery, generation, _ in found]

    assert sorted(keys) == keys == sorted(set(keys))
    assert len(found) == len(committed)


async def some(number: int) -> AsyncIterator[Row]:
    for each in range(number):
        yield {"number": each}


async def test_an_export_is_written_in_chunks_and_every_line_is_there() -> None:
    chunks = [each async for each in Exports().chunks(some(2 * ROWS_AT_ONCE + 1), lambda: True)]
    lines = b"".join(chunks).splitlines()

    assert lines == [b'{"number":%d}' % each for each in range(2 * ROWS_AT_ONCE + 1)]
    assert len(chunks) == 3


async def test_an_export_that_may_not_go_on_breaks_off_instead_of_ending() -> None:
    exports, asked = Exports(), count()
    with pytest.raises(BrokenOff):
        async for _ in exports.chunks(some(5 * ROWS_AT_ONCE), lambda: next(asked) < 2):
            pass

    assert exports.open == 0


async def test_no_more_than_a_few_exports_run_at_once() -> None:
    exports = Exports()
    running = [exports.chunks(some(500), lambda: True) for _ in range(MOST_AT_ONCE)]
    for each in running:
        await anext(each)
    with pytest.raises(Refused):
        await anext(exports.chunks(some(1), lambda: True))
    async for _ in running[0]:
        pass

    assert await anext(exports.chunks(some(1), lambda: True))
