"""The domain and the simulator are functions of what they are given, as the lint here tells."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.purity import violations
from tests.architecture.set_order import order_hazards

ROOT = Path(__file__).resolve().parents[2]
DOMAIN = ROOT / "packages/order_domain/src/order_domain"
SIMULATOR = ROOT / "packages/adapters/src/order_adapters/simulator"
# The one module that may own a seeded generator.
SEEDED = SIMULATOR / "randomness.py"


def pure_files() -> Iterator[Path]:
    yield from sorted(DOMAIN.rglob("*.py"))
    yield from sorted(SIMULATOR.rglob("*.py"))


def test_the_domain_and_the_simulator_are_pure() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{violation}"
        for path in pure_files()
        for violation in violations(path.read_text(), seeded=path == SEEDED)
    ]

    assert found == []


def test_the_domain_and_the_simulator_never_depend_on_the_order_of_a_set() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{hazard}"
        for path in pure_files()
        for hazard in order_hazards(path.read_text())
    ]

    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "import time",
        "import os.path",
        "import random",
        "from random import Random",
        "from secrets import token_hex",
        "import asyncio, decimal",
        "from . import sibling",
        "from datetime import datetime\nnow = datetime.now()",
        "from datetime import datetime as dt\nclock = dt.utcnow",
        "import datetime\nx = datetime.datetime.now(tz=datetime.UTC)",
        "from datetime import date\nx = date.today()",
        "def f(kind):\n    return kind.now()",
        "def f(moment):\n    return moment.timestamp()",
        "def f(gap):\n    return gap.total_seconds()",
        "from uuid import uuid4\nx = uuid4()",
        "import uuid as u\nx = u.uuid1()",
        "from uuid import uuid4\nfields = dict(default_factory=uuid4)",
        "x = float('1')",
        "x = list(map(float, []))",
        "x: Final = float",
        "x = 0.1",
        "x = -1e5",
        "x = 2j",
        "from decimal import Decimal\nx = Decimal.from_float(1)",
        "x = hash('a')",
        "x = sorted([], key=lambda each: id(each))",
        "x = open('a')",
        "print('a')",
        "import sys\nx = sys.argv",
    ],
)
def test_a_planted_impurity_is_found(source: str) -> None:
    assert violations(source) != []


@pytest.mark.parametrize(
    "source",
    [
        "from uuid import UUID, uuid5",
        "from datetime import UTC, datetime, time, timedelta",
        "from collections.abc import Mapping",
        "from order_domain.model import order",
        "def f(value):\n    return isinstance(value, float)",
        "class Clock:\n    def monotonic(self) -> float: ...",
        "def f(context):\n    return context.now",
        "def f(now):\n    return now // 2",
        "class Row:\n    id: str\n    hash: str",
        "x = '0.1 float(time.time())'",
        "from decimal import Decimal\nx = Decimal('0.1') / 3",
    ],
)
def test_pure_code_passes(source: str) -> None:
    assert violations(source) == []


def test_a_seeded_generator_lives_only_in_its_own_module() -> None:
    source = "import random\n\ndef generator(seed):\n    return random.Random(seed)"

    assert violations(source, seeded=True) == []
    assert violations(source) == ["1: import of random is not pure"]


@pytest.mark.parametrize(
    "source",
    [
        "import random\nx = random.Random()",
        "import random\nx = random.random()",
        "from random import choice\nx = choice([1])",
        "from random import SystemRandom\nx = SystemRandom(1)",
    ],
)
def test_the_module_of_the_seeded_generator_draws_nothing_without_a_seed(source: str) -> None:
    assert violations(source, seeded=True) != []


@pytest.mark.parametrize(
    "source",
    [
        "for x in {1, 2}:\n    pass",
        "for x in set([1]):\n    pass",
        "x = list({1, 2})",
        "x = [y for y in frozenset('ab')]",
        "x = {y: 1 for y in {1, 2}}",
        "x = ','.join({'a', 'b'})",
        "x = [*{1, 2}]",
        "x = next(iter({1, 2}))",
        "x = {1, 2}.pop()",
        "def f(a, b):\n    for x in a.keys() & b.keys():\n        pass",
        "def f(a, b):\n    return tuple(set(a) - b)",
        "def f(a, b):\n    return tuple(set(a).union(b))",
        "def f(names: set[str]):\n    return tuple(names)",
        "NAMES: Final = frozenset({'a'})\nfor name in NAMES:\n    pass",
        "class Book:\n    dirty: set[str]\n\n    def f(self):\n        yield from self.dirty",
        "def f(a):\n    seen = set(a)\n    return dict.fromkeys(seen)",
        "def f(a):\n    return sum(x for x in set(a))",
    ],
)
def test_a_planted_dependence_on_set_order_is_found(source: str) -> None:
    assert order_hazards(source) != []


@pytest.mark.parametrize(
    "source",
    [
        "for x in sorted({1, 2}):\n    pass",
        "x = 1 in {1, 2}",
        "x = len({1, 2})",
        "x = any(y for y in {1, 2})",
        "x = sorted(y for y in {1, 2})",
        "x = {y for y in {1, 2}}",
        "for x in {1: 2}:\n    pass",
        "def f(a):\n    return a.pop()",
        "for x in dict.fromkeys([1, 2]):\n    pass",
    ],
)
def test_sets_used_without_their_order_pass(source: str) -> None:
    assert order_hazards(source) == []
