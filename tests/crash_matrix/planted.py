"""The service with a mistake planted in it: what the matrix must notice.

`python -m tests.crash_matrix.planted serve ...` plants the mistake that PLANTED names.
"""

import asyncio
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

import attrs

from order_adapters.venues.bybit import venue
from order_cli.__main__ import main
from order_domain.config import EngineConfig
from order_domain.model.rows import DeliveryRow, Mark
from order_service.desk import Desk
from order_service.runtime.committer import Committer, Entry
from order_service.runtime.relay import Relay, cursor_name
from tests.crash_matrix.checks import LEFT, UNSETTLED

LONG_ENOUGH_FOR_A_FLUSH_S: Final = 0.5


def acknowledge_before_the_commit() -> None:
    """The broker forgets a signal as soon as it is here."""
    read = Desk._take

    async def take(self: Desk, broker: Any) -> None:
        letters = broker.letters

        async def hurried() -> Any:
            async for letter in letters():
                await letter.acknowledge()
                yield letter

        broker.letters = hurried
        await read(self, broker)

    Desk._take = take  # type: ignore[method-assign]


def a_new_id_for_every_attempt() -> None:
    """What leaves carries an id of the attempt, not of the intent."""
    body_of = venue.body_of

    def changed(command: Any, smp_type: str) -> dict[str, Any]:
        body = dict(body_of(command, smp_type))
        if "orderLinkId" in body:
            body["orderLinkId"] = f"{body['orderLinkId'][:-6]}{uuid4().hex[:6]}"
        return body

    venue.body_of = changed  # type: ignore[assignment]


def the_cursor_moves_before_the_confirm() -> None:
    """Events count as published once they are read."""
    publish = Relay._publish_some

    async def hurried(self: Relay) -> None:
        self._carry(Mark(cursor_name(self.name), self._clock.now(), self._committed))
        await asyncio.sleep(LONG_ENOUGH_FOR_A_FLUSH_S)
        await publish(self)

    Relay._publish_some = hurried  # type: ignore[method-assign]


def steps_without_changes_do_not_wait() -> None:
    """What changes nothing leaves at once, ahead of what was decided before it.

    A repeat leaves a row of its delivery, and nothing else: the book stays as it is.
    """
    add = Committer.add

    def hurried(self: Committer, entry: Entry) -> None:
        if all(isinstance(change, DeliveryRow) for change in entry.step.changes):
            self._committed((entry,), self.head)
            entry = Entry(entry.message, attrs.evolve(entry.step, effects=()), entry.stepped_at)
        add(self, entry)

    Committer.add = hurried  # type: ignore[method-assign]


def absence_is_believed_at_once() -> None:
    """No quarantine: what two look-ups do not find was never sent."""
    EngineConfig.quarantine = property(lambda _: timedelta(0))  # type: ignore[assignment, method-assign]


@attrs.frozen
class Mistake:
    """What is planted, and where a kill shows it.

    Attributes:
        point: At which the service is killed.
        shown: What the matrix says of it, one of these words or several.
        passes: Of that point, in the first try; each further one waits for one pass more.
        settings: Under which it shows.
        fault: Of the exchange, from its start.
        settles: Whether the service takes itself for done; it never does without what it has lost.
    """

    plant: Callable[[], None]
    point: str
    shown: Sequence[str]
    passes: int = 1
    settings: Mapping[str, str] = {}
    fault: str = ""
    settles: bool = False


def is_shown(mistake: Mistake, found: Sequence[str]) -> bool:
    """Whether what was found is what this mistake does, and not that time ran out."""
    if any(LEFT in each or (mistake.settles and UNSETTLED in each) for each in found):
        return False
    return any(word in each for word in mistake.shown for each in found)


MISTAKES: Final[Mapping[str, Mistake]] = {
    "acknowledge_before_the_commit": Mistake(
        acknowledge_before_the_commit, "intent.before_commit", ("has no verdict",)
    ),
    "a_new_id_for_every_attempt": Mistake(
        a_new_id_for_every_attempt, "submit.after_send", ("is not ours",)
    ),
    "the_cursor_moves_before_the_confirm": Mistake(
        the_cursor_moves_before_the_confirm,
        "outbox.after_read",
        ("was not published",),
        settles=True,
    ),
    "steps_without_changes_do_not_wait": Mistake(
        # the repeat must have been acknowledged before enough steps have piled up
        steps_without_changes_do_not_wait,
        "flush.in_flight",
        ("has no verdict",),
        passes=12,
    ),
    "absence_is_believed_at_once": Mistake(
        # what is not found is sent again under the same id, which does no harm, or is given up
        absence_is_believed_at_once,
        "submit.after_send",
        ("was not booked", "open on one side only", "given up, then alive"),
        settings={"ORDERMANAGER_ORDER_EXECUTION_TIMEOUT": "1", "ORDERMANAGER_VISIBILITY": "300"},
        fault='{"fault": "hide", "by_ms": 299000}',
        settles=True,
    ),
}
"""By name."""

if __name__ == "__main__":
    MISTAKES[os.environ["PLANTED"]].plant()
    main(sys.argv[1:])
