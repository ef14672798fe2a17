"""For other people's tests: a local Bybit in a thread, and the pytest plugin `.plugin`."""

from order_adapters.testing.local_bybit import LocalBybit

__all__ = ["LocalBybit"]
