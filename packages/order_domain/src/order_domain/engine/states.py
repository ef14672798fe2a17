"""Trading states.

Restrictions by scope and cause. Each cause clears only itself (protocol part 4).
"""

from order_domain.engine.work import Work
from order_domain.model.enums import EventKind, Trading
from order_domain.model.rows import TradingStateRow

ACCOUNT = "account"
COMMITS_LOST = "COMMITS_LOST"
"""Cause: the exchange knows more of us than the store. Only a person lifts it."""


def restrict(
    work: Work, cause: str, reason: str, state: Trading = Trading.REDUCE_ONLY, scope: str = ACCOUNT
) -> None:
    """Set an automatic cause, unless it is set already."""
    known = work.book.states.get((scope, cause))
    if known is None or known.state is not state:
        put(work, scope, cause, state, reason, "engine")


def lift(work: Work, cause: str, scope: str = ACCOUNT) -> None:
    """Clear an automatic cause, if it is set."""
    known = work.book.states.get((scope, cause))
    if known is not None and known.state is not Trading.ACTIVE:
        put(work, scope, cause, Trading.ACTIVE, "", "engine")


def has_lost_rows(work: Work) -> bool:
    """Whether orders of ours were ever found without a row, so that one may be decided again."""
    return (ACCOUNT, COMMITS_LOST) in work.book.states


def own_without_row(work: Work, order_id: str) -> None:
    """Halt the account over an order that bears our id and is in no row.

    A claim is committed before its bytes leave, so the store has lost commits, is another one, or
    somebody else trades here with the ids of this account. History, limits and losses of the day
    are then not what they were: a person compares, and lifts it.
    """
    text = f"{order_id} is at the exchange with our id, and the store has no row of it"
    restrict(work, COMMITS_LOST, text, Trading.HALTED)


def put(
    work: Work, scope: str, cause: str, state: Trading, reason: str, actor: str
) -> TradingStateRow:
    """Stage the next version of one cause, and tell it."""
    staged = [change.version for change in work.changes if isinstance(change, TradingStateRow)]
    version = max([work.book.states_version, *staged]) + 1
    row = TradingStateRow(scope, cause, state, version, reason, actor, work.now)
    take(work, row)
    return row


def take(work: Work, row: TradingStateRow) -> None:
    """Stage a row, whoever set it, and tell it."""
    work.changes.append(row)
    detail = (
        ("scope", row.scope),
        ("state", row.state.value),
        ("actor", row.actor),
        ("reason", row.reason),
    )
    subject = f"state:{row.version}"
    work.tell(EventKind.TRADING_STATE_CHANGED, subject, code=row.cause, detail=detail)
