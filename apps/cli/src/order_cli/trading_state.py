"""`halt`, `resume`, `trading-state show|set`: restrictions; they need no lease and always work."""

from collections.abc import Sequence
from typing import Annotated, Final

from cyclopts import Parameter

from order_cli import output
from order_cli.acting import ACTOR
from order_cli.errors import CommandError
from order_cli.exit_codes import ExitCode
from order_cli.options import DEFAULT_STORE, Json, StoreUrl
from order_cli.wiring import reading
from order_domain.model.enums import Category, Trading
from order_domain.model.identifiers import instrument_id
from order_domain.model.rows import TradingStateRow
from order_service import rows
from order_service.stores import Store, system_clock

OPERATOR: Final = "OPERATOR"
Scope = Annotated[str, Parameter(help="`account`, `strategy:NAME` or `symbol:BTCUSDT`.")]
Reason = Annotated[str, Parameter(help="Why; kept and shown.")]


async def halt(
    *,
    scope: Scope = "account",
    reason: Reason = "",
    store: StoreUrl = DEFAULT_STORE,
    json: Json = False,
) -> int:
    """Halt trading: no order is opened until `resume`; cancels, closes and flatten still work.

    It stays over restarts. Whoever owns the account obeys within a fifth of a second.
    """
    return await set_state(Trading.HALTED, scope=scope, reason=reason, store=store, json=json)


async def resume(
    *,
    scope: Scope = "account",
    cause: Annotated[str, Parameter(help="The cause that is lifted.")] = OPERATOR,
    version: Annotated[
        int | None, Parameter(help="The version that is lifted; refused if it has changed.")
    ] = None,
    reason: Reason = "",
    store: StoreUrl = DEFAULT_STORE,
    json: Json = False,
) -> int:
    """Lift a restriction. Each cause clears only itself; `trading-state show` lists them."""
    async with reading(store) as access:
        known = _find(await access.views.trading_states(), _scope(scope), cause)
        if known is None or known.state is Trading.ACTIVE:
            message = f"nothing to lift: {scope} has no restriction by {cause}"
            raise CommandError(ExitCode.NOT_FOUND, message)
        # the store compares: a halt that is set meanwhile is not the one that was to be lifted
        lifted = known.version if version is None else version
        return await _put(
            access, known.scope, cause, Trading.ACTIVE, reason, json=json, replaces=lifted
        )


async def show(*, store: StoreUrl = DEFAULT_STORE, json: Json = False) -> int:
    """Show every restriction and what they come to. Ends with 7 while the account is halted."""
    async with reading(store) as access:
        states = await access.views.trading_states()
    return _show(states, json=json)


async def set_state(
    state: Trading,
    /,
    *,
    scope: Scope = "account",
    reason: Reason = "",
    store: StoreUrl = DEFAULT_STORE,
    json: Json = False,
) -> int:
    """Set what may be traded in a scope, as the operator's cause.

    Args:
        state: ACTIVE, REDUCE_ONLY, CANCEL_ONLY or HALTED.
    """
    async with reading(store) as access:
        return await _put(access, _scope(scope), OPERATOR, state, reason, json=json)


async def _put(
    access: Store,
    scope: str,
    cause: str,
    state: Trading,
    reason: str,
    *,
    json: bool,
    replaces: int | None = None,
) -> int:
    """Write a state and show all. Raises StateChanged: it is not `replaces` any more."""
    row = TradingStateRow(scope, cause, state, 0, reason, ACTOR, system_clock().now())
    await access.journal.set_trading_state(row, replaces=replaces)
    _show(await access.views.trading_states(), json=json)
    return ExitCode.DONE


def _show(states: Sequence[TradingStateRow], *, json: bool) -> int:
    ours = [row.state for row in states if row.scope == "account"]
    effective = max(ours, key=lambda state: state.severity, default=Trading.ACTIVE)
    if json:
        output.show_json(
            {
                "account": effective.value,
                "states": [rows.trading_state_row(row) for row in states],
            }
        )
    else:
        output.say(f"The account is {effective.value}.", "bold")
        if states:
            output.show_table(
                "Causes",
                ("scope", "cause", "state", ">version", "reason", "actor", "since"),
                [list(rows.trading_state_row(row).values()) for row in states],
            )
    return ExitCode.HALTED if effective is Trading.HALTED else ExitCode.DONE


def _find(states: Sequence[TradingStateRow], scope: str, cause: str) -> TradingStateRow | None:
    return next((row for row in states if (row.scope, row.cause) == (scope, cause)), None)


def _scope(text: str) -> str:
    kind, _, name = text.partition(":")
    if text == "account" or (kind == "strategy" and name):
        return text
    if kind == "symbol" and name:
        return f"symbol:{name if ':' in name else instrument_id(Category.LINEAR, name.upper())}"
    rule = "account, strategy:NAME or symbol:SYMBOL"
    raise CommandError(ExitCode.USAGE, f"--scope: must be {rule}, got {text}")
