"""Positions against an oracle in fractions: any executions, any order, any mark."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import permutations

import attrs
from hypothesis import given
from hypothesis import strategies as st

from order_domain.model.enums import ExecutionKind, PositionSide, Side
from order_domain.model.execution import Execution
from order_domain.model.identifiers import ExecutionId, InstrumentId
from order_domain.model.position import Position
from tests.builders import BTC, NOW, D, an_execution

INVERSE = InstrumentId("inverse:BTCUSD")
SPOT = InstrumentId("spot:BTCUSDT")
PRICES = st.decimals(min_value=D("0.1"), max_value=D(100_000), places=1)
QUANTITIES = st.decimals(min_value=D("0.001"), max_value=D(10), places=3)
FEES = st.decimals(min_value=D(-1), max_value=D(1), places=6)
ROUNDING = Fraction(1, 10**9)
"""Each reduction rounds its share of the entry value to 1e-12."""


@st.composite
def trades(
    draw: st.DrawFn, *, instrument_id: InstrumentId = BTC, largest: int = 12
) -> list[Execution]:
    count = draw(st.integers(0, largest))
    return [
        an_execution(
            exec_id=ExecutionId(f"e{number}"),
            instrument_id=instrument_id,
            side=draw(st.sampled_from(Side)),
            price=draw(PRICES),
            quantity=draw(QUANTITIES),
            fee=draw(FEES),
            fee_coin=draw(st.sampled_from(["USDT", "BTC", "BNB"])),
        )
        for number in range(count)
    ]


def signed(execution: Execution) -> Fraction:
    quantity = Fraction(execution.quantity)
    return quantity if execution.side is Side.BUY else -quantity


def folded(executions: Sequence[Execution], instrument_id: InstrumentId = BTC) -> Position:
    position = Position.flat(instrument_id, PositionSide.BOTH, NOW)
    for execution in executions:
        position, _ = position.booked(execution, NOW)
    return position


def equity(executions: Sequence[Execution], mark: Decimal) -> Fraction:
    """What is left when all is paid for and the rest is sold at the mark: no averages."""
    return sum(
        (
            signed(execution) * (Fraction(mark) - Fraction(execution.price))
            for execution in executions
        ),
        Fraction(0),
    )


def inverse_equity(executions: Sequence[Execution], mark: Decimal) -> Fraction:
    return sum(
        (
            signed(execution) * (1 / Fraction(execution.price) - 1 / Fraction(mark))
            for execution in executions
        ),
        Fraction(0),
    )


@given(executions=trades(), mark=PRICES)
def test_realised_and_unrealised_add_up_to_what_the_trades_made(
    executions: list[Execution], mark: Decimal
) -> None:
    position = folded(executions)

    total = Fraction(position.realized_pnl) + Fraction(position.unrealized_pnl(mark))
    assert abs(total - equity(executions, mark)) < ROUNDING


@given(executions=trades(instrument_id=INVERSE), mark=PRICES)
def test_the_same_holds_for_inverse_contracts_in_base_units(
    executions: list[Execution], mark: Decimal
) -> None:
    position = folded(executions, INVERSE)

    total = Fraction(position.realized_pnl) + Fraction(position.unrealized_pnl(mark))
    assert abs(total - inverse_equity(executions, mark)) < ROUNDING


@given(executions=trades(instrument_id=SPOT))
def test_size_is_the_signed_sum_and_entry_value_is_never_negative(
    executions: list[Execution],
) -> None:
    position = folded(executions, SPOT)

    assert Fraction(position.size) == sum(map(signed, executions), Fraction(0))
    assert position.entry_value >= 0
    assert (position.size == 0) == (position.entry_value == 0)
    assert (position.opened_at is None) == (position.size == 0)


@given(executions=trades(largest=4), mark=PRICES)
def test_equity_and_fees_do_not_depend_on_the_order_of_executions(
    executions: list[Execution], mark: Decimal
) -> None:
    first = folded(executions)
    total = Fraction(first.realized_pnl) + Fraction(first.unrealized_pnl(mark))

    for other in permutations(executions):
        position = folded(other)
        again = Fraction(position.realized_pnl) + Fraction(position.unrealized_pnl(mark))
        assert abs(again - total) < ROUNDING
        assert position.size == first.size
        assert position.fees == first.fees
        assert position.version == len(executions)


@given(executions=trades())
def test_what_each_execution_realised_sums_up_to_the_position(executions: list[Execution]) -> None:
    position, total = Position.flat(BTC, PositionSide.BOTH, NOW), D(0)
    for execution in executions:
        position, realized = position.booked(execution, NOW)
        total += realized

    assert total == position.realized_pnl


@given(executions=trades(), funding=st.lists(FEES, max_size=5))
def test_funding_is_kept_apart_from_trading(
    executions: list[Execution], funding: list[Decimal]
) -> None:
    paid = [an_execution(kind=ExecutionKind.FUNDING, quantity=D(0), fee=fee) for fee in funding]

    with_funding = folded([*executions, *paid])

    assert with_funding.funding == sum(funding, D(0))
    assert attrs.evolve(with_funding, funding=D(0), version=len(executions)) == folded(executions)


@given(executions=trades())
def test_long_and_short_of_a_hedged_account_fold_apart_and_add_up(
    executions: list[Execution],
) -> None:
    """Each order works on the side it names, so the two positions together are the one-way size."""
    sides = {PositionSide.LONG: D(0), PositionSide.SHORT: D(0)}
    positions = {side: Position.flat(BTC, side, NOW) for side in sides}
    for number, execution in enumerate(executions):
        side = PositionSide.LONG if number % 2 else PositionSide.SHORT
        positions[side], _ = positions[side].booked(
            attrs.evolve(execution, position_side=side), NOW
        )

    assert sum(position.size for position in positions.values()) == folded(executions).size
