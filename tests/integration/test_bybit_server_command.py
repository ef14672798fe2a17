"""`order-manager simulator serve` as a process."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from order_adapters.intake.market_csv import HEADER

RUN = [sys.executable, "-m", "order_cli", "simulator", "serve"]
MARKET = f"""{HEADER}
1767614400000,quote,50000,3,50000.1,4,,,
1767614400100,trade,,,,,50000,0.5,sell
1767614460000,quote,50010,3,50010.1,4,,,
"""


@contextmanager
def serving(*options: str) -> Iterator[tuple[httpx.Client, str]]:
    """The running command, a client of it, and what it said at its start."""
    with subprocess.Popen(
        [*RUN, "--port", "0", *options], stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        said = ""
        while "USDT" not in said:
            said += run.stdout.readline()
            assert run.poll() is None, said
        url = re.search(r"http://\S+", said)
        assert url is not None
        with httpx.Client(base_url=url[0], verify=False) as client:
            yield client, said
        run.send_signal(signal.SIGTERM)
        assert run.wait(20) == 0


def test_it_serves_a_recorded_market_to_the_accounts_of_a_file(tmp_path: Path) -> None:
    market, accounts, faults = (tmp_path / name for name in ("m.csv", "a.json", "f.jsonl"))
    market.write_text(MARKET)
    accounts.write_text(json.dumps([{"api_key": "K1", "secret": "S1", "balances": {"USDT": "5"}}]))
    faults.write_text('{"fault": "clock_skew", "by_ms": 3600000}\n')
    files = ("--market", str(market), "--accounts", str(accounts), "--faults", str(faults))
    with serving(*files, "--admin", "--speed", "0.001") as (client, said):
        path = "/v5/market/tickers?category={}&symbol=BTCUSDT"
        tickers = [
            client.get(path.format(category)).json()["result"]["list"][0]
            for category in ("linear", "spot")
        ]
        state = client.get("/admin/state").json()

    assert "key K1 secret S1" in said
    assert [ticker["bid1Price"] for ticker in tickers] == ["50000", "50000"]
    assert state["wallets"] == [{"coin": "USDT", "total": "5"}]


def test_without_files_it_has_a_market_an_account_and_no_admin() -> None:
    with serving("--seed", "3") as (client, said):
        listed = client.get("/v5/market/tickers?category=linear").json()["result"]["list"]
        assert client.get("/admin/state").status_code == 404

    assert {row["symbol"] for row in listed} == {"BTCUSDT", "ETHUSDT", "SOLUSDT", "BTCPERP"}
    assert "one-way, linear, inverse, spot" in said


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--market", "missing.csv"], "market: must be a file"),
        (["--market", "NOPE=missing.csv"], "market: must be one of"),
        (["--accounts", "missing.json"], "missing.json"),
        (["--faults", "missing.jsonl"], "missing.jsonl"),
        (["--speed", "0"], "--speed"),
    ],
    ids=lambda value: "" if isinstance(value, str) else "=".join(value),
)
def test_a_choice_that_breaks_a_rule_is_told_in_one_line(options: list[str], text: str) -> None:
    run = subprocess.run([*RUN, *options], capture_output=True, text=True, check=False, timeout=60)

    assert run.returncode == 2
    assert text in run.stderr
    assert len(run.stderr.splitlines()) == 1
