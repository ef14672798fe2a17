"""A file of signals: every line is one delivery, whatever is in it."""

import gzip
import json
from pathlib import Path

from order_adapters.intake.signal_file import SignalFile
from order_adapters.intake.strict_json import SIZE_MAX
from order_domain.model.inputs import DeliveryInvalid, SignalDelivered

BODY = json.dumps(
    {
        "signal_id": "32c32444-a48c-4d5c-a1fe-b6249df2025f",
        "signal_type": "buy",
        "asset": "BTCUSDT",
        "amount": 100,
        "confidence": 0.5,
        "timestamp": "2024-08-08T23:54:17Z",
        "strategy_id": "momentum_v1",
        "market_data_snapshot": {"price": 61800},
    }
).encode()


def a_file(tmp_path: Path, content: bytes) -> SignalFile:
    path = tmp_path / "signals.jsonl"
    path.write_bytes(content)
    return SignalFile(path)


def test_the_line_number_is_the_delivery_number(tmp_path: Path) -> None:
    deliveries = list(a_file(tmp_path, BODY + b"\n{}\n" + BODY))

    assert [each.number for each in deliveries] == [1, 2, 3]
    assert [type(each) for each in deliveries] == [
        SignalDelivered,
        DeliveryInvalid,
        SignalDelivered,
    ]


def test_an_empty_line_is_an_invalid_delivery(tmp_path: Path) -> None:
    deliveries = list(a_file(tmp_path, b"\n" + BODY + b"\n"))

    assert [type(each) for each in deliveries] == [DeliveryInvalid, SignalDelivered]


def test_a_line_of_ten_megabytes_is_one_refusal_and_the_next_line_is_read(tmp_path: Path) -> None:
    first, second = a_file(tmp_path, b'{"a": "' + b"x" * 10_000_000 + b'"}\n' + BODY + b"\n")

    assert isinstance(first, DeliveryInvalid)
    assert first.rule == f"at most {SIZE_MAX} bytes"
    assert len(first.body) == SIZE_MAX
    assert isinstance(second, SignalDelivered)


def test_a_line_of_exactly_the_limit_is_read(tmp_path: Path) -> None:
    padded = BODY[:-1] + b" " * (SIZE_MAX - len(BODY)) + b"}"

    (delivery,) = a_file(tmp_path, b"\xef\xbb\xbf" + padded + b"\r\n")

    assert isinstance(delivery, SignalDelivered)


def test_a_packed_file_is_told_by_its_bytes(tmp_path: Path) -> None:
    assert len(list(a_file(tmp_path, gzip.compress(BODY + b"\n" + BODY)))) == 2


def test_a_cut_gzip_gives_what_was_read_and_says_so(tmp_path: Path) -> None:
    lines = b"".join(b'{"n": %d}\n' % i for i in range(20_000))
    file = a_file(tmp_path, gzip.compress(lines)[:-2_000])

    read = len(list(file))

    assert 0 < read < 20_000
    assert "gzip" in file.error
