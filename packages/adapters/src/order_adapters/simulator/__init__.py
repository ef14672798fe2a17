"""The simulated exchange: a seeded, synchronous matching core without clock, threads or I/O."""

from order_adapters.simulator.config import SimulatorConfig
from order_adapters.simulator.exchange import SimulatedExchange
from order_adapters.simulator.fault_lines import parse_faults
from order_adapters.simulator.faults import Fault, FaultKind, FaultRates, FaultScript
from order_adapters.simulator.mailbox import Message
from order_adapters.simulator.state import AccountState
from order_adapters.simulator.trade import MarketTrade

__all__ = [
    "AccountState",
    "Fault",
    "FaultKind",
    "FaultRates",
    "FaultScript",
    "MarketTrade",
    "Message",
    "SimulatedExchange",
    "SimulatorConfig",
    "parse_faults",
]
