"""RuntimeConfig: how the shell runs; nothing here changes a decision."""

from datetime import timedelta

import attrs

from order_domain.errors import InvalidValue

_LEAST_TTL = timedelta(seconds=6)


@attrs.frozen(slots=True, kw_only=True)
class RuntimeConfig:
    """Settings of one runtime.

    Attributes:
        owner: Names this process in the head row, unique among those that may own the account.
        url: Where people find the owner.
        ttl: Of the lease; bytes stop 2 s before it ends.
        drain: How long a graceful stop may take before it is as abrupt as a crash.
        lockstep: A driver owns time (replay, simulation): no timer runs by itself, and everything
            leaves in step order, so that a run depends on nothing but its inputs.
    """

    owner: str
    url: str = ""
    ttl: timedelta = timedelta(seconds=10)
    drain: timedelta = timedelta(seconds=20)
    lockstep: bool = False

    def __attrs_post_init__(self) -> None:
        if not self.owner:
            raise InvalidValue(field="owner", rule="not empty", value=self.owner)
        if self.ttl < _LEAST_TTL:
            raise InvalidValue(
                field="ttl",
                rule="at least 6 s: a heartbeat of 3 s, 2 s of margin, 1 s to commit",
                value=self.ttl,
            )
