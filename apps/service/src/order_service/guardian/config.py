"""GuardianConfig: when the guardian acts, and how often it looks."""

from datetime import timedelta

import attrs

from order_domain.errors import InvalidValue

_LONGEST_HEARTBEAT = timedelta(seconds=3)


@attrs.frozen(slots=True, kw_only=True)
class GuardianConfig:
    """Settings of one guardian.

    Attributes:
        account: Whose orders it cancels; told in its records.
        stale_after: How long both heartbeat and probe must have been silent.
        poll: Between two looks; also the limit of one.
        again_after: After an account was emptied, it is emptied once more so much later: an old
            create may be born until then (recv_window + clock skew + visibility).
        retry: Between two tries of a cancellation that failed.
        acts_after_stop: Also when the last owner gave the account back on purpose.
    """

    account: str
    stale_after: timedelta = timedelta(seconds=15)
    poll: timedelta = timedelta(seconds=1)
    again_after: timedelta = timedelta(milliseconds=12_750)
    retry: timedelta = timedelta(milliseconds=500)
    acts_after_stop: bool = False

    def __attrs_post_init__(self) -> None:
        if self.poll <= timedelta(0) or self.retry <= timedelta(0):
            raise InvalidValue(field="poll", rule="above 0", value=min(self.poll, self.retry))
        if self.stale_after < _LONGEST_HEARTBEAT + 2 * self.poll:
            raise InvalidValue(
                field="stale_after",
                rule="at least 3 s (an idle owner's heartbeat) and two looks",
                value=self.stale_after,
            )
