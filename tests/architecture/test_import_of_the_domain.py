"""A backtester imports the domain alone: quick, and nothing but the standard library and attrs."""

import json
import os
import subprocess
import sys

OWN = {"attr", "attrs", "order_domain"}
RUNS = 7
MICROSECONDS_MAX = 100_000

LOADED_BY_EVERY_MODULE = """
import sys
before = set(sys.modules)
import importlib, json, pkgutil
import order_domain
for module in pkgutil.walk_packages(order_domain.__path__, "order_domain."):
    importlib.import_module(module.name)
print(json.dumps(sorted({name.partition(".")[0] for name in set(sys.modules) - before})))
"""


def run_python(*arguments: str) -> subprocess.CompletedProcess[str]:
    # Coverage of subprocesses would load itself and slow the clock.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("COV")}
    return subprocess.run(
        [sys.executable, *arguments], check=True, capture_output=True, text=True, env=environment
    )


def microseconds_to_import(module: str) -> int:
    """Read the cumulative time of one module from `-X importtime`, in a fresh process."""
    report = run_python("-X", "importtime", "-c", f"import {module}").stderr
    rows = [line.split("|") for line in report.splitlines()]
    return next(int(row[1]) for row in rows if len(row) == 3 and row[2].strip() == module)


def test_the_domain_loads_nothing_outside_the_standard_library_and_attrs() -> None:
    loaded = set(json.loads(run_python("-c", LOADED_BY_EVERY_MODULE).stdout))

    assert "order_domain" in loaded
    assert loaded - OWN - sys.stdlib_module_names == set()


def test_the_domain_is_imported_within_100_milliseconds() -> None:
    # The best of several: a busy machine makes a run slower, never faster.
    best = min(microseconds_to_import("order_domain") for _ in range(RUNS))

    assert best < MICROSECONDS_MAX
