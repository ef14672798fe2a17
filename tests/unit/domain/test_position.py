"""Positions: every way an execution changes one, for linear, inverse and spot."""

import pytest

from order_domain.model.enums import ExecutionKind, PositionSide, Side
from order_domain.model.identifiers import InstrumentId
from order_domain.model.position import Position, PositionSnapshot
from tests.builders import BTC, NOW, D, a_position, an_execution, seconds

INVERSE = InstrumentId("inverse:BTCUSD")
LATER = NOW + seconds(5)


def flat(instrument_id: InstrumentId = BTC) -> Position:
    return Position.flat(instrument_id, PositionSide.BOTH, NOW)


def test_the_first_buy_opens_a_long_position() -> None:
    position, realized = flat().booked(an_execution(price=D(50000), quantity=D("0.02")), LATER)

    assert position.size == D("0.02")
    assert position.entry_value == D(1000)
    assert position.average_price == D(50000)
    assert position.opened_at == LATER
    assert position.version == 1
    assert realized == 0


def test_the_first_sell_opens_a_short_position() -> None:
    position, _ = flat().booked(an_execution(side=Side.SELL, quantity=D("0.02")), LATER)

    assert position.size == D("-0.02")
    assert position.entry_value == D(1000)


def test_buying_more_averages_the_price() -> None:
    position, realized = a_position(size=D(1), entry_value=D(100)).booked(
        an_execution(price=D(200), quantity=D(3)), LATER
    )

    assert position.size == D(4)
    assert position.average_price == D(175)
    assert position.opened_at == NOW
    assert realized == 0


def test_a_reduction_takes_its_share_of_the_entry_value() -> None:
    position, realized = a_position(size=D(4), entry_value=D(400)).booked(
        an_execution(side=Side.SELL, price=D(120), quantity=D(1)), LATER
    )

    assert position.size == D(3)
    assert position.entry_value == D(300)
    assert realized == position.realized_pnl == D(20)
    assert position.opened_at == NOW


def test_a_short_position_gains_when_it_is_bought_back_lower() -> None:
    position, realized = a_position(size=D(-4), entry_value=D(400)).booked(
        an_execution(side=Side.BUY, price=D(80), quantity=D(1)), LATER
    )

    assert position.size == D(-3)
    assert realized == D(20)


@pytest.mark.parametrize(("size", "side"), [("0.5", Side.SELL), ("-0.5", Side.BUY)])
def test_less_than_one_unit_gains_like_any_other_size(size: str, side: Side) -> None:
    held = a_position(size=D(size), entry_value=D(50))
    sign = 1 if side is Side.SELL else -1

    reduced, realized = held.booked(
        an_execution(side=side, price=D(100) + 20 * sign, quantity=D("0.25")), LATER
    )

    assert held.unrealized_pnl(D(100) + 20 * sign) == D(10)
    assert reduced.size == D("0.25") * sign
    assert realized == D(5)


def test_closing_all_takes_every_digit_of_the_entry_value() -> None:
    held = a_position(size=D(3), entry_value=D("100.0000000000000001"))

    closed, realized = held.booked(an_execution(side=Side.SELL, price=D(50), quantity=D(3)), LATER)

    assert closed.entry_value == 0
    assert realized == D("49.9999999999999999")


def test_closing_to_zero_leaves_nothing_behind() -> None:
    third, _ = a_position(size=D(3), entry_value=D(100)).booked(
        an_execution(side=Side.SELL, price=D(50), quantity=D(1)), LATER
    )
    closed, _ = third.booked(an_execution(side=Side.SELL, price=D(50), quantity=D(2)), LATER)

    assert closed.size == 0
    assert closed.entry_value == 0
    assert closed.average_price is None
    assert closed.opened_at is None
    assert closed.realized_pnl == D(50)


@pytest.mark.parametrize(("side", "sign"), [(Side.SELL, 1), (Side.BUY, -1)])
def test_what_crosses_zero_opens_the_other_way_at_its_own_price(side: Side, sign: int) -> None:
    position, realized = a_position(size=D(2) * sign, entry_value=D(200)).booked(
        an_execution(side=side, price=D(110), quantity=D(5)), LATER
    )

    assert position.size == D(-3) * sign
    assert position.entry_value == D(330)
    assert position.opened_at == LATER
    assert realized == D(20) * sign


