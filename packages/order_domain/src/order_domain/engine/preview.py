"""Preview: what a signal would come to on a book as it stands. Nothing is staged or awaited."""

from order_domain.context import Decision
from order_domain.decide import decide, position_side_for
from order_domain.engine import contexts
from order_domain.engine.work import Work
from order_domain.model.signal import TradingSignal


def preview(work: Work, signal: TradingSignal) -> Decision:
    """Decide a signal, as if no reading of the account and no unknown order had to be awaited."""
    side = position_side_for(signal, work.config)
    context = contexts.for_instrument(
        work, signal.strategy_id, signal.instrument_id, side, signal.side
    )
    context.trading, context.trading_cause = work.book.trading(
        signal.strategy_id, signal.instrument_id
    )
    return decide(signal, context, work.config)
