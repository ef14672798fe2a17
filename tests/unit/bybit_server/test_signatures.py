"""What signs a request, and when a stamp is good."""

from datetime import UTC, datetime, timedelta

import pytest

from order_adapters.bybit_server.failures import Refused
from order_adapters.bybit_server.signatures import (
    check_window,
    core_stamp,
    is_signed,
    signature,
)

KEY, SECRET = "TESTKEY0000000001", "TESTSECRET000000000000000000000000001"
NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
STAMP = 1_767_614_400_000
MS = timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (
            "category=linear&symbol=BTCUSDT",
            "845b10e6fde3475acb2015d0cfa8c922f8e77d9b50dd654ac304ae19c72d018e",
        ),
        ("", "069d53c90fca2a7eefd2a5d0527fcfaefff7dbd435a8504db95473546410222c"),
        (
            "category=linear&cursor=a%3A1%2Cb%3A2&limit=50",
            "2001b40a8b18348c748e446fa235dc5e86d1d8924d0ec7b2cbf0d4acec0cca7b",
        ),
        (
            '{"category":"linear","symbol":"BTCUSDT","orderLinkId":"om-1"}',
            "6cd6d262e2fcec62062b2ab427b2f6ecbb3f88757f233cad064d8efe65eb86d0",
        ),
    ],
)
def test_a_request_is_signed_as_the_vectors_say(payload: str, expected: str) -> None:
    text = f"1700000000000{KEY}5000{payload}".encode()

    assert signature(SECRET, text) == expected
    assert is_signed(SECRET, text, expected)
    assert not is_signed(SECRET, text, expected.upper())
    assert not is_signed(SECRET, text, "ä")


def test_a_socket_is_signed_as_the_vector_says() -> None:
    assert (
        signature(SECRET, b"GET/realtime1700000001000")
        == "86971c3bdb5b2ae4a5f85fb2065454aa5b92b3b312cd1e3122d1a92fa76e0465"
    )


@pytest.mark.parametrize("late", [0, 5000, -999])
def test_a_stamp_within_its_window_is_taken(late: int) -> None:
    check_window(STAMP - late, 5000, NOW)


@pytest.mark.parametrize("late", [5001, -1000])
def test_a_stamp_outside_its_window_is_refused(late: int) -> None:
    with pytest.raises(Refused, match="10002"):
        check_window(STAMP - late, 5000, NOW)


def test_the_cores_own_window_ends_when_the_clients_does() -> None:
    stamped = NOW - 300 * MS

    assert core_stamp(stamped, 5000, NOW) == stamped
    assert core_stamp(stamped, 1000, NOW) == stamped - 4000 * MS
    assert core_stamp(stamped, 20_000, NOW) == NOW
    assert core_stamp(NOW + 500 * MS, 20_000, NOW) == NOW + 500 * MS
