"""How large one order may be, in value and in quantity."""

from decimal import Decimal

from order_domain.config import EngineConfig
from order_domain.context import Context
from order_domain.risk.base import Proposal

MOST_LEGS = 100
"""A re-quote has leg 100 + leg, so more children would share client order ids with re-quotes."""


def value_limit(proposal: Proposal, context: Context, config: EngineConfig) -> Decimal | None:
    """Quote units of one order; None when it depends on an unknown balance, which stops opens."""
    limit = config.max_single_order_size
    if not config.order_size_ratio_of_balance:
        of_account = config.max_exposure * config.max_order_size_ratio
    elif context.available is not None:
        of_account = context.available * config.max_order_size_ratio
    else:
        return limit if proposal.reduces else None
    return limit if limit < of_account else of_account


def quantity_limit(proposal: Proposal, config: EngineConfig) -> Decimal:
    """Base units of one order: the exchange's largest of its type, or ours if that is smaller."""
    limit = proposal.instrument.max_order_quantity(proposal.order_type)
    ours = config.max_order_quantity
    return limit if ours is None or proposal.is_exit or ours >= limit else ours


def largest_child(proposal: Proposal, context: Context, config: EngineConfig) -> Decimal:
    """Base units on the step that every limit of one order allows.

    Zero when one is unknown, or when there is nothing left of it.
    """
    largest = quantity_limit(proposal, config)
    if not proposal.is_exit and proposal.unit:
        limit = value_limit(proposal, context, config)
        if limit is None or limit <= 0:
            return Decimal(0)
        if limit < largest * proposal.unit:
            step = proposal.instrument.quantity_step
            return limit // (proposal.unit * step) * step
    return proposal.instrument.floor_quantity(largest)
