"""Stop: what an order waits for before it is matched, and what guards the position it opens."""

from decimal import Decimal
from enum import StrEnum
from typing import Final

import attrs

from order_domain.model.enums import PositionSide
from order_domain.model.identifiers import ClientOrderId, InstrumentId
from order_domain.model.instrument import ZERO
from order_domain.model.steps import SendAmend, SendCreate


class TriggerBy(StrEnum):
    """Bybit triggerBy: the price that is looked at. The index is not known here: it is the mark."""

    LAST = "LastPrice"
    MARK = "MarkPrice"
    INDEX = "IndexPrice"


class StopKind(StrEnum):
    """Bybit stopOrderType."""

    STOP = "Stop"
    TAKE_PROFIT = "TakeProfit"
    STOP_LOSS = "StopLoss"
    PARTIAL_TAKE_PROFIT = "PartialTakeProfit"
    PARTIAL_STOP_LOSS = "PartialStopLoss"
    TRAILING = "TrailingStop"
    SPOT_TPSL = "tpslOrder"
    OCO = "OcoOrder"


WHOLE: Final = frozenset((StopKind.TAKE_PROFIT, StopKind.STOP_LOSS, StopKind.TRAILING))
"""Guards of a whole position: one of each kind, as large as the position."""
PARTS: Final = frozenset((StopKind.PARTIAL_TAKE_PROFIT, StopKind.PARTIAL_STOP_LOSS))
GUARDS: Final = WHOLE | PARTS
"""What ends with its position."""


@attrs.define(slots=True, eq=False)
class Stop:
    """The condition of one order.

    Attributes:
        price: The order is matched once the price looked at is here.
        rises: The price must rise to it; else it must fall to it.
        closes_on_trigger: Bybit closeOnTrigger, as it is shown.
        locks: A spot order keeps its funds from the start, not only from the trigger.
        takes: It takes profit; of two that belong together the other one limits the loss.
        parent: Client order id of the order that brought it.
        pair: Shared by two of which the first that triggers ends the other; empty for one alone.
        distance: How far a trailing stop stays behind the best price.
        activation: Price from which on it trails; None once it does.
    """

    price: Decimal
    rises: bool
    by: TriggerBy = TriggerBy.LAST
    kind: StopKind = StopKind.STOP
    closes_on_trigger: bool = False
    locks: bool = False
    takes: bool = False
    parent: ClientOrderId = ClientOrderId("")
    pair: str = ""
    distance: Decimal | None = None
    activation: Decimal | None = None

    @property
    def is_guard(self) -> bool:
        """Whether it ends with its position."""
        return self.kind in GUARDS

    def is_met(self, price: Decimal) -> bool:
        """Tell whether the price looked at triggers it; a trailing stop first has to trail."""
        if self.activation is not None:
            return False
        return price >= self.price if self.rises else price <= self.price

    def trail(self, price: Decimal) -> bool:
        """Follow the best price behind which a trailing stop stays; tell whether it moved."""
        if self.distance is None:
            return False
        if self.activation is not None:
            if price > self.activation if self.rises else price < self.activation:
                return False
            self.activation = None
        best = price + self.distance if self.rises else price - self.distance
        if best >= self.price if self.rises else best <= self.price:
            return False
        self.price = best
        return True


@attrs.frozen(slots=True)
class Leg:
    """A take-profit or a stop-loss to come. No limit price is a market order."""

    price: Decimal
    by: TriggerBy = TriggerBy.LAST
    limit: Decimal | None = None


@attrs.define(slots=True, eq=False)
class Bracket:
    """Take-profit and stop-loss of an order; they begin with its fills.

    Attributes:
        whole: They guard the whole position (Bybit tpslMode Full), else what this order filled.
        covered: How much of the filled quantity has been given its guards.
    """

    take: Leg | None
    stop: Leg | None
    whole: bool = True
    covered: Decimal = ZERO


@attrs.define(slots=True)
class CreateWith(SendCreate):
    """A create with what the domain's order cannot say."""

    stop: Stop | None = None
    bracket: Bracket | None = None


@attrs.define(slots=True)
class AmendWith(SendAmend):
    """An amend with what the domain's cannot say.

    Attributes:
        bracket: Replaces the order's own if `rebrackets`.
    """

    trigger_price: Decimal | None = None
    trigger_by: TriggerBy | None = None
    bracket: Bracket | None = None
    rebrackets: bool = False


@attrs.frozen(slots=True, kw_only=True)
class TradingStop:
    """What the guards of one position are to be. None keeps, zero takes away.

    Attributes:
        whole: Change the guards of the whole position; else add guards for a part.
        size: Of that part; None is all of the position.
        trailing: Distance of a trailing stop.
        activation: Price from which on it trails; None is at once.
    """

    instrument_id: InstrumentId
    position_side: PositionSide
    whole: bool
    take: Leg | None = None
    stop: Leg | None = None
    trailing: Decimal | None = None
    activation: Decimal | None = None
    size: Decimal | None = None
