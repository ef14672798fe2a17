"""Exchange filter: the quantity is on the step."""

from typing import Final

from order_domain.codes import Code
from order_domain.config import EngineConfig
from order_domain.context import Context
from order_domain.risk.base import Entry, Proposal

_QUANTITY_OFF_STEP: Final = Code.QUANTITY_OFF_STEP


def check(proposal: Proposal, _context: Context, _config: EngineConfig) -> Entry:
    """Denied, never rounded silently."""
    step = proposal.instrument.quantity_step
    return (_QUANTITY_OFF_STEP, step, proposal.quantity, not proposal.quantity % step)
