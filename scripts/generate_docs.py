"""Writes the pages of `docs/` that are made from code, so that page and code cannot differ."""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from order_cli import reference
from order_domain.codes import Code
from order_domain.invariants import NAMES
from order_domain.lifecycle import to_mermaid
from order_domain.notes import Note
from order_domain.risk import RULES
from order_domain.risk.base import Rule
from order_service.runtime.crash import POINTS
from order_service.settings import pages
from scripts.invariant_places import places

ROOT: Final = Path(__file__).resolve().parents[1]


def reason_codes() -> str:
    """Every code with the text a person reads."""
    rows = [f"| `{code}` | {code.text} |" for code in Code]
    return "\n".join(
        [
            "# Reason codes",
            "",
            "Why a signal or an order was denied, a delivery refused, an order cancelled.",
            "The codes are stable: scripts may rely on them. Made by `make docs` from `codes.py`.",
            "",
            "| code | meaning |",
            "|---|---|",
            *rows,
            "",
        ]
    )


def risk_rules() -> str:
    """Every rule in its order, with what it binds, and the notes beside them in a trace."""
    rows = [
        f"| {number} | {_asked(rule)} | {_codes(rule.codes)} |"
        f" {_mark(rule.cap is not None)} | {_mark(rule.binds_reductions)} |"
        f" {_mark(rule.binds_again)} |"
        for number, rule in enumerate(RULES, start=1)
    ]
    return "\n".join(
        [
            "# Risk rules",
            "",
            "Asked in this order; the first that fails gives the reason. *Resizes*: where",
            "`ENABLE_ORDER_SIZE_REDUCTION` is on, the order shrinks to what the rule allows.",
            "*Reductions*: it also binds orders that only reduce a position. *Again*: it is also",
            "asked when a waiting order is about to be sent. Made by `make docs` from the rules.",
            "",
            "| | rule | what it asks | codes | resizes | reductions | again |",
            "|---|---|---|---|---|---|---|",
            *rows,
            "",
            "## Notes",
            "",
            "What a trace tells besides its checks.",
            "",
            "| note | meaning |",
            "|---|---|",
            *[f"| `{note}` | {note.text} |" for note in Note],
            "",
        ]
    )


def _asked(rule: Rule) -> str:
    """The rule's file, and what its first line says."""
    module = sys.modules[rule.check.__module__]
    name = module.__name__.rpartition(".")[2]
    return f"`{name}` | {(module.__doc__ or '').partition(chr(10))[0]}"


def _codes(codes: tuple[Code, ...]) -> str:
    return ", ".join(f"`{code}`" for code in codes)


def _mark(applies: bool) -> str:
    return "yes" if applies else ""


def lifecycle() -> str:
    """The transition table as a diagram that GitHub draws."""
    return "\n".join(
        [
            "# Life of an order",
            "",
            "Every status an order can have, and what leads from one to the next. What is absorbed",
            "(taken note of without a change of status) is left out; `_BY_US` and `_BY_ANSWER`",
            "mark ends that a later report overrules. Made by `make docs` from `lifecycle.py`.",
            "",
            "```mermaid",
            f"{to_mermaid()}```",
            "",
        ]
    )


def invariants() -> str:
    """Every claim, and who checks it."""
    rows = [f"| {code} | {claim} | {places(code)} |" for code, claim in NAMES.items()]
    return "\n".join(
        [
            "# Invariants",
            "",
            "What must hold whatever happens, and where that is checked. *Simulation*: at every",
            "moment and at the end of every seed ([simulation](../explanation/simulation.md)).",
            "*Matrix*: after every kill of the [crash matrix](../explanation/crash-matrix.md).",
            "*Verify*: by `order-manager verify` and at the end of every replay. *Auditor*: beside",
            "every live service, every `ORDERMANAGER_AUDIT_INTERVAL` seconds; what it finds sets",
            "the cause AUDIT (REDUCE_ONLY), which a person lifts, and shows in log, `/health` and",
            "`order_manager_invariants_broken`. Made by `make docs` from the code.",
            "",
            "The auditor judges the past in turns, a page of events a round. Some of it only",
            "from when it began: claims in spite of a halt that it saw told (V6; older ones in",
            "its turns), reductions (V22) once a reading of the account says that every",
            "execution before them is booked, prices and quantities (V23) by the rules of the",
            "moment. Executions are looked for a second time (V7) among the newest 50,000;",
            "whether they are the exchange's every reading of the account says. Of strangers'",
            "orders it knows what was booked before they were known, of the newest 5,000",
            "entries that name no order of ours.",
            "",
            "| code | what holds | simulation | matrix | verify | auditor | and |",
            "|---|---|---|---|---|---|---|",
            *rows,
            "| STORE | the checksum of every row fits, and none is missing (SQLite) |||yes|||",
            "",
        ]
    )


def crash_points() -> str:
    """Every place where a test can have the process killed."""
    rows = [f"| `{name}` | {meaning} |" for name, meaning in POINTS.items()]
    return "\n".join(
        [
            "# Crash points",
            "",
            "`ORDER_MANAGER_CRASH_AT=name:n` kills the service (SIGKILL, no clean-up) at the n-th",
            "pass of a point. It is for tests of recovery: whatever the point, a restart loses and",
            "doubles nothing. Made by `make docs` from the code.",
            "",
            "| point | what has happened when it is passed |",
            "|---|---|",
            *rows,
            "",
        ]
    )


def planted_bugs() -> str:
    """Every planted bug, and what catches it."""
    caught = json.loads((ROOT / "tests/simulation/planted.json").read_text())
    rows = [
        f"| `{name}` | {each['wrong']} | {each['seed']} | {each['tried']} | {each['code']} |"
        for name, each in caught.items()
    ]
    return "\n".join(
        [
            "# Planted bugs",
            "",
            "Mistakes somebody could make, planted one at a time in tests only, and the first seed",
            "of the [simulation](../explanation/simulation.md) that each breaks. *Seeds*: how many",
            "were run with the bug until then, from 0 on. *Code*: what broke first: an",
            "[invariant](invariants.md), or SEQUENCE: something left or was decided before what it",
            "follows; RESUME: after a take-over a command still counts as sent; ENGINE: a step",
            "failed, or the store refused a row; WORKER: a part of the service died.",
            "`make planted-bugs` replays the table: each seed breaks with its bug, by this code,",
            "and not without it. Made by `make docs` from `tests/simulation/planted.json`.",
            "",
            "| bug | what is wrong | seed | seeds | code |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "docs/reference/lifecycle.md": lifecycle,
    "docs/reference/reason-codes.md": reason_codes,
    "docs/reference/risk-rules.md": risk_rules,
    "docs/reference/invariants.md": invariants,
    "docs/reference/planted-bugs.md": planted_bugs,
    "docs/reference/crash-points.md": crash_points,
    "docs/reference/settings.md": pages.reference,
    "docs/reference/cli.md": reference.page,
    "env.example": pages.env_example,
}


def main() -> None:
    for name, page in PAGES.items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
