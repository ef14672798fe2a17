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
_EXECUTIONS: Final = "order_domain/engine/executions.py"
_AGAIN: Final = "order_domain/decide/again.py"
_SIGNAL: Final = "order_domain/decide/signal.py"
_TERMS: Final = "order_domain/decide/terms.py"
_ASSESS: Final = "order_domain/risk/assess.py"
_BALANCE: Final = "order_domain/risk/available_balance.py"
_CHILD: Final = "order_domain/risk/child_size.py"
_BASE: Final = "order_domain/risk/base.py"


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
        "event_id_text",
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
    Equivalent(
        _REPORTS,
        "_publish_move",
        "order.status in TERMINAL and new.status not in TERMINAL and (new.re... -> "
        "order.status in TERMINAL and new.reported_status is None and (order...",
        "of an order that has ended no cancel can be asked",
    ),
    Equivalent(
        _REPORTS,
        "_publish_move",
        "order.status in TERMINAL and new.status not in TERMINAL and (new.re... -> "
        "order.status in TERMINAL and new.status not in TERMINAL and (new.re...",
        "a stranger's order is ended by reports alone, and does not come back",
    ),
    Equivalent(
        _EXECUTIONS,
        "on_execution",
        "key in work.book.executions or key in work.executions -> key in work.book.executions",
        "this one is the first of its step",
    ),
    Equivalent(
        _AGAIN,
        "_remaining",
        "order.cum_quantity > order.reported_cum -> order.cum_quantity >= order.reported_cum",
        "of two equal numbers either is the larger",
    ),
    Equivalent(
        _AGAIN,
        "_remaining",
        "order.quantity > done -> order.quantity >= done",
        "the difference of two equal numbers is zero as well",
    ),
    Equivalent(
        _SIGNAL,
        "decide",
        "replaced_orders(signal, context, config) if context.orders else () -> "
        "replaced_orders(signal, context, config)",
        "of no orders none is replaced; asking first is faster",
    ),
    Equivalent(
        _SIGNAL,
        "_price_and_size",
        "fresh_quote(context, config) if proposal.must_reduce else context.q... -> "
        "fresh_quote(context, config)",
        "the quote of an opening has passed its gate: it is fresh",
    ),
    Equivalent(
        _SIGNAL,
        "_price_and_size",
        "quote is not None and order_type is _LIMIT -> order_type is _LIMIT",
        "without a quote no limit order is chosen",
    ),
    Equivalent(
        _TERMS,
        "signal_terms",
        "tuple([one.terms.client_order_id for one in leaving]) if leaving el... -> "
        "tuple([one.terms.client_order_id for one in leaving])",
        "the ids of no orders are none; asking first is faster",
    ),
    Equivalent(
        _ASSESS,
        "assess",
        "if proposal.may_split: -> if True:",
        "the largest child counts only where it may be split",
    ),
    Equivalent(
        _ASSESS,
        "_shrink",
        "not rule.binds_reductions and (not proposal.is_sealed) and (proposa... -> "
        "not rule.binds_reductions and proposal.closable > largest",
        "beyond what the rule allows a sealed order does not pass it either",
    ),
    Equivalent(
        _ASSESS,
        "_shrink",
        "proposal.closable > largest -> proposal.closable >= largest",
        "of two equal numbers either is the larger",
    ),
    Equivalent(
        _ASSESS,
        "_shrink",
        "candidate < before and _is_placeable(proposal) and _passes(rule, pr... -> "
        "_is_placeable(proposal) and _passes(rule, proposal, context, config)",
        "what is not smaller fails the rule as before",
    ),
    Equivalent(
        _ASSESS,
        "_shrink",
        "candidate < before -> candidate <= before",
        "what is as large fails the rule as before",
    ),
    Equivalent(
        _ASSESS,
        "_passes",
        "entry is None or entry[3] -> entry[3]",
        "a rule that has denied an order has something to say of a smaller one",
    ),
    Equivalent(
        _BALANCE,
        "check",
        "if proposal.closable: -> if True:",
        "less nothing is the same",
    ),
    Equivalent(_BALANCE, "check", "if proposal.leaving: -> if True:", "no orders free nothing"),
    Equivalent(
        _BALANCE,
        "check",
        "available is None or proposal.reference is None -> available is None",
        "only reductions are without a price, and this rule does not bind them",
    ),
    Equivalent(
        _BALANCE,
        "cap",
        "context.available is None or proposal.reference is None -> context.available is None",
        "only reductions are without a price, and this rule does not bind them",
    ),
    Equivalent(
        _BALANCE,
        "cap",
        "_freed(proposal, context) if proposal.leaving else ZERO -> _freed(proposal, context)",
        "no orders free nothing",
    ),
    Equivalent(
        _BALANCE,
        "cap",
        "if free <= 0: -> if False:",
        "less than nothing buys less than what may be closed, which is taken instead",
    ),
    Equivalent(_BALANCE, "cap", "free <= 0 -> free < 0", "for nothing there is nothing"),
    Equivalent(
        _BASE,
        "Proposal.resize",
        "if self.may_split: -> if True:",
        "what may not be split has no largest child, so it is one",
    ),
    Equivalent(
        _BASE,
        "legs_needed",
        "quantity <= largest -> quantity < largest",
        "what is as large as the largest is one below too",
    ),
    Equivalent(
        _CHILD,
        "value_limit",
        "limit < of_account -> limit <= of_account",
        "of two equal numbers either is the smaller",
    ),
    Equivalent(
        _CHILD,
        "largest_child",
        "limit < largest * proposal.unit -> limit <= largest * proposal.unit",
        "a limit of just so much gives just so much",
    ),
    Equivalent(
        _CHILD,
        "quantity_limit",
        "ours >= limit -> ours > limit",
        "of two equal numbers either is the smaller",
    ),
    Equivalent(
        _CHILD,
        "largest_child",
        "limit <= 0 -> limit < 0",
        "for nothing there is nothing either way",
    ),
    Equivalent(_BASE, "propose", "if leaving: -> if True:", "no orders free nothing"),
    Equivalent(_BASE, "propose", "reach < 0 -> reach <= 0", "less nothing is nothing"),
    Equivalent(
        _BASE,
        "propose",
        "if context.instrument is not None: -> if True:",
        "the gates let nothing on without an instrument",
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
