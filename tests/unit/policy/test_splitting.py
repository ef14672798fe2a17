"""Splitting: equal parts whose sum is exact."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from order_domain.policy.splitting import split
from order_domain.risk.base import legs_needed
from tests.builders import D

STEP = D("0.001")


def test_what_does_not_divide_goes_to_the_first_parts() -> None:
    assert split(D("0.011"), 3, STEP) == [D("0.004"), D("0.004"), D("0.003")]


def test_one_part_is_the_whole() -> None:
    assert split(D("0.011"), 1, STEP) == [D("0.011")]


def test_the_fewest_parts_are_taken() -> None:
    needed = [legs_needed(D(quantity), D("0.1")) for quantity in ("0.1", "0.101", "0.2", "0.201")]

    assert needed == [1, 2, 2, 3]


def test_no_size_at_all_is_one_part() -> None:
    assert legs_needed(D(1), D(0)) == 1


@given(steps=st.integers(1, 10**6), largest=st.integers(10**4, 10**6))
def test_parts_are_equal_up_to_a_step_within_the_largest_and_sum_exactly(
    steps: int, largest: int
) -> None:
    quantity, most = Decimal(steps) * STEP, Decimal(largest) * STEP
    legs = legs_needed(quantity, most)
    parts = split(quantity, legs, STEP)

    assert sum(parts) == quantity
    assert max(parts) <= most
    assert max(parts) - min(parts) <= STEP
    assert legs == 1 or (legs - 1) * most < quantity
