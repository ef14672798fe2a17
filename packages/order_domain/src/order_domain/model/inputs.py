"""Inputs of the engine that are not facts of the exchange.

Deliveries, states of our own plumbing, a person, time.
"""

from datetime import timedelta
from decimal import Decimal

import attrs

from order_domain.model.enums import OrderType, PositionSide, Side, TimeInForce, Trading
from order_domain.model.execution import Execution
from order_domain.model.identifiers import ClientOrderId, InstrumentId, SignalId
from order_domain.model.instrument import Instrument
from order_domain.model.quote import Quote
from order_domain.model.reports import Answer, LookupResult, OrderReport, SweepResult, WalletReport
from order_domain.model.rows import TradingStateRow
from order_domain.model.signal import TradingSignal


@attrs.define(slots=True)
class SignalDelivered:
    """A well-formed signal came in.

    `number` identifies the delivery for good (line number or intake counter).
    """

    number: int
    signal: TradingSignal


@attrs.define(slots=True)
class DeliveryInvalid:
    """A delivery that is no signal.

    Kept with its reason. `field`, `rule` and `value` say what is wrong.
    """

    number: int
    code: str
    field: str
    rule: str
    value: str
    body: str
    signal_id: str = ""


@attrs.define(slots=True)
class TransportState:
    """Whether commands can leave now; `flush` is how long the last commit took."""

    up: bool
    flush: timedelta = timedelta(0)


@attrs.define(slots=True)
class StreamState:
    """Whether the private stream can be trusted.

    A reconnect comes as unhealthy, then healthy after its barrier.
    """

    healthy: bool
    reason: str = ""


@attrs.define(slots=True)
class ClockOffset:
    """Exchange time minus our time, and how sure we are."""

    offset: timedelta
    uncertainty: timedelta = timedelta(0)


@attrs.define(slots=True)
class Tick:
    """Time has come: some deadline has passed."""


@attrs.define(slots=True, kw_only=True)
class PlaceOrder:
    """A person's order. Quantity in base units; price None means market."""

    request_id: str
    actor: str
    instrument_id: InstrumentId
    side: Side
    quantity: Decimal
    order_type: OrderType
    price: Decimal | None = None
    time_in_force: TimeInForce | None = None
    reduce_only: bool = False
    position_side: PositionSide = PositionSide.BOTH
    take_profit: Decimal | None = None
    stop_loss: Decimal | None = None


@attrs.define(slots=True, kw_only=True)
class AmendOrder:
    """New absolute price and/or quantity of a working order."""

    request_id: str
    actor: str
    client_order_id: ClientOrderId
    price: Decimal | None = None
    quantity: Decimal | None = None


@attrs.define(slots=True, kw_only=True)
class CancelOrder:
    """Cancel one order."""

    request_id: str
    actor: str
    client_order_id: ClientOrderId
    reason: str = "OPERATOR"


@attrs.define(slots=True, kw_only=True)
class CancelAll:
    """Cancel every order, of one instrument or of the account.

    `include_external` also foreign ones.
    """

    request_id: str
    actor: str
    instrument_id: InstrumentId | None = None
    include_external: bool = True


@attrs.define(slots=True, kw_only=True)
class ClosePosition:
    """Close a position, or the part of it (0 < part <= 1), by a reduce-only market order."""

    request_id: str
    actor: str
    instrument_id: InstrumentId
    position_side: PositionSide = PositionSide.BOTH
    part: Decimal = Decimal(1)


@attrs.define(slots=True, kw_only=True)
class Flatten:
    """Cancel everything, then close every position, or those of one instrument."""

    request_id: str
    actor: str
    instrument_id: InstrumentId | None = None


@attrs.define(slots=True, kw_only=True)
class SetTradingState:
    """A person restricts (or lifts a restriction of) a scope; a lift names the version it lifts.

    Attributes:
        cause: OPERATOR, or the automatic cause a person acknowledges and lifts.
        version: The version of the row that is lifted; None only when restricting.
    """

    request_id: str
    actor: str
    scope: str
    state: Trading
    reason: str
    cause: str = "OPERATOR"
    version: int | None = None


@attrs.define(slots=True, kw_only=True)
class RetrySignal:
    """Decide a denied or failed signal again, as its next generation, inside signal age."""

    request_id: str
    actor: str
    signal_id: SignalId


@attrs.define(slots=True, kw_only=True)
class RequestSweep:
    """Reconcile now."""

    request_id: str
    actor: str
    scope: str = "all"


Operator = (
    PlaceOrder
    | AmendOrder
    | CancelOrder
    | CancelAll
    | ClosePosition
    | Flatten
    | SetTradingState
    | RetrySignal
    | RequestSweep
)
Input = (
    SignalDelivered
    | DeliveryInvalid
    | Answer
    | OrderReport
    | Execution
    | WalletReport
    | Quote
    | Instrument
    | TransportState
    | StreamState
    | ClockOffset
    | LookupResult
    | SweepResult
    | TradingStateRow
    | Operator
    | Tick
)
