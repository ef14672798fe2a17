"""Recorded messages of the exchange, decoded for people."""

from order_adapters.venues.bybit.recorded import Understood, decode_recorded

__all__ = ["Understood", "decode_recorded"]
