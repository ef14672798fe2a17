"""Pace: V20, how many commands were claimed within a second."""

from collections import deque
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Final

from order_domain.invariants.report import Findings

_SECOND: Final = timedelta(seconds=1)


class Pace:
    """Counts claims by the time they were stamped with.

    A bucket that holds a second's worth and refills at the rate lets twice the rate pass in one
    second, after a rest, and never more.
    """

    def __init__(self, per_second: Decimal) -> None:
        self._most = int((2 * per_second).to_integral_value(ROUND_CEILING))
        self._claims: deque[datetime] = deque()

    def take(self, findings: Findings, at: datetime, name: str) -> None:
        """Count one more claim; they come in order."""
        claims = self._claims
        claims.append(at)
        while claims[0] <= at - _SECOND:
            claims.popleft()
        text = "claims within a second stay in the budget"
        findings.holds("V20", name, len(claims) <= self._most, text, len(claims))
