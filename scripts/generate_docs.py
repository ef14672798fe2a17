"""Writes the pages of `docs/` that are made from code, so that page and code cannot differ."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from order_domain.codes import Code
from order_domain.lifecycle import to_mermaid
from order_service.settings import pages

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


def lifecycle() -> str:
    """The transition table as a diagram that GitHub draws."""
    return "\n".join(
        [
            "# Life of an order",
            "",
            "Every status an order can have, and what leads from one to the next. What is absorbed",
            "(taken note of without a change of status) is left out; `_BY_US` and `_BY_ANSWER` mark",
            "ends that a later report overrules. Made by `make docs` from `lifecycle.py`.",
            "",
            "```mermaid",
            f"{to_mermaid()}```",
            "",
        ]
    )


PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "docs/reference/lifecycle.md": lifecycle,
    "docs/reference/reason-codes.md": reason_codes,
    "docs/reference/settings.md": pages.reference,
    "env.example": pages.env_example,
}


def main() -> None:
    for name, page in PAGES.items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
