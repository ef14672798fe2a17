"""The guardian acts when heartbeat and service are both silent, and only then; until it is done."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest

from order_adapters.clock import VirtualClock
from order_domain.errors import InvalidValue
from order_domain.ports.journal import Head, StoreUnavailable
from order_service.guardian.config import GuardianConfig
from order_service.guardian.guardian import Guardian
from order_service.guardian.records import Records
from order_service.guardian.vital_signs import VitalSigns
from tests.builders import NOW, seconds
from tests.unit.runtime.parts import pass_time, turns

URL = "http://owner"


@attrs.define
class Patient:
    """A service, its database and its account, each of which may be gone."""

    clock: VirtualClock
    folder: Path
    flushes: bool = True
    is_readable: bool = True
    answers: bool = True
    epoch: int = 1
    open_orders: int = 3
    ends_per_call: int = 100
    is_exchange_there: bool = True
    is_given_back: bool = False
    calls: list[float] = attrs.field(factory=list)
    asked: list[str] = attrs.field(factory=list)
    _flush_no: int = 0

    async def read(self) -> Head:
        if not self.is_readable:
            raise StoreUnavailable(reason="gone")
        self._flush_no += self.flushes
        owner, url = ("", "") if self.is_given_back else ("owner", URL)
        return Head("a", owner, url, self.epoch, NOW, self._flush_no, 0, 0)

    async def probe(self, url: str) -> bool:
        self.asked.append(url)
        return self.answers

    async def cancel_all(self) -> int:
        self.calls.append((self.clock.now() - NOW) / seconds(1))
        if not self.is_exchange_there:
            raise ConnectionError("no exchange")
        self.open_orders = max(0, self.open_orders - self.ends_per_call)
        return self.open_orders

    def die(self) -> None:
        self.flushes = self.answers = False

    def stop(self) -> None:
        """Leave on purpose."""
        self.die()
        self.is_given_back = True

    def start(self) -> None:
        self.epoch += 1
        self.flushes = self.answers = True
        self.is_given_back = False

    @property
    def told(self) -> list[str]:
        return [line["event"] for line in self.lines]

    @property
    def lines(self) -> list[dict[str, Any]]:
        text = (self.folder / "guardian.jsonl").read_text()
        return [json.loads(line) for line in text.splitlines()]


@asynccontextmanager
async def guarded(patient: Patient, **changes: Any) -> AsyncIterator[None]:
    clock = patient.clock
    signs = VitalSigns(clock, patient.read, patient.probe, limit=seconds(1), url="http://first")
    records = Records(patient.folder / "guardian.jsonl", clock, lambda _text: None)
    config = GuardianConfig(account="a", **changes)
    guardian = Guardian(config, clock, signs, patient.cancel_all, records)
    task = asyncio.create_task(guardian.run())
    await turns()
    try:
        yield
        assert not task.done()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.fixture
def patient(tmp_path: Path) -> Patient:
    return Patient(VirtualClock(NOW), tmp_path)


@pytest.mark.parametrize(
    "silent", [{}, {"flushes": False}, {"is_readable": False}, {"answers": False}]
)
async def test_while_one_sign_of_life_is_left_nothing_is_cancelled(
    patient: Patient, silent: dict[str, bool]
) -> None:
    for name, value in silent.items():
        setattr(patient, name, value)
    async with guarded(patient):
        await pass_time(patient.clock, timedelta(minutes=5))

    assert patient.calls == []
    assert patient.told == ["guardian.watching"]


@pytest.mark.parametrize("is_readable", [True, False])
async def test_when_both_are_silent_for_15_s_everything_is_cancelled_within_2_s(
    patient: Patient, is_readable: bool
) -> None:
    async with guarded(patient):
        await pass_time(patient.clock, seconds(60))
        patient.die()
        patient.is_readable = is_readable
        await pass_time(patient.clock, seconds(15))
        assert patient.calls == []
        await pass_time(patient.clock, seconds(2))

    assert len(patient.calls) == 1
    assert patient.open_orders == 0
    assert patient.told == ["guardian.watching", "guardian.acting", "guardian.cancelled"]


async def test_it_cancels_until_nothing_is_open(patient: Patient) -> None:
    patient.ends_per_call = 1
    patient.die()
    async with guarded(patient):
        await pass_time(patient.clock, seconds(20))

    assert patient.open_orders == 0
    assert [line["open"] for line in patient.lines if "open" in line] == [2, 1, 0]


async def test_it_cancels_again_after_the_quarantine_and_as_long_as_nobody_is_back(
    patient: Patient,
) -> None:
    patient.die()
    async with guarded(patient):
        await pass_time(patient.clock, seconds(17))
        patient.open_orders = 1  # a create that was on its way
        await pass_time(patient.clock, seconds(13))
        assert patient.open_orders == 0
        await pass_time(patient.clock, seconds(13))

    first, second, third = patient.calls
    assert second - first == third - second == 12.75


async def test_an_exchange_that_is_not_there_is_tried_again(patient: Patient) -> None:
    patient.die()
    patient.is_exchange_there = False
    async with guarded(patient):
        await pass_time(patient.clock, seconds(20))
        assert patient.open_orders == 3
        patient.is_exchange_there = True
        await pass_time(patient.clock, seconds(1))

    assert patient.open_orders == 0
    assert "guardian.failed" in patient.told


async def test_it_stands_down_when_the_service_is_back_even_if_the_exchange_is_not(
    patient: Patient,
) -> None:
    patient.die()
    patient.is_exchange_there = False
    async with guarded(patient):
        await pass_time(patient.clock, seconds(20))
        patient.flushes = True
        await pass_time(patient.clock, seconds(2))
        before = len(patient.calls)
        patient.is_exchange_there = True
        await pass_time(patient.clock, seconds(60))

    assert patient.told[-1] == "guardian.standing_down"
    assert len(patient.calls) == before
    assert patient.open_orders == 3


async def test_it_acts_again_when_the_service_dies_again(patient: Patient) -> None:
    patient.die()
    async with guarded(patient):
        await pass_time(patient.clock, seconds(17))
        patient.answers = True
        await pass_time(patient.clock, seconds(30))
        patient.answers = False
        patient.open_orders = 2
        await pass_time(patient.clock, seconds(17))

    assert patient.open_orders == 0
    assert patient.told.count("guardian.acting") == 2


async def test_an_account_that_never_had_an_owner_has_nobody_to_die(patient: Patient) -> None:
    patient.die()
    patient.epoch = 0
    async with guarded(patient):
        await pass_time(patient.clock, timedelta(minutes=2))

    assert patient.calls == []


async def test_a_service_that_was_stopped_on_purpose_keeps_its_orders_and_that_is_told_once(
    patient: Patient,
) -> None:
    async with guarded(patient):
        await pass_time(patient.clock, seconds(60))
        patient.stop()
        await pass_time(patient.clock, timedelta(minutes=5))

    assert patient.calls == []
    assert patient.open_orders == 3
    assert patient.told == ["guardian.watching", "guardian.stopped_on_purpose"]


async def test_a_guardian_may_be_told_to_act_after_a_stop_too(patient: Patient) -> None:
    async with guarded(patient, acts_after_stop=True):
        patient.stop()
        await pass_time(patient.clock, seconds(18))

    assert patient.open_orders == 0
    assert "guardian.stopped_on_purpose" not in patient.told


async def test_a_stop_says_nothing_of_the_next_owner_who_dies(patient: Patient) -> None:
    async with guarded(patient):
        patient.stop()
        await pass_time(patient.clock, seconds(60))
        patient.start()
        await pass_time(patient.clock, seconds(60))
        patient.die()
        await pass_time(patient.clock, seconds(18))

    assert patient.open_orders == 0


async def test_one_who_came_back_and_died_unseen_by_the_database_is_dead(patient: Patient) -> None:
    """The database cannot be read any more, and its last word is that somebody stopped."""
    async with guarded(patient):
        patient.stop()
        await pass_time(patient.clock, seconds(60))
        patient.is_readable = False
        patient.answers = True
        await pass_time(patient.clock, seconds(60))
        patient.answers = False
        await pass_time(patient.clock, seconds(18))

    assert patient.open_orders == 0


async def test_who_dies_while_he_stops_has_not_given_the_account_back(patient: Patient) -> None:
    async with guarded(patient):
        patient.answers = False  # he takes no request any more, and drains
        await pass_time(patient.clock, seconds(30))
        before = list(patient.calls)
        patient.flushes = False
        await pass_time(patient.clock, seconds(18))

    assert before == []
    assert patient.open_orders == 0


async def test_a_stop_is_known_to_a_guardian_that_starts_after_it(patient: Patient) -> None:
    patient.stop()
    async with guarded(patient):
        await pass_time(patient.clock, seconds(60))

    assert patient.calls == []


async def test_it_asks_where_the_database_says_the_owner_is(patient: Patient) -> None:
    async with guarded(patient):
        await pass_time(patient.clock, seconds(3))

    assert set(patient.asked[1:]) == {URL}


async def test_a_look_that_hangs_or_breaks_is_silence(tmp_path: Path) -> None:
    clock = VirtualClock(NOW)

    async def hang() -> Head:
        await asyncio.Event().wait()
        raise AssertionError

    async def break_down(_url: str) -> bool:
        raise OSError("no route")

    signs = VitalSigns(clock, hang, break_down, limit=timedelta(milliseconds=10), url=URL)
    clock.advance_to(NOW + seconds(20))
    await signs.look()

    assert signs.silence() == (seconds(20), seconds(20))


async def test_without_an_address_the_service_does_not_answer(patient: Patient) -> None:
    patient.is_readable = False
    signs = VitalSigns(patient.clock, patient.read, patient.probe, limit=seconds(1))
    patient.clock.advance_to(NOW + seconds(20))
    await signs.look()

    assert patient.asked == []
    assert signs.silence()[1] == seconds(20)


async def test_a_disk_that_fails_does_not_keep_it_from_acting(patient: Patient) -> None:
    patient.die()
    (patient.folder / "guardian.jsonl").mkdir()
    async with guarded(patient):
        await pass_time(patient.clock, seconds(17))

    assert patient.open_orders == 0


def test_a_lost_record_is_said(tmp_path: Path) -> None:
    said: list[str] = []
    Records(tmp_path, VirtualClock(NOW), said.append).write("guardian.acting", open=1)

    assert [json.loads(text)["event"] for text in said] == [
        "guardian.acting",
        "guardian.record_lost",
    ]


@pytest.mark.parametrize(
    "values", [{"stale_after": seconds(4)}, {"poll": seconds(0)}, {"retry": seconds(-1)}]
)
def test_a_guardian_without_patience_is_refused(values: dict[str, timedelta]) -> None:
    with pytest.raises(InvalidValue):
        GuardianConfig(account="a", **values)
