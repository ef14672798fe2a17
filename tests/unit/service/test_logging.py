"""Secrets never reach a log, whatever they are called and wherever they come from."""

from order_service.logging import MASK, Masking


def masked(**event: object) -> dict[str, object]:
    return dict(Masking(["hidden-1"])(None, "info", dict(event)))


def test_values_of_secret_names_are_masked() -> None:
    event = masked(api_key="x", BYBIT_API_SECRET="y", **{"X-API-Key": "z"}, password="p")

    assert set(event.values()) == {MASK}


def test_secret_values_are_masked_under_any_name() -> None:
    event = masked(event="a hidden-1 b", detail={"deep": ["hidden-1", 7]}, pair=("hidden-1",))

    assert event == {
        "event": f"a {MASK} b",
        "detail": {"deep": [MASK, 7]},
        "pair": [MASK],
    }


def test_what_is_no_secret_stays() -> None:
    assert masked(symbol="BTCUSDT", count=3) == {"symbol": "BTCUSDT", "count": 3}


def test_an_empty_secret_masks_nothing() -> None:
    assert Masking([""])(None, "info", {"event": "x"}) == {"event": "x"}


def test_a_finished_line_shows_no_secret_of_an_object_that_was_written_into_it() -> None:
    assert Masking(["hidden-1"]).line(None, "info", '{"error": "Odd(hidden-1)"}') == (
        f'{{"error": "Odd({MASK})"}}'
    )
    assert Masking(["hidden-1"]).line(None, "info", b"hidden-1") == MASK
