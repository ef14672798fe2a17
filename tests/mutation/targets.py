"""Targets: the modules in which every mistake must be noticed, and the unit tests that notice."""

from pathlib import Path
from typing import Final

import attrs

ROOT: Final = Path(__file__).resolve().parents[2]
DOMAIN: Final = ROOT / "packages/order_domain/src"


@attrs.frozen(slots=True)
class Target:
    """Some modules and their tests.

    Attributes:
        tests: In groups, the nearest first; the next is asked only by a mutant that survives.
    """

    modules: tuple[str, ...]
    tests: tuple[tuple[str, ...], ...]

    @property
    def files(self) -> list[Path]:
        """Every file of the modules; a folder stands for all in it."""
        found: list[Path] = []
        for each in self.modules:
            path = DOMAIN / "order_domain" / each
            found += sorted(path.glob("*.py")) if path.is_dir() else [path]
        return found

    def rank(self, test: str) -> int | None:
        """Which group a test belongs to, 0 the nearest; None for the tests of others."""
        for rank, group in enumerate(self.tests):
            if any(test.startswith((f"{path}/", f"{path}::")) for path in group):
                return rank
        return None


_UNIT: Final = "tests/unit/domain"
_ENGINE: Final = (f"{_UNIT}/engine",)
_DECIDE: Final = (
    "tests/unit/test_decide.py",
    "tests/unit/test_decide_again.py",
    "tests/unit/test_decide_person.py",
)
TARGETS: Final[dict[str, Target]] = {
    "lifecycle": Target(("lifecycle.py",), ((f"{_UNIT}/test_lifecycle.py",),)),
    "ids": Target(("model/identifiers.py",), ((f"{_UNIT}/test_identifiers.py",),)),
    "position": Target(("model/position.py",), ((f"{_UNIT}/test_position.py",),)),
    "classification": Target(
        ("model/answers.py", "engine/answers.py"),
        ((f"{_UNIT}/test_answers_of_bybit.py", f"{_UNIT}/engine/test_answers.py"), _ENGINE),
    ),
    "risk": Target(("risk",), (("tests/unit/risk",), _DECIDE, _ENGINE)),
    "decide": Target(("decide",), (_DECIDE, ("tests/unit/policy",), ("tests/unit/risk",), _ENGINE)),
    "merge": Target(
        ("engine/reports.py", "engine/executions.py"),
        ((f"{_UNIT}/engine/test_reports.py", f"{_UNIT}/engine/test_executions.py"), _ENGINE),
    ),
}
