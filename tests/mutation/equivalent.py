"""Equivalent mutants: changes that change nothing, each with the reason why.

They are tried like the others, and one that a test notices after all must leave this list.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import attrs

from tests.mutation.sample import Chosen

_POSITION: Final = "order_domain/model/position.py"
_IDS: Final = "order_domain/model/identifiers.py"
_REPORTS: Final = "order_domain/engine/reports.py"


@attrs.frozen(slots=True)
class Equivalent:
    """One of them.

    Attributes:
        module: Path from the root of its package.
        scope: The function it is in, with its class.
        text: As the tool prints it.
        nth: Which one, where a function holds several of one text.
    """

    module: str
    scope: str
    text: str
    because: str
    nth: int = 1


EQUIVALENT: Final = (
    Equivalent(
        _POSITION,
        "Position.unrealized_pnl",
        "if not self.size: -> if False:",
        "flat, it has no entry value either: the gain is zero both ways",
    ),
    Equivalent(
        _POSITION,
        "Position.unrealized_pnl",
        "self.size > 0 -> self.size >= 0",
        "zero has returned before",
    ),
    Equivalent(
        _POSITION,
        "Position.booked",
        "not size or (size > 0) == (signed > 0) -> (size > 0) == (signed > 0)",
        "from flat the other branch closes nothing and opens what is left: all of it",
    ),
    Equivalent(
        _POSITION, "Position.booked", "size > 0 -> size >= 0", "zero is asked for before it", 1
    ),
    Equivalent(
        _POSITION, "Position.booked", "size > 0 -> size >= 0", "what is reduced is not zero", 2
    ),
    Equivalent(
        _POSITION, "Position.booked", "signed > 0 -> signed >= 0", "an execution has a quantity"
    ),
    Equivalent(
        _POSITION,
        "Position.booked",
        "traded < open_size -> traded <= open_size",
        "of two equal numbers either is the smaller",
    ),
    Equivalent(
        _IDS,
        "event_id",
        "False -> True",
        "what the digest is for matters only where a system forbids SHA-1",
    ),
    Equivalent(
        _REPORTS,
        "_settle_amend",
        "command.request_ts or command.created_at -> command.request_ts",
        "what was sent has a request time",
    ),
    Equivalent(
        _REPORTS,
        "_is_older",
        "report.updated_at < known_at -> report.updated_at <= known_at",
        "equal times are told apart below",
    ),
    Equivalent(
        _REPORTS,
        "_publish",
        "noted or new.venue_order_id != order.venue_order_id or new.first_wo... -> "
        "noted or new.venue_order_id != order.venue_order_id",
        "an order that is shown for the first time has moved",
    ),
)


def find(each: Equivalent, among: Iterable[Chosen]) -> Chosen | None:
    """The mutant an entry means; None if there is none any more."""
    alike = [
        one
        for one in among
        if (one.name, one.mutant.where.scope, one.mutant.text)
        == (each.module, each.scope, each.text)
    ]
    alike.sort(key=lambda one: (one.mutant.line, one.mutant.place))
    return alike[each.nth - 1] if len(alike) >= each.nth else None


def among(every: Iterable[Chosen]) -> Iterator[Chosen]:
    """Those of some mutants that are equivalent."""
    every = list(every)
    for each in EQUIVALENT:
        found = find(each, every)
        if found is not None:
            yield found
