"""A market file: good rows become quotes and trades, bad ones are told and passed over."""

import gzip
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from order_adapters.intake.invalid import InputInvalid
from order_adapters.intake.market_csv import HEADER, BadRow, MarketFile
from order_adapters.simulator.trade import MarketTrade
from order_domain.model.enums import Side
from order_domain.model.identifiers import InstrumentId
from order_domain.model.quote import Quote

D = Decimal
BTC = InstrumentId("linear:BTCUSDT")
AT = datetime(2024, 8, 8, 23, 54, 16, 313000, tzinfo=UTC)
QUOTE = "1723161256313,quote,61800.20,2.507,61800.30,2.510,,,"
TRADE = "1723161256313,trade,,,,,61800.30,0.006,buy"


def a_file(tmp_path: Path, *rows: str) -> MarketFile:
    path = tmp_path / "market.csv"
    path.write_text("\n".join((HEADER, *rows)) + "\n")
    return MarketFile(path, BTC)


def test_a_quote_row_becomes_a_quote_with_its_exact_numbers(tmp_path: Path) -> None:
    (quote,) = a_file(tmp_path, QUOTE)

    assert quote == Quote(BTC, D("61800.20"), D("2.507"), D("61800.30"), D("2.510"), AT)


def test_a_trade_row_becomes_a_trade_with_the_side_that_took(tmp_path: Path) -> None:
    (trade,) = a_file(tmp_path, TRADE)

    assert trade == MarketTrade(BTC, D("61800.30"), D("0.006"), Side.BUY, AT)


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("", "row"),
        ("1723161256313,quote,1,1,2,2,,", "row"),
        (QUOTE + ",1", "row"),
        (QUOTE + "x" * 2_000, "row"),
        ("yesterday,quote,1,1,2,2,,,", "exchange_time_ms"),
        ("1723161256312,quote,1,1,2,2,,,", "exchange_time_ms"),
        ("9999999999999,quote,1,1,2,2,,,", "exchange_time_ms"),
        ("1723161256313,book,1,1,2,2,,,", "kind"),
        ("1723161256313,quote,NaN,1,2,2,,,", "bid"),
        ("1723161256313,quote,1,0,2,2,,,", "bid_size"),
        ("1723161256313,quote,1,1,1e400,2,,,", "ask"),
        ("1723161256313,quote,1,1,2,-2,,,", "ask_size"),
        ("1723161256313,quote,2,1,2,2,,,", "ask"),
        ("1723161256313,quote,3,1,2,2,,,", "ask"),
        ("1723161256313,trade,,,,,,1,buy", "price"),
        ("1723161256313,trade,,,,,1,\u0661,buy", "size"),
        ("1723161256313,trade,,,,,1,1,BUY", "taker_side"),
    ],
)
def test_a_bad_row_is_told_by_line_and_field_and_the_next_is_read(
    tmp_path: Path, row: str, field: str
) -> None:
    file = a_file(tmp_path, QUOTE, row, TRADE)

    read = list(file)

    assert len(read) == file.rows == 2
    assert file.bad == 1
    assert [(bad.line, bad.field) for bad in file.bad_rows] == [(3, field)]


def test_a_trade_that_lags_behind_the_quotes_happens_when_it_is_read(tmp_path: Path) -> None:
    _, trade = a_file(tmp_path, QUOTE, "1723161256303,trade,,,,,61800.30,0.006,buy")

    assert trade.at == AT


def test_a_row_that_lags_more_than_a_second_is_bad(tmp_path: Path) -> None:
    file = a_file(tmp_path, QUOTE, "1723161255312,trade,,,,,61800.30,0.006,buy")

    assert len(list(file)) == 1
    assert file.bad_rows[0].rule == "not before 1723161255313"


def test_a_bad_row_says_rule_and_value(tmp_path: Path) -> None:
    file = a_file(tmp_path, "1723161256313,quote,-1,1,2,2,,,")

    assert list(file) == []
    assert file.bad_rows == [BadRow(2, "bid", "a decimal number above 0", "-1")]


def test_rows_that_are_no_utf_8_are_bad_rows(tmp_path: Path) -> None:
    path = tmp_path / "market.csv"
    path.write_bytes(HEADER.encode() + b"\n\xff\xfe\n" + QUOTE.encode())
    file = MarketFile(path, BTC)

    assert len(list(file)) == 1
    assert file.bad_rows[0].value == "\\xff\\xfe"


def test_a_file_without_the_header_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "market.csv"
    path.write_text(QUOTE)

    with pytest.raises(InputInvalid, match="header"):
        list(MarketFile(path, BTC))


def test_a_cut_gzip_gives_what_was_read_and_says_so(tmp_path: Path) -> None:
    rows = "".join(f"{1723161256313 + i},quote,1,1,2,{i + 1},,,\n" for i in range(20_000))
    path = tmp_path / "market.csv.gz"
    path.write_bytes(gzip.compress(f"{HEADER}\n{rows}".encode())[:-3_000])
    file = MarketFile(path, BTC)

    read = len(list(file))

    assert 0 < read < 20_000
    assert file.bad <= 1
    assert "gzip" in file.error


def test_a_file_may_be_read_twice(tmp_path: Path) -> None:
    file = a_file(tmp_path, QUOTE, "bad", TRADE)

    assert list(file) == list(file)
    assert (file.rows, file.bad) == (2, 1)


def test_tick_and_step_are_inferred_from_what_the_market_shows(tmp_path: Path) -> None:
    grid = a_file(
        tmp_path, QUOTE, "1723161256313,quote,61800.10,2.507,61800.30,2.511,,,", TRADE
    ).grid()

    assert grid is not None
    assert (grid.tick_size, grid.quantity_step, grid.rows) == (D("0.1"), D("0.001"), 3)


def test_nothing_is_inferred_from_an_empty_market(tmp_path: Path) -> None:
    assert a_file(tmp_path).grid() is None


def test_the_recorded_market_is_read_whole(shared_data: Path) -> None:
    (path,) = (shared_data / "market-data").glob("btcusdt-*.csv.gz")
    file = MarketFile(path, BTC)

    rows = list(file)

    assert sum(isinstance(row, Quote) for row in rows) == 66_089
    assert sum(isinstance(row, MarketTrade) for row in rows) == 21_313
    assert file.bad == 0
    assert not file.error
