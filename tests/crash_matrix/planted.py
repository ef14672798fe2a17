"""The service with a mistake planted in it: what the matrix must notice.

`python -m tests.crash_matrix.planted serve ...` plants the mistake that PLANTED names.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from typing import Any, Final
from uuid import uuid4

from order_adapters.venues.bybit import venue
from order_cli.__main__ import main
from order_domain.model.rows import Mark
from order_service.desk import Desk
from order_service.runtime.relay import Relay, cursor_name

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


MISTAKES: Final[dict[str, tuple[Callable[[], None], str]]] = {
    "acknowledge_before_the_commit": (acknowledge_before_the_commit, "intent.before_commit"),
    "a_new_id_for_every_attempt": (a_new_id_for_every_attempt, "submit.after_send"),
    "the_cursor_moves_before_the_confirm": (
        the_cursor_moves_before_the_confirm,
        "outbox.after_read",
    ),
}
"""By name: what is planted, and the point at which a kill shows it."""

if __name__ == "__main__":
    MISTAKES[os.environ["PLANTED"]][0]()
    main(sys.argv[1:])
