"""What came along with a request is taken if it is sound, and left out if it is not."""

from uuid import UUID

import pytest

from order_domain.model.trace import NO_TRACE, Trace, span_id_of, trace_id_of, traceparent_of

ID = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{ID}-00f067aa0ba902b7-01"


@pytest.mark.parametrize(
    ("given", "parent", "trace"),
    [
        ("mine-1", "", Trace("mine-1")),
        ("", PARENT, Trace(ID, PARENT)),
        ("mine-1", PARENT, Trace("mine-1", PARENT)),
        ("mine-1", None, Trace("mine-1")),
        (None, f"01-{ID}-00f067aa0ba902b7-01-more", Trace(ID, f"01-{ID}-00f067aa0ba902b7-01-more")),
    ],
)
def test_our_own_id_names_it_and_else_that_of_the_caller(
    given: object, parent: object, trace: Trace
) -> None:
    assert Trace.of(given, parent) == trace


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "é", "line\nbreak", 5, b"bytes", None])
def test_an_id_that_does_not_belong_into_a_log_is_none(given: object) -> None:
    assert Trace.of(given, None) == NO_TRACE


@pytest.mark.parametrize(
    "parent",
    [
        "",
        "nonsense",
        PARENT.upper(),
        PARENT.replace("00-", "ff-", 1),
        PARENT.replace(ID, "0" * 32),
        PARENT.replace("00f067aa0ba902b7", "0" * 16),
        PARENT.removesuffix("-01"),
        PARENT + "x" * 100,
        7,
    ],
)
def test_a_parent_that_the_w3c_would_not_know_is_none(parent: object) -> None:
    assert Trace.of(None, parent) == NO_TRACE


def test_an_id_of_32_hex_digits_is_kept_and_any_other_text_has_its_own() -> None:
    assert trace_id_of(ID) == trace_id_of(ID.upper()) == trace_id_of(str(UUID(ID)))
    assert f"{trace_id_of(ID):032x}" == ID
    assert len({trace_id_of(each) for each in ("a", "b", "0" * 32, ID[:-1])}) == 4


def test_what_an_event_carries_is_a_parent_that_the_w3c_knows() -> None:
    event_id = "6ba7b810-9dad-51d1-80b4-00c04fd430c8"
    made = traceparent_of("trace-7", event_id)

    assert span_id_of(event_id) == 0x80B400C04FD430C8
    assert Trace.of(None, made) == Trace(f"{trace_id_of('trace-7'):032x}", made)
