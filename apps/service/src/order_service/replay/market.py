"""MarketFeed: the recorded markets of a replay as one stream in time order, with their rules."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from heapq import merge
from pathlib import Path
from typing import Final

import attrs

from order_adapters.intake.instruments import inferred_instrument, known_instrument
from order_adapters.intake.invalid import InputInvalid
from order_adapters.intake.market_csv import BadRow, MarketFile
from order_adapters.simulator.trade import MarketTrade
from order_domain.model.enums import Category
from order_domain.model.identifiers import instrument_id
from order_domain.model.instrument import Instrument
from order_domain.model.quote import Quote

MarketRow = Quote | MarketTrade
BAD_ROWS_TOLD: Final = 20


@attrs.frozen(slots=True)
class Survey:
    """What one market file holds.

    Attributes:
        source: Where its trading rules came from: `file`, `catalogue`, or what was inferred.
        error: Why the reading ended early, empty otherwise.
    """

    symbol: str
    instrument: Instrument
    source: str
    first: datetime
    last: datetime
    rows: int
    bad: int
    bad_rows: tuple[BadRow, ...]
    error: str


class MarketFeed:
    """Quotes and trades of all files. Each file is read once to survey it, and once more to run."""

    def __init__(self, paths: Mapping[str, Path], rules: Mapping[str, Instrument]) -> None:
        """Survey the files.

        Args:
            paths: Market files by symbol.
            rules: Trading rules by symbol, from a person's file; the catalogue fills the rest.

        Raises:
            InputInvalid: A file is no market file, or holds no good row.
            OSError: A file cannot be read.
        """
        self.surveys = tuple(_survey(symbol, path, rules) for symbol, path in paths.items())
        self._files = tuple(
            MarketFile(path, survey.instrument.id)
            for path, survey in zip(paths.values(), self.surveys, strict=True)
        )
        self.first = min(survey.first for survey in self.surveys)
        self.last = max(survey.last for survey in self.surveys)
        coins = {each.settle_coin for each in self.instruments}
        if len(coins) > 1:
            raise InputInvalid("--market", "instruments that settle in one coin", sorted(coins))

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """Trading rules, in the order of the files."""
        return tuple(survey.instrument for survey in self.surveys)

    def __iter__(self) -> Iterator[MarketRow]:
        """Yield rows by time; at one time in the order of the files."""
        return merge(*self._files, key=lambda row: row.at)


def _survey(symbol: str, path: Path, rules: Mapping[str, Instrument]) -> Survey:
    file = MarketFile(path, instrument_id(Category.LINEAR, symbol))
    instrument, source = rules.get(symbol), "file"
    if instrument is None:
        instrument, source = known_instrument(symbol), "catalogue"
    if instrument is None:
        instrument, source = _inferred(symbol, file)
    span = file.span()
    if span is None:
        raise InputInvalid(f"--market {symbol}", "a file with at least one good row", file.bad)
    return Survey(
        symbol,
        instrument,
        source,
        *span,
        file.rows,
        file.bad,
        tuple(file.bad_rows[:BAD_ROWS_TOLD]),
        file.error,
    )


def _inferred(symbol: str, file: MarketFile) -> tuple[Instrument, str]:
    grid = file.grid()
    if grid is None:
        raise InputInvalid(f"--market {symbol}", "a file with at least one good row", "")
    tick, step = grid.tick_size, grid.quantity_step
    source = f"inferred from {grid.rows} rows: tick {tick}, step {step}"
    return inferred_instrument(symbol, grid), source
