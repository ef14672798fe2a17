"""ServiceProcess: the real service in a process of its own, on a free port."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import httpx

KEY = "a-key-for-tests-only"
RATE = "10000"
"""Requests a second: a test looks again as soon as it has an answer."""
SIGNALS = "/api/v1/signals"
TIMEOUT_S = 30
OURS = ("ORDERMANAGER", "BYBIT", "POSTGRES", "RABBITMQ", "WS_GATEWAY")
DRY_RUN = ("--dry-run", "--store", "sqlite:///orders.sqlite")


def a_body(number: int, **changes: Any) -> dict[str, Any]:
    """A signal as the broker would bring it: buy for 1,000 USDT at the market, now."""
    return {
        "signal_id": f"00000000-0000-4000-8000-{number:012d}",
        "signal_type": "buy",
        "asset": "BTCUSDT",
        "amount": 1000,
        "confidence": 0.95,
        "timestamp": datetime.now(UTC).isoformat(),
        "strategy_id": "trend",
        "market_data_snapshot": {
            "price": 61200,
            "spread": 0.1,
            "volume_24h": 1000,
            "volatility": 0.01,
        },
    } | changes


class ServiceProcess:
    """Starts with the block, ends with it. `log` holds what it has logged so far."""

    module = "order_cli"

    def __init__(
        self, folder: Path, arguments: Sequence[str] = DRY_RUN, **environment: str
    ) -> None:
        self.folder = folder
        self._arguments = arguments
        self.log: list[dict[str, Any]] = []
        clean = {name: text for name, text in os.environ.items() if not name.startswith(OURS)}
        ours = {"ORDERMANAGER_API_KEY": KEY, "ORDERMANAGER_API_RATE": RATE}
        self._environment = clean | ours | environment
        self._process: subprocess.Popen[str] | None = None
        self.http = httpx.Client(headers={"X-API-Key": KEY}, timeout=TIMEOUT_S)

    def __enter__(self) -> Self:
        with (self.folder / "stdout").open("ab") as stdout:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self.module, "serve", "--port", "0", *self._arguments],
                cwd=self.folder,
                env=self._environment,
                stdout=stdout,
                stderr=subprocess.PIPE,
                text=True,
            )
        try:
            url = self.until("service.listening")["url"]
        except BaseException:
            self._process.kill()  # whatever it said instead: it must not outlive its test
            raise
        self.http.base_url = httpx.URL(url)
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()
        if self.process.poll() is None:
            self.process.kill()
        self.read_rest()

    @property
    def process(self) -> subprocess.Popen[str]:
        assert self._process is not None
        return self._process

    def ready(self) -> Self:
        """Wait until signals are taken."""
        self.until("service.ready")
        return self

    def until(self, event: str) -> dict[str, Any]:
        """Read the log until an event shows."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log.append(json.loads(line))
            if self.log[-1]["event"] == event:
                return self.log[-1]
        raise AssertionError(f"it ended without {event}: {self.log}")

    def read_rest(self) -> None:
        """Read the log to its end, and wait for the end of the process."""
        assert self.process.stderr is not None
        if not self.process.stderr.closed:
            # kill -9 may cut the last line
            whole = [line for line in self.process.stderr if line.endswith("\n")]
            self.log += [json.loads(line) for line in whole]
            self.process.stderr.close()
        self.process.wait(TIMEOUT_S)

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.read_rest()

    def stop(self) -> int:
        """SIGTERM; return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        self.read_rest()
        return self.process.returncode

    def send(self, body: Any) -> httpx.Response:
        """Hand a signal in."""
        if isinstance(body, bytes):
            return self.http.post(SIGNALS, content=body)
        return self.http.post(SIGNALS, json=body)

    def get(self, path: str, **parameters: Any) -> Any:
        """Read something that is there."""
        answer = self.http.get(f"/api/v1{path}", params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def filled(self, order_id: str) -> dict[str, Any]:
        """Wait for an order to be filled."""
        order = self.ended(order_id)
        assert order["status"] == "filled", order
        return order

    def ended(self, order_id: str) -> dict[str, Any]:
        """Wait for the end of an order: each look takes as long as an answer takes."""
        for _ in range(20_000):
            order: dict[str, Any] = self.get(f"/orders/{order_id}")
            if order["status"] not in ("pending", "partially_filled"):
                return order
        raise AssertionError(f"never ended: {order}")


def verify(folder: Path) -> int:
    """Run `verify` on the store; 0 when everything holds."""
    return subprocess.run(
        [sys.executable, "-m", "order_cli", "verify", "--store", "sqlite:///orders.sqlite"],
        cwd=folder,
        check=False,
        capture_output=True,
    ).returncode
