"""Search: the first seed in which the simulation catches a planted bug, and the record of it.

A seed catches a bug if it breaks something with the bug and nothing without it. What was found is
kept in a table beside this file, and replayed: red with the bug, green without.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import attrs

from tests.simulation.checker import Violation
from tests.simulation.planted import BUGS
from tests.simulation.runner import run_chunks
from tests.simulation.world import Outcome

RECORD: Final = Path(__file__).with_name("planted.json")


@attrs.frozen(slots=True)
class Catch:
    """Where a bug was caught, and by what.

    Attributes:
        tried: Seeds that were run with the bug until then, this one included.
        code: Of the first thing that broke.
    """

    seed: int
    tried: int
    code: str
    text: str


@attrs.frozen(slots=True)
class Search:
    """What a search came to.

    Attributes:
        unsound: Seeds that break something without the bug too: they prove nothing.
    """

    catch: Catch | None
    unsound: tuple[int, ...]


def search(bug: str, first: int, limit: int, jobs: int) -> Search:
    """Run seeds with a bug, in their order, until one catches it."""
    unsound: list[int] = []
    for tried, outcome in enumerate(_in_order(range(first, first + limit), jobs, bug), 1):
        if outcome.is_sound:
            continue
        if not _alone(outcome.seed).is_sound:
            unsound.append(outcome.seed)
            continue
        broken = _first(outcome)
        catch = Catch(outcome.seed, tried, broken.code, broken.text)
        return Search(catch, tuple(unsound))
    return Search(None, tuple(unsound))


def replay(bug: str, recorded: Catch) -> str:
    """Run a recorded seed with the bug and without; return what is wrong with the record, or ''."""
    planted, alone = _alone(recorded.seed, bug), _alone(recorded.seed)
    if not alone.is_sound:
        return f"breaks {_first(alone).code} without the bug"
    if planted.is_sound:
        return "breaks nothing with the bug"
    if _first(planted).code != recorded.code:
        return f"breaks {_first(planted).code} first, not {recorded.code}"
    return ""


def recorded() -> dict[str, Catch]:
    """Read the table; empty while there is none."""
    if not RECORD.exists():
        return {}
    table = json.loads(RECORD.read_text())
    return {
        bug: Catch(row["seed"], row["tried"], row["code"], row["text"])
        for bug, row in table.items()
    }


def record(catches: Mapping[str, Catch]) -> None:
    """Write the table, in the order of the bugs, with what each of them is."""
    table = {
        bug: {"wrong": BUGS[bug].text, **attrs.asdict(catches[bug])}
        for bug in BUGS
        if bug in catches
    }
    RECORD.write_text(json.dumps(table, indent=1) + "\n")


def _first(outcome: Outcome) -> Violation:
    return outcome.violations[0]


def _alone(seed: int, bug: str = "") -> Outcome:
    """Run one seed in a young process of its own."""
    (outcomes,) = run_chunks([[seed]], 1, bug)
    return outcomes[0]


def _in_order(seeds: range, jobs: int, bug: str) -> Iterator[Outcome]:
    """Run seeds on several processes; which of them is first must not depend on the machine."""
    for at in range(0, len(seeds), jobs):
        chunks = [[seed] for seed in seeds[at : at + jobs]]
        done = [each for some in run_chunks(chunks, jobs, bug) for each in some]
        yield from sorted(done, key=lambda each: each.seed)
