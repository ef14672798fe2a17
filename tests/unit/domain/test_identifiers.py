"""Client order ids: the same for every attempt, short enough, and known as ours again."""

import re
from uuid import UUID, uuid5
from zlib import crc32

import pytest

from order_domain.model.identifiers import (
    ENVIRONMENT,
    EVENT_NAMESPACE,
    category_of,
    client_order_id,
    event_id,
    event_id_text,
    instrument_id,
    is_ours,
    may_hedge,
    order_row_id,
    symbol_of,
)
from tests.builders import a_signal_id

ARGUMENTS = ("dry", "dry:default", "trend", a_signal_id(1), 1, 0)


def test_the_same_decision_gives_the_same_id_at_every_attempt() -> None:
    assert client_order_id(*ARGUMENTS) == client_order_id(*ARGUMENTS)


def test_an_id_is_known_for_good_once_it_is_released() -> None:
    # Changing how ids are made would let an intent in the store be sent under a second id.
    assert client_order_id(*ARGUMENTS) == "om1d-fdc4a6a3fc2aa6a1454b16a6c753855"


@pytest.mark.parametrize(
    "other",
    [
        ("mainnet", *ARGUMENTS[1:]),
        ("dry", "dry:other", *ARGUMENTS[2:]),
        ("dry", "dry:default", "carry", *ARGUMENTS[3:]),
        (*ARGUMENTS[:3], a_signal_id(2), 1, 0),
        (*ARGUMENTS[:4], 2, 0),
        (*ARGUMENTS[:4], 1, 1),
    ],
    ids=["environment", "account", "strategy", "signal", "leg", "generation"],
)
def test_each_part_of_a_decision_makes_another_id(
    other: tuple[str, str, str, str, int, int],
) -> None:
    assert client_order_id(*other) != client_order_id(*ARGUMENTS)


def test_parts_do_not_run_into_each_other() -> None:
    one = client_order_id("dry", "a", "b1", "s", 1, 0)
    other = client_order_id("dry", "a", "b", "1s", 1, 0)

    assert one != other


@pytest.mark.parametrize("environment", list(ENVIRONMENT))
def test_the_exchange_takes_it_as_it_is(environment: str) -> None:
    made = client_order_id(environment, *ARGUMENTS[1:])

    assert len(made) == 36
    assert re.fullmatch(r"[A-Za-z0-9_-]+", made)
    assert made.startswith(f"om1{ENVIRONMENT[environment]}-")


def test_an_unknown_environment_makes_no_id() -> None:
    with pytest.raises(KeyError):
        client_order_id("paper", *ARGUMENTS[1:])


def test_our_own_id_is_recognised_without_a_database() -> None:
    assert all(is_ours(client_order_id(*ARGUMENTS[:4], leg, 0)) for leg in range(1, 200))


def test_one_wrong_character_at_the_end_is_not_ours() -> None:
    made = client_order_id(*ARGUMENTS)

    others = [f"{made[:-1]}{digit}" for digit in "0123456789abcdef" if digit != made[-1]]
    assert not any(is_ours(other) for other in others)


def test_most_flipped_characters_are_not_ours() -> None:
    """The check is four bits, so one changed digit in sixteen may slip through, not more."""
    made = client_order_id(*ARGUMENTS)
    flipped = [
        f"{made[:place]}{digit}{made[place + 1 :]}"
        for place in range(5, 36)
        for digit in "0123456789abcdef"
        if digit != made[place]
    ]

    slipped = sum(is_ours(other) for other in flipped)
    assert slipped < len(flipped) / 8


@pytest.mark.parametrize(
    "foreign",
    ["", "om1", "x" * 36, "OM1" + "0" * 33, "om1d-" + "0" * 30, "om1d-" + "0" * 32],
    ids=["empty", "prefix", "other software", "upper case", "too short", "too long"],
)
def test_what_other_software_sent_is_not_ours(foreign: str) -> None:
    assert is_ours(foreign) is False


def test_a_check_character_alone_does_not_make_an_id_ours() -> None:
    body = "omx" + client_order_id(*ARGUMENTS)[3:-1]

    assert not is_ours(f"{body}{crc32(body.encode()) & 15:x}")


def test_an_instrument_is_named_by_category_and_symbol() -> None:
    name = instrument_id("linear", "BTCUSDT")

    assert name == "linear:BTCUSDT"
    assert (category_of(name), symbol_of(name)) == ("linear", "BTCUSDT")


@pytest.mark.parametrize("sequence", range(-1, 40))
def test_an_event_id_is_a_version_5_uuid_of_subject_and_number(sequence: int) -> None:
    expected = uuid5(EVENT_NAMESPACE, f"om1d-1\x1f{sequence}")

    assert event_id("om1d-1", sequence) == expected
    assert event_id_text("om1d-1", sequence) == str(expected)


@pytest.mark.parametrize(
    ("category", "symbol", "may"),
    [
        ("linear", "BTCUSDT", True),
        ("linear", "BTCPERP", False),
        ("inverse", "BTCUSD", False),
        ("spot", "BTCUSDT", False),
    ],
)
def test_only_perpetuals_in_usdt_are_held_both_ways(category: str, symbol: str, may: bool) -> None:
    assert may_hedge(instrument_id(category, symbol)) is may


def test_the_row_of_an_order_is_known_by_the_event_that_never_is() -> None:
    made = client_order_id(*ARGUMENTS)

    assert order_row_id(made) == str(event_id(made, 0))


def test_an_event_published_twice_carries_the_same_id() -> None:
    one = event_id("om1d-1", 3)

    assert one == event_id("om1d-1", 3)
    assert isinstance(one, UUID)
    assert len({one, event_id("om1d-1", 4), event_id("om1d-2", 3), event_id("om1d-13", 1)}) == 4
