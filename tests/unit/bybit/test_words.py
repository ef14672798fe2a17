"""Vocabularies are total both ways, and what is not in them stops."""

import pytest

from order_adapters.venues.bybit import words
from order_adapters.venues.bybit.quarantine import UnknownWord
from order_adapters.venues.bybit.words import Words, reason
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

TABLES = [
    (words.CATEGORY, set(Category)),
    (words.SIDE, set(Side)),
    (words.ORDER_TYPE, set(OrderType)),
    (words.TIME_IN_FORCE, set(TimeInForce)),
    (words.ORDER_STATUS, set(VenueStatus)),
    (words.INSTRUMENT_STATUS, set(InstrumentStatus)),
    (words.POSITION_INDEX, set(PositionSide)),
    (words.EXECUTION_KIND, set(ExecutionKind) - {ExecutionKind.OPENING}),
]

DOCUMENTED = [
    (words.CATEGORY, ["linear", "inverse", "spot"]),
    (words.SIDE, ["Buy", "Sell"]),
    (words.ORDER_TYPE, ["Market", "Limit"]),
    (words.TIME_IN_FORCE, ["GTC", "IOC", "FOK", "PostOnly", "RPI"]),
    (
        words.ORDER_STATUS,
        [
            "New",
            "PartiallyFilled",
            "Untriggered",
            "Triggered",
            "Filled",
            "Cancelled",
            "PartiallyFilledCanceled",
            "Rejected",
            "Deactivated",
        ],
    ),
    (
        words.EXECUTION_KIND,
        [
            "Trade",
            "AdlTrade",
            "Funding",
            "BustTrade",
            "Delivery",
            "Settle",
            "BlockTrade",
            "MovePosition",
            "FutureSpread",
            "CorporateAction",
        ],
    ),
    (words.INSTRUMENT_STATUS, ["PreLaunch", "Trading", "Delivering", "Closed"]),
    (words.POSITION_INDEX, [0, 1, 2]),
]


@pytest.mark.parametrize(("table", "ours"), TABLES)
def test_every_member_of_ours_has_a_word_that_reads_back_as_itself(
    table: Words[str, object], ours: set[object]
) -> None:
    assert set(table.theirs) == ours
    for member in ours:
        assert table.read({"word": table.write(member)}, "word") is member


@pytest.mark.parametrize(("table", "documented"), DOCUMENTED)
def test_every_documented_word_is_understood(
    table: Words[str, object], documented: list[object]
) -> None:
    for word in documented:
        assert table.read({"word": word}, "word") in table.theirs


@pytest.mark.parametrize(("table", "ours"), TABLES)
@pytest.mark.parametrize(
    "foreign", ["", "Nonsense", "buy", " Buy", None, True, False, 7, -1, 0.0, [], {}, ["Buy"]]
)
def test_a_foreign_word_stops_with_its_name(
    table: Words[str, object], ours: set[object], foreign: object
) -> None:
    with pytest.raises(UnknownWord) as raised:
        table.read({"word": foreign}, "word")
    assert raised.value.field == "word"


def test_what_changes_hands_is_traded_and_what_is_taken_is_settled() -> None:
    def kind(word: str) -> ExecutionKind:
        return words.EXECUTION_KIND.read({"execType": word}, "execType")

    assert {kind(word) for word in ("BlockTrade", "MovePosition", "FutureSpread")} == {
        ExecutionKind.TRADE
    }
    assert {kind(word) for word in ("Delivery", "Settle", "CorporateAction")} == {
        ExecutionKind.SETTLEMENT
    }
    assert kind("BustTrade") is ExecutionKind.LIQUIDATION


def test_words_of_older_services_are_of_open_orders() -> None:
    for word in ("Created", "Active", "PendingCancel"):
        assert words.ORDER_STATUS.read({"s": word}, "s") is VenueStatus.NEW


def test_the_position_index_names_the_position_and_not_the_side_of_the_order() -> None:
    assert [words.POSITION_INDEX.write(side) for side in PositionSide] == [0, 1, 2]


@pytest.mark.parametrize("word", ["", "UNKNOWN", "EC_NoError"])
def test_words_that_say_no_reason_are_none(word: str) -> None:
    assert reason(word) == ""


def test_a_reason_we_never_heard_of_is_told_as_it_is() -> None:
    assert reason("CancelByMoonPhase") == "CancelByMoonPhase"
