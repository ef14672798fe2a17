"""RuntimeConfig: how the shell runs; nothing here changes a decision."""

from datetime import timedelta

import attrs

from order_domain.errors import InvalidValue
from order_service.runtime.lease import LEAST_TTL


@attrs.frozen(slots=True, kw_only=True)
class RuntimeConfig:
    """Settings of one runtime.

    Attributes:
        owner: Names this process in the head row, unique among those that may own the account.
        url: Where people find the owner.
        ttl: Of the lease; bytes stop 2 s before it ends (a fifth of it, if it is below 10 s).
        drain: How long a graceful stop may take before it is as abrupt as a crash.
        audit_interval: Between two looks of the auditor.
        lockstep: A driver owns time (replay, simulation): no timer runs by itself, and everything
            leaves in step order, so that a run depends on nothing but its inputs.
    """

    owner: str
    url: str = ""
    ttl: timedelta = timedelta(seconds=10)
    drain: timedelta = timedelta(seconds=20)
    audit_interval: timedelta = timedelta(seconds=30)
    lockstep: bool = False

    def __attrs_post_init__(self) -> None:
        if not self.owner:
            raise InvalidValue(field="owner", rule="not empty", value=self.owner)
        if self.ttl < LEAST_TTL:
            raise InvalidValue(field="ttl", rule="at least 1 s", value=self.ttl)
