"""`python -m benchmarks.peers`: the peers alone, printed and kept for the report."""

import argparse

from benchmarks import report, results
from benchmarks.peers import runner


def main() -> None:
    """Install what is missing, measure, print, keep."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=main.__doc__)
    words.add_argument("--rounds", type=int, default=5)
    series, faults = runner.measure(words.parse_args().rounds)
    print(report.table(series))
    for name, fault in faults.items():
        print(f"{name} could not be measured: {fault}")
    results.keep("peers", {"series": results.rows_of(series), "faults": faults})
    report.write()


if __name__ == "__main__":
    main()
