"""Limits: how long anything may take before the answer counts as unknown."""

from typing import Final

import attrs


@attrs.frozen(slots=True)
class Limits:
    """Seconds. The server's own come first, so that its answer is heard if it can speak.

    Attributes:
        call: All statements of one transaction, commit included; then the connection is cut.
        connect: Until a new connection may be used.
        statement: Of the server, for one statement.
        lock: Of the server, for one lock: an earlier commit of ours, another owner's take-over.
        idle_in_transaction: Of the server: a frozen owner holds the head row no longer.
    """

    call: float = 10.0
    connect: float = 5.0
    statement: float = 8.0
    lock: float = 4.0
    idle_in_transaction: float = 5.0

    def settings(self) -> dict[str, str]:
        """The server's part of them, as settings of a session."""
        return {
            "statement_timeout": _milliseconds(self.statement),
            "lock_timeout": _milliseconds(self.lock),
            "idle_in_transaction_session_timeout": _milliseconds(self.idle_in_transaction),
            "tcp_user_timeout": _milliseconds(self.call),
        }


def _milliseconds(seconds: float) -> str:
    return str(round(seconds * 1000))


LIMITS: Final = Limits()
