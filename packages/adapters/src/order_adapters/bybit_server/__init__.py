"""The Bybit server: a local Bybit V5 over the simulated exchange, for our tests and others'."""

from order_adapters.bybit_server.config import AccountConfig, ServerConfig
from order_adapters.bybit_server.server import BybitServer

__all__ = ["AccountConfig", "BybitServer", "ServerConfig"]
