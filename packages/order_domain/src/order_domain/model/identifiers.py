"""Identifiers.

Which string is which, and the client order id that every attempt of an intent shares.
"""

from binascii import crc32
from functools import lru_cache
from hashlib import blake2b, sha1
from typing import NewType
from uuid import NAMESPACE_OID, UUID, uuid5

AccountId = NewType("AccountId", str)
InstrumentId = NewType("InstrumentId", str)
"""`category:symbol`, for example `linear:BTCUSDT`."""
SignalId = NewType("SignalId", str)
"""A UUID in its canonical lower-case text."""
StrategyId = NewType("StrategyId", str)
ClientOrderId = NewType("ClientOrderId", str)
"""FIX 11, Bybit orderLinkId: at most 36 characters of `A-Za-z0-9_-`."""
VenueOrderId = NewType("VenueOrderId", str)
"""FIX 37, Bybit orderId. Empty until the exchange told it."""
ExecutionId = NewType("ExecutionId", str)
"""FIX 17, Bybit execId; unique per account, category and symbol."""
TraceId = NewType("TraceId", str)

PREFIX = "om1"
ENVIRONMENT = {"mainnet": "m", "testnet": "t", "demo": "e", "custom": "c", "dry": "d"}
_HEADS = {name: f"{PREFIX}{letter}-" for name, letter in ENVIRONMENT.items()}
_HEX = "0123456789abcdef"
EVENT_NAMESPACE = uuid5(NAMESPACE_OID, "order-manager.events")
_NAMESPACE = EVENT_NAMESPACE.bytes


def instrument_id(category: str, symbol: str) -> InstrumentId:
    """Name an instrument; the symbol alone is not unique across categories."""
    return InstrumentId(f"{category}:{symbol}")


def symbol_of(instrument: InstrumentId) -> str:
    """Return the exchange symbol of an instrument id."""
    return instrument.partition(":")[2]


def category_of(instrument: InstrumentId) -> str:
    """Return the category of an instrument id."""
    return instrument.partition(":")[0]


def may_hedge(instrument: InstrumentId) -> bool:
    """Tell whether an account in hedge mode keeps two positions of an instrument.

    Bybit has that for perpetuals in USDT alone; every other contract stays in one-way mode.
    """
    return instrument.startswith("linear:") and instrument.endswith("USDT")


def client_order_id(
    environment: str, account: str, strategy: str, signal: str, leg: int, generation: int
) -> ClientOrderId:
    """Derive the client order id of one leg of one decision.

    No clock, randomness, process or attempt takes part, so whoever retries the intent sends the
    same id and the exchange refuses the second one. 120 bits in hex, because hex is made in C and
    base 32 is not; the last character checks the rest, so our own orders are recognised even after
    a lost database.

    Args:
        environment: One of `ENVIRONMENT`.
        leg: 1..N for children, 100 + leg for the re-quote of a leg.
        generation: 0, and one more for each retry by a person.
    """
    text = f"{account}\x1f{strategy}\x1f{signal}\x1f{leg}\x1f{generation}"
    body = _HEADS[environment] + blake2b(text.encode(), digest_size=15).hexdigest()
    return ClientOrderId(body + _HEX[crc32(body.encode()) & 15])


def is_ours(order_id: str) -> bool:
    """Tell by prefix, length and check character whether `client_order_id` made this id."""
    if len(order_id) != 36 or not order_id.startswith(PREFIX):
        return False
    return order_id[-1] == f"{crc32(order_id[:-1].encode()) & 15:x}"


def event_id(subject: str, sequence: int) -> UUID:
    """Stable id of an event: the same event published twice carries the same id."""
    return UUID(event_id_text(subject, sequence))


def event_id_text(subject: str, sequence: int) -> str:
    """The same as canonical text, without an object between.

    It is what uuid5 makes, with the bytes of the namespace at hand.
    """
    name = f"{subject}\x1f{sequence}".encode()
    text = sha1(_NAMESPACE + name, usedforsecurity=False).hexdigest()
    variant = _HEX[int(text[16], 16) & 3 | 8]
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{variant}{text[17:20]}-{text[20:32]}"


@lru_cache(maxsize=10_000)
def order_row_id(order_id: ClientOrderId) -> str:
    """The `id` by which neighbours know the row of an order, as canonical text.

    It is that of an event of the order that never is; a row is written and shown many times.
    """
    return event_id_text(order_id, 0)
