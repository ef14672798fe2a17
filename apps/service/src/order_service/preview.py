"""Preview: what a signal would come to on the committed rows; nothing is written, nothing sent."""

from collections.abc import Iterable
from datetime import datetime

import attrs

from order_domain.config import EngineConfig
from order_domain.context import Decision
from order_domain.engine import Engine
from order_domain.model.quote import Quote
from order_domain.model.signal import TradingSignal
from order_domain.ports.journal import Journal
from order_domain.ports.views import Views


@attrs.frozen(slots=True)
class Preview:
    """What a signal would come to.

    Attributes:
        known: Whether a signal of this id was delivered before, so that it would do nothing.
    """

    signal: TradingSignal
    decision: Decision
    known: bool


async def preview(
    signal: TradingSignal,
    journal: Journal,
    views: Views,
    config: EngineConfig,
    quotes: Iterable[Quote],
    now: datetime,
) -> Preview:
    """Decide a signal on an engine of its own, made of what is committed. Raises StoreUnavailable.

    Args:
        quotes: The newest of each instrument; without one an opening signal is denied.
    """
    known = bool(await views.signal(signal.signal_id))
    engine = Engine(config)
    engine.load(await journal.load(now - config.retention), now)
    for quote in quotes:
        engine.step(quote, now)
    return Preview(signal, engine.preview(signal, now), known)
