"""How a runtime ends: its reasons as values, and the exception that carries them."""

from enum import StrEnum

import attrs

from order_domain.errors import OrderManagerError


class EndReason(StrEnum):
    """Why a runtime ended. Only STOPPED is asked for."""

    STOPPED = "stopped"
    LEASE_LOST = "lease_lost"
    """Another owner took over: become a standby."""
    COMMITS_LOST = "commits_lost"
    """The database forgot commits it had confirmed: a person must look before it goes on."""
    ENGINE_FAILED = "engine_failed"
    """The engine cannot get past an input, not even alone after a rebuild."""
    WORKER_DIED = "worker_died"


@attrs.frozen(slots=True)
class Ended:
    """The end of a runtime. `worker` names the part that noticed, `error` is what it noticed."""

    reason: EndReason
    worker: str = ""
    error: BaseException | None = None


class RuntimeEnded(OrderManagerError):
    """Raised to whoever waits for a runtime that has ended.

    Details: `reason`, `worker`, `error`.
    """

    code = "RUNTIME_ENDED"


class End(Exception):
    """Raised inside a worker to end the whole runtime with a reason."""

    def __init__(self, reason: EndReason, error: BaseException | None = None) -> None:
        self.reason = reason
        self.error = error
        super().__init__(reason.value)
