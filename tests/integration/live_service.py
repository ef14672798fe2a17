"""A live service as its user runs it: processes, settings, a local Bybit, a real PostgreSQL."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

import httpx

from tests.integration.service_process import ServiceProcess

KEY, SECRET = "LIVE-TEST-KEY", "LIVE-TEST-SECRET"
LIVE: Sequence[str] = ()


class LocalBybit:
    """`order-manager simulator serve` with one account, and its truth by the admin."""

    def __init__(self, url: str, key: str = KEY, secret: str = SECRET) -> None:
        self.url = url
        self.key, self.secret = key, secret
        self.http = httpx.Client(base_url=url, timeout=10)

    @property
    def settings(self) -> dict[str, str]:
        """What a service needs to trade on it."""
        return {
            "BYBIT_API_KEY": self.key,
            "BYBIT_API_SECRET": self.secret,
            "BYBIT_ENVIRONMENT": "custom",
            "BYBIT_REST_URL": self.url,
            "BYBIT_STREAM_URL": self.url.replace("http", "ws"),
            "BYBIT_SYMBOLS": "BTCUSDT",
            "ORDERMANAGER_BUS": "in-process",
        }

    def state(self) -> dict[str, Any]:
        """Everything of the account."""
        answer = self.http.get("/admin/state")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def post(self, path: str, **body: Any) -> Any:
        """Ask something of the admin."""
        answer = self.http.post(f"/admin/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()


@contextmanager
def local_bybit(
    folder: Path, *options: str, key: str = KEY, secret: str = SECRET
) -> Iterator[LocalBybit]:
    """The exchange in a process of its own, for as long as the block runs."""
    accounts = folder / "accounts.json"
    accounts.write_text(
        json.dumps([{"api_key": key, "secret": secret, "balances": {"USDT": "100000"}}])
    )
    command = [sys.executable, "-m", "order_cli", "simulator", "serve", "--port", "0", "--admin"]
    with subprocess.Popen(
        [*command, "--accounts", str(accounts), *options], stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        said = ""
        while "USDT" not in said:
            said += run.stdout.readline()
            assert run.poll() is None, said
        url = re.search(r"http://\S+", said)
        assert url is not None
        bybit = LocalBybit(url[0], key, secret)
        try:
            yield bybit
        finally:
            bybit.http.close()
            run.send_signal(signal.SIGTERM)
            run.wait(20)


class LiveService(ServiceProcess):
    """The service, trading on a local Bybit."""

    def __init__(self, folder: Path, bybit: LocalBybit, store: str, **environment: str) -> None:
        settings = bybit.settings | {"ORDERMANAGER_STORE_URL": store} | environment
        super().__init__(folder, LIVE, **settings)

    def __enter__(self) -> Self:
        super().__enter__()
        return self

    def ready(self) -> Self:
        """Wait until it says so itself: broker, store and exchange are there."""
        super().ready()
        until(lambda: self.http.get("/ready").status_code == 200)
        return self

    def position(self) -> Decimal:
        """Size of the BTCUSDT position by our books."""
        found = self.get("/positions")["positions"]
        return sum((Decimal(each["size"]) for each in found), Decimal(0))


def until(holds: Any, seconds: float = 20) -> None:
    """Look again and again; the end of the wait is a failure, never a measurement."""
    ends_at = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends_at, "it never came true"
        time.sleep(0.05)