def test_inverse_positions_are_valued_in_base_units() -> None:
    opened, _ = flat(INVERSE).booked(
        an_execution(instrument_id=INVERSE, price=D(50000), quantity=D(100)), LATER
    )

    assert opened.entry_value == D("0.002")
    assert opened.average_price == D(50000)
    assert opened.unrealized_pnl(D(100_000)) == D("0.001")


@pytest.mark.parametrize(("side", "gain"), [(Side.BUY, D("0.001")), (Side.SELL, D("-0.001"))])
def test_an_inverse_long_gains_when_the_price_rises_and_a_short_loses(
    side: Side, gain: object
) -> None:
    opened, _ = flat(INVERSE).booked(
        an_execution(instrument_id=INVERSE, side=side, price=D(50000), quantity=D(100)), LATER
    )

    closed, realized = opened.booked(
        an_execution(instrument_id=INVERSE, side=side.opposite, price=D(100_000), quantity=D(100)),
        LATER,
    )

    assert realized == gain
    assert closed.size == closed.entry_value == 0


@pytest.mark.parametrize(("size", "pnl"), [("2", "20"), ("-2", "-20"), ("0", "0")])
def test_the_open_size_is_valued_at_a_mark(size: str, pnl: str) -> None:
    position = a_position(size=D(size), entry_value=abs(D(size)) * 100)

    assert position.unrealized_pnl(D(110)) == D(pnl)


def test_fees_are_kept_by_the_coin_they_were_paid_in() -> None:
    position = flat()
    for coin, fee in (("USDT", "0.5"), ("BNB", "0.001"), ("USDT", "-0.2")):
        position, _ = position.booked(an_execution(fee_coin=coin, fee=D(fee)), LATER)

    assert position.fees == {"USDT": D("0.3"), "BNB": D("0.001")}


def test_an_execution_without_a_fee_names_no_coin() -> None:
    position, _ = flat().booked(an_execution(fee=D(0), fee_coin=""), LATER)

    assert position.fees == {}


def test_fees_do_not_touch_the_realised_result() -> None:
    opened, _ = flat().booked(an_execution(fee=D(5)), LATER)
    closed, realized = opened.booked(an_execution(side=Side.SELL, fee=D(5)), LATER)

    assert realized == closed.realized_pnl == 0


@pytest.mark.parametrize(("paid", "funding"), [("3", "5"), ("-3", "-1")])
def test_funding_changes_neither_size_nor_entry_nor_fees(paid: str, funding: str) -> None:
    before = a_position(funding=D(2), fees={"USDT": D(1)})

    after, realized = before.booked(
        an_execution(kind=ExecutionKind.FUNDING, quantity=D(0), fee=D(paid)), LATER
    )

    assert after.funding == D(funding)
    assert (after.size, after.entry_value, after.fees) == (
        before.size,
        before.entry_value,
        before.fees,
    )
    assert after.version == before.version + 1
    assert realized == 0


@pytest.mark.parametrize(
    "kind", [ExecutionKind.ADL, ExecutionKind.LIQUIDATION, ExecutionKind.SETTLEMENT]
)
def test_forced_reductions_realise_like_trades(kind: ExecutionKind) -> None:
    position, realized = a_position(size=D(2), entry_value=D(200)).booked(
        an_execution(side=Side.SELL, price=D(90), quantity=D(2), kind=kind), LATER
    )

    assert position.size == 0
    assert realized == D(-20)


def test_a_version_handed_out_is_not_changed_by_the_next_one() -> None:
    before = a_position(fees={"USDT": D(1)})

    before.booked(an_execution(), LATER)

    assert before == a_position(fees={"USDT": D(1)})


@pytest.mark.parametrize("kept", [Position, PositionSnapshot])
def test_versions_that_are_kept_by_the_thousand_hold_their_fields_and_no_more(kept: type) -> None:
    assert "__dict__" not in dir(kept)
