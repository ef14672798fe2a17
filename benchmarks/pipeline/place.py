"""Where one run takes place: what every process of it is told, as JSON in its arguments."""

import json
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

KEY, SECRET = "BENCH-KEY", "BENCH-SECRET"
SYMBOLS = tuple(f"S{number:02d}USDT" for number in range(64))
PRICE, QUANTITY, AMOUNT = "100.0", "1", 100
DONE = "PIPELINE_DONE"


def told() -> dict[str, Any]:
    """What this process was told: the last argument."""
    found: dict[str, Any] = json.loads(sys.argv[-1])
    return found


def signal_body(number: int, symbol: str) -> bytes:
    """A signal as the model service sends it: at the market, the side changing from one to next."""
    now = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1e6):06d}Z"
    side = ("buy", "sell")[number // len(SYMBOLS) % 2]
    return (
        f'{{"signal_id":"00000000-0000-4000-8000-{number:012d}","signal_type":"{side}",'
        f'"asset":"{symbol}","amount":{AMOUNT},"confidence":0.95,"timestamp":"{stamp}",'
        f'"strategy_id":"s{number % 500}","model_version":"v1.2.0","is_warmup":false,'
        f'"market_data_snapshot":{{"price":{PRICE},"spread":0.1,"volume_24h":1000.5,'
        f'"volatility":0.01}}}}'
    ).encode()


def number_in(body: bytes) -> int:
    """The number of a signal, from anything that holds its id."""
    at = body.index(b"-8000-") + 6
    return int(body[at : at + 12])


def host_and_port(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "127.0.0.1", parts.port or 5672


class Timings:
    """When a process had a delivery, and when the order's bytes were handed to the socket.

    Monotonic nanoseconds: the same clock in every process of the machine.
    """

    def __init__(self) -> None:
        self.came: dict[int, int] = {}
        self.left: dict[int, int] = {}

    def told(self, numbers: range) -> list[float]:
        """Milliseconds from delivery to bytes of these signals."""
        both = [each for each in numbers if each in self.came and each in self.left]
        return [(self.left[each] - self.came[each]) / 1e6 for each in both]


def summary(values: list[float]) -> dict[str, float]:
    """Quantiles."""
    ranked = sorted(values)
    if not ranked:
        return {}
    last = len(ranked) - 1
    return {
        "p50": ranked[min(last, len(ranked) // 2)],
        "p99": ranked[min(last, len(ranked) * 99 // 100)],
        "n": float(len(ranked)),
    }


def cpu_ns(pid: int) -> int:
    """CPU time of a process so far, all its threads, nanoseconds."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text(encoding="ascii").split()[0])
    return total
