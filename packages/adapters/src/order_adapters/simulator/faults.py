"""Fault script: what will go wrong. Values only; `fault_state` carries them out."""

from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

import attrs

from order_adapters.simulator.randomness import MILLION
from order_domain.errors import InvalidValue
from order_domain.model.enums import Side

NONE = timedelta(0)


class FaultKind(StrEnum):
    """Everything the simulated exchange can be told to do wrong."""

    LOSE_REQUEST = "lose_request"
    DELAY_REQUEST = "delay_request"
    LOSE_ANSWER = "lose_answer"
    DELAY_ANSWER = "delay_answer"
    ANSWER_CODE = "answer_code"
    BAN = "ban"
    MAINTENANCE = "maintenance"
    REJECT_LATER = "reject_later"
    LOSE_REPORT = "lose_report"
    DELAY_REPORT = "delay_report"
    DUPLICATE_REPORT = "duplicate_report"
    REORDER_REPORTS = "reorder_reports"
    SILENT_STREAM = "silent_stream"
    DISCONNECT = "disconnect"
    CLOCK_SKEW = "clock_skew"
    HIDE = "hide"
    FOREIGN_ORDER = "foreign_order"
    LIQUIDATION = "liquidation"


ON_REQUESTS = frozenset(
    (
        FaultKind.LOSE_REQUEST,
        FaultKind.DELAY_REQUEST,
        FaultKind.LOSE_ANSWER,
        FaultKind.DELAY_ANSWER,
        FaultKind.ANSWER_CODE,
        FaultKind.BAN,
        FaultKind.MAINTENANCE,
        FaultKind.REJECT_LATER,
    )
)
ON_REPORTS = frozenset(
    (
        FaultKind.LOSE_REPORT,
        FaultKind.DELAY_REPORT,
        FaultKind.DUPLICATE_REPORT,
        FaultKind.REORDER_REPORTS,
    )
)
MUTES = frozenset((FaultKind.SILENT_STREAM, FaultKind.DISCONNECT))
ACTIONS = frozenset((FaultKind.FOREIGN_ORDER, FaultKind.LIQUIDATION))
REQUESTS = frozenset(("create", "amend", "cancel", "look_up", "sweep"))
REPORTS = frozenset(("order", "execution", "wallet"))
DEFAULT_CODES = {FaultKind.BAN: 403, FaultKind.MAINTENANCE: 10019}


@attrs.frozen(slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong, and when.

    Attributes:
        request: Which requests it meets: create, amend, cancel, look_up, sweep; empty is all.
        report: Which reports it meets: order, execution, wallet; empty is all.
        prefix: Start of the client order id; empty is any.
        symbol: Exchange symbol; empty is any.
        nth: It strikes first at the n-th request or report that meets all of this.
        count: And at so many in a row; 0 is without end. Unset: one, or without end where
            `after` or `until` bound it.
        after, until: Time since the first thing the exchange was told; `until` itself is outside.
            A scheduled action happens at `after`.
        by: Length of a delay, of a lag or of the clock's lead (may be negative).
        code: retCode of the answer.
        accepted: Whether the request is carried out in spite of that code.
        reason: rejectReason of `reject_later`.
        side, quantity, price: The foreign order; no price is a market order.
    """

    kind: FaultKind
    request: str = ""
    report: str = ""
    prefix: str = ""
    symbol: str = ""
    nth: int = 1
    count: int | None = None
    after: timedelta | None = None
    until: timedelta | None = None
    by: timedelta = timedelta(milliseconds=100)
    code: int = 10016
    accepted: bool = False
    reason: str = "EC_Others"
    side: Side = Side.BUY
    quantity: Decimal | None = None
    price: Decimal | None = None

    def __attrs_post_init__(self) -> None:
        self._check("request", self.request in REQUESTS or not self.request, "a kind of request")
        self._check("report", self.report in REPORTS or not self.report, "a kind of report")
        self._check("nth", self.nth >= 1, ">= 1")
        self._check("count", self.count is None or self.count >= 0, ">= 0")
        self._check("by", self.kind is FaultKind.CLOCK_SKEW or self.by >= NONE, ">= 0")
        if self.kind in ACTIONS:
            self._check("after", self.after is not None, "a scheduled fault names its time")
            self._check("symbol", bool(self.symbol), "a scheduled fault names its symbol")
        if self.kind is FaultKind.FOREIGN_ORDER:
            self._check("quantity", self.quantity is not None, "a foreign order has a quantity")

    def _check(self, name: str, holds: bool, rule: str) -> None:
        if not holds:
            raise InvalidValue(field=name, rule=rule, value=getattr(self, name))

    @property
    def is_timed(self) -> bool:
        """Bounded by time rather than by counting."""
        return self.after is not None or self.until is not None

    def covers(self, elapsed: timedelta) -> bool:
        """Tell whether it is on, so long after the start."""
        if self.after is not None and elapsed < self.after:
            return False
        return self.until is None or elapsed < self.until

    def meets(self, client_order_id: str, symbol: str) -> bool:
        """Tell whether it is about this order."""
        if self.prefix and not client_order_id.startswith(self.prefix):
            return False
        return not self.symbol or self.symbol == symbol

    def strikes(self, match: int) -> bool:
        """Tell whether the n-th match is one of those it spoils."""
        count = self.count
        if count is None:
            count = 0 if self.is_timed else 1
        return match >= self.nth and (count == 0 or match < self.nth + count)


@attrs.frozen(slots=True, kw_only=True)
class FaultRates:
    """How often things go wrong by themselves, in parts per million of requests or reports.

    Attributes:
        busy: Answered 10006 and not carried out.
        internal_error: Answered 10016; carried out in half of the cases.
        longest: Of every random delay.
    """

    lose_request: int = 0
    delay_request: int = 0
    lose_answer: int = 0
    delay_answer: int = 0
    busy: int = 0
    internal_error: int = 0
    lose_report: int = 0
    delay_report: int = 0
    duplicate_report: int = 0
    longest: timedelta = timedelta(seconds=3)

    def __attrs_post_init__(self) -> None:
        for field in attrs.fields(FaultRates):
            value = getattr(self, field.name)
            if isinstance(value, int) and not 0 <= value <= MILLION:
                raise InvalidValue(field=field.name, rule=f"0 <= value <= {MILLION}", value=value)


@attrs.frozen(slots=True, kw_only=True)
class FaultScript:
    """All that will go wrong: scripted faults, and rates for the rest."""

    faults: tuple[Fault, ...] = ()
    rates: FaultRates = FaultRates()
