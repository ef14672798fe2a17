"""ReplayPlan: everything that makes one replay; the same plan on the same files does the same."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

import attrs

from order_adapters.simulator import FaultScript
from order_domain.config import EngineConfig
from order_domain.model.instrument import Instrument

NO_RULES: Mapping[str, Instrument] = MappingProxyType({})


@attrs.frozen(slots=True, kw_only=True)
class ReplayPlan:
    """What to replay, and how.

    Attributes:
        markets: Market files by symbol.
        rules: Trading rules by symbol; the catalogue or the file itself gives what is missing.
        store_url: Where rows are kept; empty keeps them in memory.
        resume: Go on with a store that holds rows; lines that have a verdict are passed over.
        balance: Wallet at the first start, settle-coin units.
        faults: What shall go wrong on the exchange.
        speed: Times real time; None is as fast as it goes.
        points: Moments of the profit curve that comes with the result; 0 leaves it out.
    """

    signals: Path
    markets: Mapping[str, Path]
    config: EngineConfig
    rules: Mapping[str, Instrument] = NO_RULES
    store_url: str = ""
    resume: bool = False
    seed: int = 0
    balance: Decimal = Decimal(100_000)
    faults: FaultScript | None = None
    speed: Decimal | None = None
    points: int = 0
