"""Plan: which faults a seed has, and how often. Every seed draws its own mixture (a swarm)."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Final

import attrs

from order_domain.config import EngineConfig
from order_domain.model.enums import TimeInForce

NEWEST: Final = 4
"""Of the ways in which plans are made: 2 stops nodes at a claim also where commits are lost, 3 has
`EVERY_TOO`, accounts that are lived in, and five replicas, 4 has `DRAWN_APART` and amends."""
SKEW_MS: Final = 200
RATES: Final[Mapping[str, tuple[float, float]]] = {
    "store.lose_request": (0.002, 0.03),
    "store.lose_answer": (0.002, 0.05),
    "store.late": (0.002, 0.03),
    "store.slow": (0.005, 0.05),
    "store.refuse": (0.03, 0.3),
    "exchange.lose_request": (0.01, 0.15),
    "exchange.lose_answer": (0.01, 0.2),
    "exchange.late": (0.01, 0.1),
    "exchange.slow": (0.01, 0.15),
    "exchange.refuse_connection": (0.01, 0.1),
    "exchange.busy": (0.01, 0.08),
    "exchange.vanish": (0.02, 0.2),
    "exchange.internal_error": (0.01, 0.1),
    "stream.lose": (0.01, 0.2),
    "stream.duplicate": (0.02, 0.3),
    "stream.delay": (0.02, 0.3),
    "stream.stale": (0.05, 0.5),
    "quotes.lose": (0.05, 0.4),
    "broker.lose_request": (0.005, 0.05),
    "broker.lose_answer": (0.005, 0.1),
    "broker.late": (0.005, 0.05),
    "crash.at_send": (0.005, 0.06),
    "crash.at_commit": (0.002, 0.02),
    "freeze.at_commit": (0.002, 0.02),
    "crash.at_claim": (0.01, 0.1),
    "freeze.at_claim": (0.02, 0.2),
    "signals.again": (0.05, 0.3),
    "signals.invalid": (0.02, 0.1),
    "signals.conflict": (0.02, 0.1),
}
"""Chance of each thing that can go wrong with one message, lowest and highest."""
DRAWN_APART: Final[Mapping[str, tuple[float, float]]] = {
    "crash.at_cancel": (0.05, 0.3),
    "exchange.stuck": (0.1, 0.5),
    "broker.unroutable": (0.01, 0.2),
}
"""Likewise; drawn by a chance of their own, so that what came before them stays as it was."""
AMENDS: Final = (2.0, 10.0)
"""Mean seconds between two orders to change an order."""
PATIENT: Final = timedelta(seconds=30)
"""How long an order may wait where answers lie somewhere: long enough for a second attempt."""
STOPS_AT_CLAIM: Final = (0.02, 0.2)
"""Likewise of a stop right after a claim: what it must wait for is on its way out."""
EVERY: Final[Mapping[str, tuple[float, float]]] = {
    "crash": (8, 60),
    "freeze": (10, 60),
    "stop": (20, 90),
    "store.outage": (15, 60),
    "store.failover": (20, 60),
    "exchange.outage": (15, 60),
    "exchange.ban": (20, 60),
    "exchange.cut": (15, 60),
    "exchange.deaf": (8, 40),
    "store.cut": (15, 60),
    "broker.outage": (15, 60),
    "broker.disconnect": (10, 40),
    "stream.silence": (15, 60),
    "stream.disconnect": (8, 40),
    "clock.step": (10, 40),
    "person": (1, 12),
    "halt_outside": (15, 60),
    "foreign": (10, 40),
    "funding": (15, 60),
    "liquidation": (30, 90),
    "quotes.pause": (15, 60),
}
"""Mean seconds between two of each kind."""
EVERY_TOO: Final[Mapping[str, tuple[float, float]]] = {
    "broker.blocked": (15, 60),
    "foreign.cancel": (5, 30),
    "deleveraging": (30, 90),
}
"""Likewise; drawn apart, so that seeds from before these kinds keep their worlds mostly."""
UNLIKELY: Final = frozenset({"store.failover", "liquidation", "foreign", "deleveraging"})
LIVED_IN: Final = 0.15
"""Share of the worlds in which strangers trade while the account is taken over."""
MANY: Final = 0.05
"""Share of the worlds with five replicas."""


@attrs.frozen(slots=True, kw_only=True)
class Plan:
    """What one seed brings.

    Attributes:
        rates: Chance per message of a kind; those that are off are missing.
        every: Mean seconds between two happenings of a kind; likewise.
        earlier: How many orders strangers place while the account is taken over.
        visibility: How far look-ups and sweeps lag behind, at most what the engine assumes.
        answer_seconds: How long a sender waits for the exchange.
    """

    seed: int
    replicas: int
    earlier: int
    accounts_clock_known: bool
    seconds: float
    signal_gap: float
    rates: Mapping[str, float]
    every: Mapping[str, float]
    visibility: timedelta
    answer_seconds: float
    config: EngineConfig
    audit_interval: timedelta
    batch: int
    skews: tuple[float, ...]
    drifts: tuple[float, ...]

    @property
    def loses_commits(self) -> bool:
        """Whether the store may forget what it confirmed: then less can be demanded."""
        return "store.failover" in self.every

    @property
    def has_strangers(self) -> bool:
        """Whether others trade on the account."""
        kinds = ("foreign", "liquidation", "deleveraging")
        return bool(self.earlier) or any(kind in self.every for kind in kinds)


def draw(seed: int, generation: int = NEWEST) -> Plan:
    """Draw the mixture of a seed; of an older generation what was added later is left out."""
    random = Random(f"{seed}:plan")
    calm = random.random() < 0.04
    share = 0.0 if calm else random.choice((0.2, 0.4, 0.6))
    rates = {
        name: random.uniform(*bounds) for name, bounds in RATES.items() if random.random() < share
    }
    every = {
        name: random.uniform(*bounds)
        for name, bounds in EVERY.items()
        if random.random() < (share * 0.3 if name in UNLIKELY else share)
    }
    stopping = Random(f"{seed}:stop")
    if stopping.random() < share and (generation > 1 or "store.failover" not in every):
        rates["stop.at_claim"] = stopping.uniform(*STOPS_AT_CLAIM)
    more = Random(f"{seed}:more")
    added = share if generation > 2 else 0.0
    for name, bounds in EVERY_TOO.items():
        drawn, chance = more.uniform(*bounds), more.random()
        if chance < (added * 0.3 if name in UNLIKELY else added):
            every[name] = drawn
    earlier = more.randint(1, 8) if added and more.random() < LIVED_IN else 0
    apart, added_apart = Random(f"{seed}:apart"), share if generation > 3 else 0.0
    rates |= {
        name: apart.uniform(*bounds)
        for name, bounds in DRAWN_APART.items()
        if apart.random() < added_apart
    }
    is_stuck = "exchange.stuck" in rates
    if is_stuck:
        # only a book that is rebuilt meanwhile sends again before an answer that lies somewhere
        rates.setdefault("store.refuse", apart.uniform(*RATES["store.refuse"]))
    if apart.random() < added_apart:
        every["amend"] = apart.uniform(*AMENDS)
        rates.setdefault("stream.stale", apart.uniform(*RATES["stream.stale"]))
    replicas = random.choice((1, 1, 2, 3))
    if added and more.random() < MANY:
        replicas = 5
    visibility = random.choice((0.0, 1.0, 10.0, 10.0))
    plan = Plan(
        seed=seed,
        replicas=replicas,
        earlier=earlier,
        accounts_clock_known=random.random() < 0.5,
        seconds=random.uniform(25, 60),
        signal_gap=random.uniform(0.5, 3) * random.choice((1, 1, 4)),
        rates=rates,
        every=every,
        visibility=timedelta(seconds=visibility * random.uniform(0.5, 0.99)),
        answer_seconds=random.choice((4.0, 4.0, 4.0, 20.0)),
        config=_config(random, visibility),
        audit_interval=timedelta(seconds=Random(f"{seed}:audit").choice((5, 10, 30))),
        batch=random.choice((1, 1, 1, 5, 20)),
        skews=tuple(random.uniform(-SKEW_MS, SKEW_MS) / 1_000 for _ in range(replicas)),
        drifts=tuple(random.uniform(-1e-4, 1e-4) for _ in range(replicas)),
    )
    if is_stuck:
        config = attrs.evolve(plan.config, order_execution_timeout=PATIENT)
        plan = attrs.evolve(plan, config=config)
    return plan


def _config(random: Random, visibility: float) -> EngineConfig:
    return EngineConfig(
        market_order_spread_threshold=Decimal(random.choice(("0", "0", "0", "0.01"))),
        limit_time_in_force=random.choice((TimeInForce.POST_ONLY, TimeInForce.GTC)),
        enable_order_splitting=random.random() < 0.4,
        max_single_order_size=Decimal(random.choice((1_000, 2_500, 10_000))),
        max_order_size_ratio=Decimal(random.choice(("0.05", "1"))),
        max_position_size=Decimal(random.choice(("0.05", "0.2", "1"))),
        max_exposure=Decimal(random.choice((5_000, 50_000))),
        enable_order_size_reduction=random.random() < 0.7,
        cancel_opposite_orders_only=random.random() < 0.5,
        cancel_same_strategy_only=random.random() < 0.5,
        cancel_partially_filled=random.random() < 0.3,
        supersede_out_of_order=random.random() < 0.3,
        order_execution_timeout=timedelta(seconds=random.choice((3, 10, 30))),
        signal_max_age=timedelta(seconds=random.choice((20, 300))),
        cancel_stale_order_timeout=timedelta(seconds=random.choice((15, 3600))),
        visibility=timedelta(seconds=max(1.0, visibility)),
        position_snapshot_interval=timedelta(seconds=random.choice((10, 300))),
        sweep_interval=timedelta(seconds=random.choice((10, 30))),
        position_validation_interval=timedelta(seconds=random.choice((15, 3600))),
        adopt_existing=True,
    )
