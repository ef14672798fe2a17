"""Daily loss: no new risk once the loss since midnight UTC has reached its limit."""

from typing import Final

from order_domain.codes import Code
from order_domain.config import EngineConfig
from order_domain.context import Context
from order_domain.risk.base import Entry, Proposal

_MAX_DAILY_LOSS: Final = Code.MAX_DAILY_LOSS


def check(_p: Proposal, context: Context, config: EngineConfig) -> Entry | None:
    """Off until set. A loss that cannot be valued counts as reached."""
    limit, loss = config.max_daily_loss, context.daily_loss
    if limit is None:
        return None
    return (_MAX_DAILY_LOSS, limit, loss, loss is not None and loss < limit)
