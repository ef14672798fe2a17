"""Sample: which mutants of which modules are tried."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from random import Random

import attrs

from tests.mutation.mutants import Mutant, mutants_of
from tests.mutation.targets import DOMAIN, TARGETS


@attrs.frozen(slots=True)
class Chosen:
    """A mutant, with the module it belongs to."""

    target: str
    file: Path
    mutant: Mutant

    @property
    def name(self) -> str:
        """The module's path from the root of its package."""
        return self.file.relative_to(DOMAIN).as_posix()


@cache
def source_of(file: Path) -> str:
    """What a module was when it was first asked for: somebody may be writing it meanwhile."""
    return file.read_text()


def choose(targets: Iterable[str], number: int, random: Random) -> list[Chosen]:
    """Take so many of all mutants by chance, or all of them."""
    every = [
        Chosen(name, file, mutant)
        for name in targets
        for file in TARGETS[name].files
        for mutant in mutants_of(source_of(file))
    ]
    return every if not number else random.sample(every, min(number, len(every)))
