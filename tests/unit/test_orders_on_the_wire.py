"""From a signal to what Bybit gets: numbers lie on its grid and are written plainly."""

import re
from decimal import Decimal
from itertools import product

import pytest

from order_adapters.venues.bybit.bodies import body_of
from order_domain.config import EngineConfig
from order_domain.context import Draft
from order_domain.decide import decide
from order_domain.model.enums import OrderStatus, Side, Verdict
from order_domain.model.order import Order
from order_domain.model.steps import SendCreate
from tests.builders import NOW, D, a_context, a_quote, a_signal, an_instrument

STEPS = (D(1), D("0.1"), D("0.01"))
TICKS = (D("0.5"), D("0.05"), D(10))
PLAIN = re.compile(r"\d+(\.\d+)?")
LARGEST, LARGEST_MARKET, LEAST_VALUE = D(40), D(20), D(900)
ROOMY = EngineConfig(
    max_exposure=D(10_000_000),
    max_order_size_ratio=D(1),
    max_single_order_size=D(10_000_000),
    max_position_size=D(1_000),
)


def decided(step: Decimal, tick: Decimal, side: Side, amount: Decimal, *, urgent: bool) -> Draft:
    instrument = an_instrument(
        tick_size=tick,
        quantity_step=step,
        min_quantity=step,
        max_quantity=LARGEST,
        max_market_quantity=LARGEST_MARKET,
        min_notional=LEAST_VALUE,
    )
    # a spread of one per cent, so that what is not urgent becomes a limit order off the grid
    quote = a_quote(bid=D("1003.35"), ask=D("1013.45"))
    context = a_context(instrument=instrument, quote=quote, available=D(10_000_000))
    signal = a_signal(side=side, amount=amount, urgent=urgent)
    decision = decide(signal, context, ROOMY)
    assert decision.verdict is Verdict.ORDERED, decision
    (draft,) = decision.drafts
    return draft


def body(draft: Draft) -> dict[str, object]:
    order = Order(draft.terms, OrderStatus.INTENT, draft.quantity, draft.price, NOW, 1)
    return body_of(SendCreate(order))


@pytest.mark.parametrize(("step", "tick"), list(product(STEPS, TICKS)))
@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("amount", [D(1_100), D("7777.77"), D("1234567.89")])
def test_a_limit_order_lies_on_the_grid_within_the_exchanges_bounds(
    step: Decimal, tick: Decimal, side: Side, amount: Decimal
) -> None:
    sent = body(decided(step, tick, side, amount, urgent=False))
    quantity, price = str(sent["qty"]), str(sent["price"])

    assert sent["side"] == side.value.capitalize()
    assert PLAIN.fullmatch(quantity)
    assert PLAIN.fullmatch(price)
    assert D(quantity) % step == 0
    assert D(price) % tick == 0
    assert step <= D(quantity) <= LARGEST
    assert D(quantity) * D(price) >= LEAST_VALUE


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("amount", [D(1_100), D("7777.77"), D("1234567.89")])
def test_a_market_order_lies_on_the_grid_within_the_exchanges_bounds(
    step: Decimal, amount: Decimal
) -> None:
    sent = body(decided(step, D("0.5"), Side.BUY, amount, urgent=True))
    quantity = str(sent["qty"])

    assert sent["orderType"] == "Market"
    assert PLAIN.fullmatch(quantity)
    assert D(quantity) % step == 0
    assert step <= D(quantity) <= LARGEST_MARKET


@pytest.mark.parametrize("urgent", [True, False])
def test_what_comes_to_less_than_the_exchange_takes_is_not_sent(urgent: bool) -> None:
    instrument = an_instrument(quantity_step=D(1), min_quantity=D(1), min_notional=LEAST_VALUE)
    quote = a_quote(bid=D("100.1"), ask=D("100.2"))
    signal = a_signal(amount=D(890), urgent=urgent)
    decision = decide(signal, a_context(instrument=instrument, quote=quote), ROOMY)

    assert decision.verdict is Verdict.DENIED
    assert decision.code == "NOTIONAL_BELOW_MIN"
