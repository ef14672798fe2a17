"""Words: Bybit's vocabulary and ours, both ways. A foreign word we do not know stops here."""

from collections.abc import Mapping
from typing import Final, Generic, TypeVar

import attrs

from order_adapters.venues.bybit.quarantine import Raw, UnknownWord
from order_domain.model.enums import (
    Category,
    ExecutionKind,
    InstrumentStatus,
    OrderType,
    PositionSide,
    Side,
    TimeInForce,
    VenueStatus,
)

Theirs = TypeVar("Theirs", str, int)
Ours = TypeVar("Ours")


@attrs.frozen(slots=True)
class Words(Generic[Theirs, Ours]):
    """One vocabulary.

    Attributes:
        ours: Our member of each word of theirs; several words may mean the same to us.
        theirs: The one word that we say for each member of ours.
    """

    ours: Mapping[object, Ours]
    theirs: Mapping[Ours, Theirs]

    def read(self, raw: Raw, key: str) -> Ours:
        """Read the word under a key.

        Raises:
            UnknownWord: It is absent, no word, or not of this vocabulary.
        """
        value = raw.get(key)
        # a bool would find 0 or 1, and an unhashable value would raise
        if isinstance(value, str | int) and not isinstance(value, bool):
            ours = self.ours.get(value)
            if ours is not None:
                return ours
        raise UnknownWord(key, f"one of {', '.join(map(str, self.ours))}", value)

    def write(self, ours: Ours) -> Theirs:
        """Say a member of ours in their word."""
        return self.theirs[ours]


def _words(
    theirs: Mapping[Ours, Theirs], also: Mapping[str, Ours] | None = None
) -> Words[Theirs, Ours]:
    """Make a vocabulary; `also` are words that we understand but never say."""
    ours: dict[object, Ours] = {their: our for our, their in theirs.items()}
    ours.update(also or {})
    return Words(ours, theirs)


CATEGORY: Final = _words({each: each.value for each in Category})
SIDE: Final = _words({each: each.value for each in Side})
ORDER_TYPE: Final = _words({each: each.value for each in OrderType})
TIME_IN_FORCE: Final = _words(
    {each: each.value for each in TimeInForce},
    also={"RPI": TimeInForce.POST_ONLY},  # post-only too, and matched by a retail taker alone
)
ORDER_STATUS: Final = _words(
    {each: each.value for each in VenueStatus},
    # words of older services, all of orders that are still open
    also=dict.fromkeys(("Created", "Active", "PendingCancel"), VenueStatus.NEW),
)
INSTRUMENT_STATUS: Final = _words({each: each.value for each in InstrumentStatus})
POSITION_INDEX: Final = _words(
    {PositionSide.BOTH: 0, PositionSide.LONG: 1, PositionSide.SHORT: 2},
)
EXECUTION_KIND: Final[Words[str, ExecutionKind]] = _words(
    # an opening entry is ours alone: the exchange has no word for it, nor would it be understood
    {each: each.value for each in ExecutionKind if each is not ExecutionKind.OPENING},
    also={
        # a position changes hands at a price, as in a trade
        **dict.fromkeys(("BlockTrade", "MovePosition", "FutureSpread"), ExecutionKind.TRADE),
        # a position is closed by the exchange at its price
        **dict.fromkeys(("Delivery", "CorporateAction"), ExecutionKind.SETTLEMENT),
    },
)
_UNSET: Final = frozenset(("", "UNKNOWN", "EC_NoError"))


def reason(word: str) -> str:
    """Return a reason (cancelType, rejectReason) as it came, empty for the words that say none.

    Reasons are told on, never decided by guess, so one that we do not know is no reason to put the
    record aside.
    """
    return "" if word in _UNSET else word
