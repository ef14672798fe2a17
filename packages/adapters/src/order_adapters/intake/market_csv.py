"""MarketFile: quotes and trades of one instrument, streamed from CSV; bad rows are told."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Final

import attrs

from order_adapters.intake.instruments import SAMPLE_ROWS, Grid, infer_grid
from order_adapters.intake.invalid import InputInvalid, shown
from order_adapters.intake.lines import LineReader
from order_adapters.simulator.trade import MarketTrade
from order_domain.model.enums import Side
from order_domain.model.identifiers import InstrumentId
from order_domain.model.quote import Quote

HEADER: Final = "exchange_time_ms,kind,bid,bid_size,ask,ask_size,price,size,taker_side"
COLUMNS: Final = tuple(HEADER.split(","))
BAD_ROWS_KEPT: Final = 1000
_LINE_MAX: Final = 1024
_DECIMAL: Final = re.compile(r"[0-9]{1,15}(\.[0-9]{1,12})?")
_TIME: Final = re.compile(r"[0-9]{12,13}")
_LAG_MAX_MS: Final = 1000
"""Quotes and trades come by channels of their own: one may lag so far behind the other."""
_GAP_MAX_MS: Final = 24 * 60 * 60 * 1000
"""A farther jump is a broken time; believing it would refuse every row after it."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_KINDS: Final = ("quote", "trade")
_SIDES: Final = {"buy": Side.BUY, "sell": Side.SELL}


@attrs.frozen(slots=True)
class BadRow:
    """A row that was passed over: line number, and the field, the rule it breaks and its value."""

    line: int
    field: str
    rule: str
    value: str


class MarketFile:
    """Iterates over quotes and trades in file order; may be iterated again from the start.

    Attributes:
        rows: Good rows so far.
        bad: How many rows were passed over so far; the first 1,000 are kept in `bad_rows`.
    """

    def __init__(self, path: Path, instrument_id: InstrumentId) -> None:
        self.rows = 0
        self.bad = 0
        self.bad_rows: list[BadRow] = []
        self._lines = LineReader(path, _LINE_MAX)
        self._instrument_id = instrument_id
        self._time = 0
        self._newest: dict[str, int] = {}
        self._at = _EPOCH

    @property
    def error(self) -> str:
        """Why the reading ended early (a cut gzip), empty otherwise. What was read stands."""
        return self._lines.error

    def __iter__(self) -> Iterator[Quote | MarketTrade]:
        """Yield what the market did.

        Raises:
            InputInvalid: The first line is not the header: this is no market file.
            OSError: The file cannot be opened.
        """
        self.rows = self.bad = self._time = 0
        self._newest.clear()
        self.bad_rows.clear()
        for line in self._lines:
            raw = line.raw.decode("utf-8", "backslashreplace")
            if line.number == 1:
                if raw != HEADER:
                    raise InputInvalid("market file", f"begins with the header {HEADER}", raw)
                continue
            try:
                row = self._row(raw, is_cut=line.is_cut)
            except InputInvalid as error:
                self._pass_over(BadRow(line.number, error.field, error.rule, error.value))
            else:
                self.rows += 1
                yield row

    def span(self) -> tuple[datetime, datetime] | None:
        """Read the whole file for the times of its first and last good row; None without any."""
        first = last = None
        for row in self:
            first = first or row.at
            last = row.at
        return None if first is None or last is None else (first, last)

    def grid(self) -> Grid | None:
        """Infer tick and step from the first rows; None when there are none."""
        sample: Iterable[Quote | MarketTrade] = islice(iter(self), SAMPLE_ROWS)
        return infer_grid(
            ((row.bid, row.ask), (row.bid_size, row.ask_size))
            if isinstance(row, Quote)
            else ((row.price,), (row.size,))
            for row in sample
        )

    def _row(self, raw: str, *, is_cut: bool) -> Quote | MarketTrade:
        fields = raw.split(",")
        if is_cut or len(fields) != len(COLUMNS):
            raise InputInvalid("row", f"{len(COLUMNS)} columns", raw)
        kind = fields[1]
        if kind not in _KINDS:
            raise InputInvalid("kind", "quote or trade", kind)
        at = self._moment(fields[0], kind)
        return self._quote(at, fields) if kind == "quote" else self._trade(at, fields)

    def _moment(self, value: str, kind: str) -> datetime:
        """Tell when a row happens for us: at its time, or with the row before it if it comes late.

        Times of one kind never go back. Most rows share their moment with the row before.
        """
        if not _TIME.fullmatch(value):
            raise InputInvalid("exchange_time_ms", "milliseconds since 1970", value)
        time = int(value)
        earliest = max(self._newest.get(kind, 0), self._time - _LAG_MAX_MS)
        if time < earliest:
            raise InputInvalid("exchange_time_ms", f"not before {earliest}", value)
        if self._time and time > self._time + _GAP_MAX_MS:
            raise InputInvalid("exchange_time_ms", f"within a day of {self._time}", value)
        self._newest[kind] = time
        if time > self._time:
            self._at = _EPOCH + timedelta(milliseconds=time)
            self._time = time
        return self._at

    def _quote(self, at: datetime, fields: list[str]) -> Quote:
        bid, bid_size, ask, ask_size = (_positive(fields, i) for i in range(2, 6))
        if bid >= ask:
            raise InputInvalid("ask", f"above the bid {bid}", ask)
        return Quote(self._instrument_id, bid, bid_size, ask, ask_size, at)

    def _trade(self, at: datetime, fields: list[str]) -> MarketTrade:
        side = _SIDES.get(fields[8])
        if side is None:
            raise InputInvalid("taker_side", "buy or sell", fields[8])
        return MarketTrade(
            instrument_id=self._instrument_id,
            price=_positive(fields, 6),
            size=_positive(fields, 7),
            taker_side=side,
            at=at,
        )

    def _pass_over(self, row: BadRow) -> None:
        self.bad += 1
        if len(self.bad_rows) < BAD_ROWS_KEPT:
            self.bad_rows.append(row)


def csv_row(row: Quote | MarketTrade) -> str:
    """Write a row as the format has it."""
    time = (row.at - _EPOCH) // timedelta(milliseconds=1)
    if isinstance(row, Quote):
        return f"{time},quote,{row.bid},{row.bid_size},{row.ask},{row.ask_size},,,"
    side = next(word for word, side in _SIDES.items() if side is row.taker_side)
    return f"{time},trade,,,,,{row.price},{row.size},{side}"


def _positive(fields: list[str], index: int) -> Decimal:
    text = fields[index]
    if _DECIMAL.fullmatch(text) and (value := Decimal(text)):
        return value
    raise InputInvalid(COLUMNS[index], "a decimal number above 0", shown(text))
