"""What can be made to go wrong with a store in memory, as it would with a database."""

from collections.abc import Callable
from datetime import timedelta

import attrs

from order_domain.model.rows import Change


@attrs.define(slots=True, kw_only=True)
class StoreFaults:
    """Knobs; all may be turned at any time.

    Attributes:
        away: Nothing answers: every call raises StoreUnavailable and has no effect.
        fail_flushes: The next so many flushes fail before their commit.
        lose_answers: The next so many flushes are committed and yet raise StoreUnavailable.
        refuse: Gives the reason to refuse a row for its content, or None.
        delay: How long a flush takes until its commit, by the store's clock.
    """

    away: bool = False
    fail_flushes: int = 0
    lose_answers: int = 0
    refuse: Callable[[Change], str | None] | None = None
    delay: timedelta = timedelta(0)
