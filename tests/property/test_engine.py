"""The engine between random signals and an exchange whose words get lost, repeated and late.

After every step: what is stored makes the same book, events are gapless, sums are right, limits
hold at the exchange, and nothing was sent twice.
"""

from collections import Counter
from decimal import Decimal
from typing import Any

import attrs
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from order_domain import exposure
from order_domain.book import Book
from order_domain.codes import Code
from order_domain.model.enums import (
    AnswerOutcome,
    CommandKind,
    OrderStatus,
    PositionSide,
    Side,
    Trading,
    VenueStatus,
    Verdict,
)
from order_domain.model.identifiers import StrategyId
from order_domain.model.inputs import (
    CancelAll,
    CancelOrder,
    ClosePosition,
    DeliveryInvalid,
    Flatten,
    SetTradingState,
)
from order_domain.model.order import AT_VENUE, TERMINAL, Order
from order_domain.model.reports import Answer, OrderReport
from order_domain.model.signal import SignalIntent
from order_domain.model.steps import (
    Acknowledge,
    LookUp,
    SendAmend,
    SendCancel,
    SendCreate,
    Step,
    Sweep,
)
from tests.builders import BTC, D, a_place_order, seconds
from tests.engine_driver import World, a_world
from tests.property.exchange import Exchange, VenueOrder, venue_id

LIMIT = D("0.1")
KEY = (BTC, PositionSide.BOTH)
THEN = [
    "nothing",
    "without a quote",
    "unanswered",
    "arrives",
    "shown",
    "shown",
    "fills in part",
    "fills",
    "fills",
    "fills unheard",
    "fills, and only a report tells",
    "is lost",
    "is late",
    "arrives, and we die",
]
FATES = [
    None,
    None,
    None,
    AnswerOutcome.UNKNOWN,
    AnswerOutcome.UNKNOWN,
    AnswerOutcome.NOT_SENT,
    AnswerOutcome.NOT_ACCEPTED,
    AnswerOutcome.CLOCK,
    AnswerOutcome.REFUSED,
]


class Watched(World):
    """A world that checks every step as it is taken."""

    def __init__(self, **config: Any) -> None:
        super().__init__(**config)
        self.outbox: list[SendCreate | SendCancel | SendAmend] = []
        self.queries: list[LookUp | Sweep] = []
        self.late: list[SendCreate] = []
        self.sent: set[tuple[str, str, int, int]] = set()
        self.handed_out: list[tuple[Any, tuple[object, ...]]] = []
        self.exchange = Exchange()

    def commit(self, step: Step) -> Step:
        super().commit(step)
        self.queries += step.queries
        for effect in step.effects:
            if isinstance(effect, SendCreate | SendCancel | SendAmend):
                self._send(effect)
        self.handed_out += [(row, fields_of(row)) for row in step.changes]
        self.check_load()
        return step

    def _send(self, effect: SendCreate | SendCancel | SendAmend) -> None:
        key = key_of(effect)
        assert key not in self.sent, "one attempt was sent twice"
        self.sent.add(key)
        if isinstance(effect, SendCreate):
            self._check_create(effect.order)
        else:
            assert effect.order.status in AT_VENUE, "overtook its create"
        self.outbox.append(effect)

    def _check_create(self, order: Order) -> None:
        order_id, terms = order.client_order_id, order.terms
        assert order.status is OrderStatus.SUBMITTING
        assert order.request_ts == self.now <= terms.valid_until
        assert terms.reduce_only or not self.engine.is_behind_barrier
        assert order_id not in self.exchange.orders, "sent although it lives"
        before = [one for one in self.late if one.order.client_order_id == order_id]
        assert not any(self.may_be_born(one) for one in before), "sent although it may be born"
        replaced = [self.exchange.orders.get(one) for one in terms.replaces]
        assert not any(one is not None and one.is_open for one in replaced), "sent too early"

    def may_be_born(self, effect: SendCreate) -> bool:
        """The exchange takes a request only within its receive window."""
        stamp = effect.order.request_ts
        return stamp is not None and self.now <= stamp + self.config.recv_window

    def check_load(self) -> None:
        """What is stored makes the same book (protocol 1.3)."""
        loaded, held = self.loaded_book().durable(), self.book.durable()
        for name, value in held.items():
            assert loaded[name] == value, name


def fields_of(row: Any) -> tuple[object, ...]:
    return tuple(getattr(row, field.name) for field in attrs.fields(type(row)))


def key_of(effect: SendCreate | SendCancel | SendAmend) -> tuple[str, str, int, int]:
    order_id = effect.order.client_order_id
    if isinstance(effect, SendCreate):
        return order_id, CommandKind.CREATE, 0, effect.order.attempt
    kind = CommandKind.CANCEL if isinstance(effect, SendCancel) else CommandKind.AMEND
    return order_id, kind, effect.number, effect.attempt


class EngineAndExchange(RuleBasedStateMachine):
    world: Watched
    exchange: Exchange
    delivered: int

    @initialize(
        splits=st.booleans(),
        opposite_only=st.booleans(),
        cancels_partly=st.booleans(),
        flips=st.booleans(),
        post_only=st.booleans(),
    )
    def open(
        self,
        splits: bool,
        opposite_only: bool,
        cancels_partly: bool,
        flips: bool,
        post_only: bool,
    ) -> None:
        self.world = Watched(
            max_position_size=LIMIT,
            max_single_order_size=D(1200),
            max_orders_per_second=D(20),
            enable_order_splitting=splits,
            cancel_opposite_orders_only=opposite_only,
            cancel_partially_filled=cancels_partly,
            allow_flip=flips,
            requote_post_only=post_only,
            retention=seconds(86_400),
            cancel_stale_order_timeout=seconds(120),
            order_execution_timeout=seconds(20),
        )
        self.exchange = self.world.exchange
        self.answers: list[Answer] = []
        prepared = a_world()
        for change in prepared.book.instruments.values():
            self.world.feed(change)
        self.world.wallet()
        self._connect()
        self._answer_queries()
        self.delivered = 0

    def _connect(self) -> None:
        self.world.transport(up=True)
        self.world.stream(healthy=True)
        self.world.quote()

    # -- signals and people

    @rule(
        side=st.sampled_from(Side),
        amount=st.sampled_from([D(300), D(500), D(1000), D(1500), D(2600), D(6000)]),
        confidence=st.sampled_from([D("0.5"), D("0.95")]),
        strategy=st.sampled_from(["trend", "carry"]),
        then=st.sampled_from(THEN),
    )
    def signal(
        self, side: Side, amount: Decimal, confidence: Decimal, strategy: str, then: str
    ) -> None:
        self._signal(side, amount, confidence, strategy, then)

    @rule(data=st.data(), side=st.sampled_from(Side), then=st.sampled_from(THEN))
    def small_signal(self, data: st.DataObject, side: Side, then: str) -> None:
        """Most signals are nothing special."""
        confidence = data.draw(st.sampled_from([D("0.5"), D("0.95")]))
        self._signal(side, D(500), confidence, "trend", then)

    def _signal(
        self, side: Side, amount: Decimal, confidence: Decimal, strategy: str, then: str
    ) -> None:
        if then != "without a quote":
            self.world.quote()
        self.delivered += 1
        self.world.signal(
            side=side, amount=amount, confidence=confidence, strategy_id=StrategyId(strategy)
        )
        self._go_on(then)

    def _go_on(self, then: str) -> None:
        """Let what was just sent go its way, so that lives of some length are common."""
        if then in ("without a quote", "nothing"):
            return
        if then == "arrives, and we die":
            self.restart("arrived", connects=True, answered=True)
            return
        for effect in [one for one in self.world.outbox if isinstance(one, SendCreate)]:
            self.world.outbox.remove(effect)
            if then in ("is lost", "is late"):
                self.world.late += [effect] if then == "is late" else []
                self._answer(effect, AnswerOutcome.UNKNOWN)
                continue
            self._create_arrives(effect, answered=then != "unanswered")
            placed = self.exchange.orders.get(effect.order.client_order_id)
            if placed is not None and placed.is_open:
                self._fills_go_on(placed, then)

    def _fills_go_on(self, placed: VenueOrder, then: str) -> None:
        if then in ("shown", "fills in part"):
            self.world.feed(self.exchange.report(placed))
        if not then.startswith("fills"):
            return
        part = placed.leaves if then != "fills in part" else D("0.001")
        execution = self.exchange.fill(placed, part, self.world.now)
        if then == "fills, and only a report tells":
            self.world.feed(self.exchange.report(placed))
        elif then != "fills unheard":
            self.world.feed(execution)

    @rule(
        side=st.sampled_from(Side),
        amount=st.sampled_from([D("0.005"), D(1)]),
        then=st.sampled_from(THEN),
    )
    def close_signal(self, side: Side, amount: Decimal, then: str) -> None:
        held = self.exchange.position()
        if held and amount == 1:
            side = Side.SELL if held > 0 else Side.BUY
        self.delivered += 1
        self.world.signal(side=side, amount=amount, intent=SignalIntent.CLOSE)
        self._go_on(then)

    @precondition(lambda self: self.delivered)
    @rule(data=st.data(), other_body=st.booleans())
    def repeat_a_signal(self, data: st.DataObject, other_body: bool) -> None:
        known = data.draw(st.sampled_from(list(self.world.book.signals)))
        self.world.redeliver(known, **({"body_hash": "h2"} if other_body else {}))

    @precondition(lambda self: self.delivered % 5 == 1)
    @rule()
    def deliver_nonsense(self) -> None:
        self.world._delivery += 1
        self.world.feed(
            DeliveryInvalid(self.world._delivery, Code.BODY_INVALID, "amount", "> 0", "-1", "{}")
        )

    @rule(data=st.data())
    def ask_as_a_person(self, data: st.DataObject) -> None:
        world, request = self.world, f"r{len(self.world.steps)}"
        who = {"request_id": request, "actor": "ann"}
        choices: list[Any] = [
            a_place_order(**who, side=data.draw(st.sampled_from(Side)), quantity=D("0.005"))
        ]
        if world.book.orders:
            order_id = data.draw(st.sampled_from(list(world.book.orders)))
            choices += [CancelOrder(**who, client_order_id=order_id), CancelAll(**who)]
        if self.exchange.position():
            choices += [ClosePosition(**who, instrument_id=BTC), Flatten(**who)]
        world.quote()
        world.feed(data.draw(st.sampled_from(choices)))

    @precondition(lambda self: self.delivered % 4 == 1 or self._is_restricted())
    @rule(state=st.sampled_from([Trading.REDUCE_ONLY, Trading.CANCEL_ONLY, Trading.HALTED]))
    def trading_is_restricted_or_resumed(self, state: Trading) -> None:
        known = self.world.book.states.get(("account", "OPERATOR"))
        self.world.feed(
            SetTradingState(
                request_id=f"s{len(self.world.steps)}",
                actor="ann",
                scope="account",
                state=Trading.ACTIVE if self._is_restricted() else state,
                reason="test",
                version=None if known is None else known.version,
            )
        )

    def _is_restricted(self) -> bool:
        known = self.world.book.states.get(("account", "OPERATOR"))
        return known is not None and known.state is not Trading.ACTIVE

    # -- what becomes of commands

    @precondition(lambda self: self.world.outbox)
    @rule(data=st.data(), fate=st.sampled_from(FATES))
    def a_command_meets_its_fate(self, data: st.DataObject, fate: AnswerOutcome | None) -> None:
        """It arrives and is answered (None), is turned away, or nobody hears an answer."""
        effect = self.world.outbox.pop(data.draw(st.integers(0, len(self.world.outbox) - 1)))
        if fate is not None and fate is not AnswerOutcome.UNKNOWN:
            self._answer(effect, fate)
        elif fate is AnswerOutcome.UNKNOWN and data.draw(st.booleans()):
            if isinstance(effect, SendCreate) and data.draw(st.booleans()):
                self.world.late.append(effect)  # else it never arrives
            self._answer(effect, fate)
        elif isinstance(effect, SendCreate):
            self._create_arrives(effect, answered=fate is None)
        elif isinstance(effect, SendCancel):
            self._cancel_arrives(effect, answered=fate is None)

    def _create_arrives(self, effect: SendCreate, *, answered: bool) -> None:
        order, now = effect.order, self.world.now
        assert order.request_ts is not None
        if now > order.request_ts + self.world.config.recv_window:
            self._answer(effect, AnswerOutcome.CLOCK if answered else AnswerOutcome.UNKNOWN)
            return
        hidden = seconds(0) if answered else self.world.config.visibility
        if not self.exchange.place(order, now, hidden):
            self._answer(effect, AnswerOutcome.EXISTS)
        elif self.exchange.orders[order.client_order_id].status is VenueStatus.REJECTED:
            del self.exchange.orders[order.client_order_id]
            self._answer(effect, AnswerOutcome.REFUSED)
        else:
            self._answer(effect, AnswerOutcome.ACCEPTED if answered else AnswerOutcome.UNKNOWN)

    def _cancel_arrives(self, effect: SendCancel, *, answered: bool) -> None:
        placed = self.exchange.orders.get(effect.order.client_order_id)
        if placed is None or not placed.is_open:
            outcome = AnswerOutcome.NOT_FOUND
        else:
            self.exchange.cancel(placed, self.world.now)
            outcome = AnswerOutcome.ACCEPTED
        self._answer(effect, outcome if answered else AnswerOutcome.UNKNOWN)

    def _answer(self, effect: SendCreate | SendCancel | SendAmend, outcome: AnswerOutcome) -> None:
        _order_id, kind, number, attempt = key_of(effect)
        accepted = outcome is AnswerOutcome.ACCEPTED
        venue = venue_id(VenueOrder(effect.order, D(0))) if accepted else ""
        self.answers.append(
            Answer(
                effect.order.client_order_id,
                CommandKind(kind),
                number,
                attempt,
                outcome,
                0,
                "",
                venue,
            )  # type: ignore[arg-type]
        )
        self.world.feed(self.answers[-1])

    @precondition(lambda self: self.answers)
    @rule(data=st.data())
    def an_answer_is_heard_again(self, data: st.DataObject) -> None:
        self.world.feed(data.draw(st.sampled_from(self.answers)))

    # -- what the exchange does and tells

    def _open_orders(self) -> list[VenueOrder]:
        return [one for one in self.exchange.orders.values() if one.is_open]

    @precondition(lambda self: self._open_orders())
    @rule(data=st.data(), part=st.sampled_from([1, 2, 3, 0]), heard=st.booleans())
    def an_open_order_fills_or_is_cancelled(
        self, data: st.DataObject, part: int, heard: bool
    ) -> None:
        placed = data.draw(st.sampled_from(self._open_orders()))
        if not part:
            self.exchange.cancel(placed, self.world.now)
            return
        step = D("0.001")
        quantity = max(placed.leaves / part // step * step, step)
        execution = self.exchange.fill(placed, quantity, self.world.now)
        if heard:
            self.world.feed(execution)

    @precondition(lambda self: self.exchange.orders)
    @rule(data=st.data(), would_take=st.booleans())
    def the_exchange_tells_something(self, data: st.DataObject, would_take: bool) -> None:
        placed = data.draw(st.sampled_from(list(self.exchange.orders.values())))
        told = data.draw(st.sampled_from([*placed.executions, self.exchange.report(placed)]))
        if would_take and isinstance(told, OrderReport) and told.status is VenueStatus.CANCELLED:
            told = attrs.evolve(told, reject_reason="EC_PostOnlyWillTakeLiquidity")
        self.world.feed(told)

    @precondition(lambda self: self.world.queries)
    @rule(data=st.data(), complete=st.sampled_from([True, True, False]))
    def queries_are_answered(self, data: st.DataObject, complete: bool) -> None:
        for _ in range(data.draw(st.sampled_from([1, len(self.world.queries)]))):
            self._answer_query(self.world.queries.pop(0), complete=complete)

    def _answer_query(self, query: LookUp | Sweep, *, complete: bool = True) -> None:
        world, now = self.world, self.world.now
        if isinstance(query, Sweep):
            world.feed(self.exchange.sweep(query.reason, now, complete=complete))
        else:
            found = self.exchange.look_up(
                query.client_order_id, query.attempt, now, complete=complete
            )
            world.feed(found)

    def _answer_queries(self) -> None:
        while self.world.queries:
            self._answer_query(self.world.queries.pop(0))

    # -- time, plumbing, crashes

    @rule(pause=st.sampled_from([0.0, 0.3, 2.0, 7.0, 30.0]), quotes=st.booleans())
    def time_passes(self, pause: float, quotes: bool) -> None:
        self.world.pass_(pause, quotes=quotes)

    @rule(lost=st.sampled_from(["transport", "stream"]), pause=st.sampled_from([0.1, 3.0]))
    def plumbing_is_lost_for_a_while(self, lost: str, pause: float) -> None:
        if lost == "transport":
            self.world.transport(up=False)
        else:
            self.world.stream(healthy=False)
        self.world.pass_(pause)
        self._connect()

    @precondition(lambda self: self.world.book.unknown)
    @rule(
        completes=st.one_of(
            st.just([True] * 10),
            st.just([False] * 10),
            st.lists(st.booleans(), min_size=5, max_size=10),
        ),
        arrives=st.integers(0, 10),
        pause=st.sampled_from([0.1, 2.1]),
    )
    def the_unknown_is_looked_into(self, completes: list[bool], arrives: int, pause: float) -> None:
        """Look-ups of several seconds, some incomplete; what is late may arrive meanwhile."""
        for number, complete in enumerate(completes):
            if number == arrives:
                self._late_ones_arrive()
            self.world.pass_(pause if number % 2 else 2.1)
            while self.world.queries:
                self._answer_query(self.world.queries.pop(0), complete=complete)

    def _late_ones_arrive(self) -> None:
        late, self.world.late = self.world.late, []
        for effect in late:
            if self.world.may_be_born(effect):
                self.exchange.place(effect.order, self.world.now, self.world.config.visibility)

    @rule(
        in_flight=st.sampled_from(["arrived", "is lost", "is late"]),
        connects=st.booleans(),
        answered=st.booleans(),
    )
    def process_dies(self, in_flight: str, connects: bool, answered: bool) -> None:
        self.restart(in_flight, connects=connects, answered=answered)

    def restart(self, in_flight: str, *, connects: bool, answered: bool) -> None:
        """The process dies: its queries and all answers to it die with it."""
        self.world.queries.clear()
        sent = [one for one in self.world.outbox if isinstance(one, SendCreate)]
        self.world.outbox.clear()
        if in_flight != "is lost":
            self.world.late += sent
        if in_flight == "arrived":
            self._late_ones_arrive()
        self.world.restart()
        if connects:
            self._connect()
        if answered:
            self._answer_queries()

    # -- what must always hold

    @invariant()
    def events_of_every_order_are_gapless(self) -> None:
        numbers: dict[str, list[int]] = {}
        for event in self.world.store.events:
            numbers.setdefault(event.subject, []).append(event.sequence)
        for subject, found in numbers.items():
            assert found == list(range(1, len(found) + 1)), subject
        for order in self.world.orders():
            assert len(numbers[order.client_order_id]) == order.version

    @invariant()
    def orders_and_position_are_sums_of_the_ledger(self) -> None:
        book = self.world.book
        booked = [
            one
            for one in self.exchange.executions
            if (one.instrument_id, one.exec_id) in book.executions
        ]
        for order in self.world.orders():
            mine = [one for one in booked if one.client_order_id == order.client_order_id]
            assert order.cum_quantity == sum((one.quantity for one in mine), D(0))
        held = book.positions.get(KEY)
        size = sum(
            (one.quantity if one.side is Side.BUY else -one.quantity for one in booked), D(0)
        )
        assert (held.size if held is not None else 0) == size

    @invariant()
    def what_has_ended_waits_for_nothing(self) -> None:
        book = self.world.book
        assert not any(book.orders[order_id].is_terminal for order_id, _ in book.open_commands)
        for order in self.world.orders():
            assert (order.closed_at is not None) == order.is_terminal

    @invariant()
    def kept_sums_are_what_they_sum_up(self) -> None:
        book = self.world.book
        kept = dict(book.leaves_cache)
        fresh = Book()
        for row in self.world.stored_rows():
            fresh.apply(row)
        for key, value in kept.items():
            assert exposure.leaves(fresh, key) == value

    @invariant()
    def limits_hold_in_our_books_and_at_the_exchange(self) -> None:
        book = self.world.book
        position = exposure.position(book, KEY)
        buy, sell = exposure.leaves(book, KEY)
        assert position + buy <= LIMIT
        assert position - sell >= -LIMIT
        assert self.exchange.position() + self.exchange.leaves(Side.BUY) <= LIMIT
        assert self.exchange.position() - self.exchange.leaves(Side.SELL) >= -LIMIT

    @invariant()
    def no_delivery_has_two_verdicts(self) -> None:
        final = Counter(
            effect.number
            for step in self.world.steps
            for effect in step.effects
            if isinstance(effect, Acknowledge) and effect.verdict is not Verdict.PARKED
        )
        assert not final or max(final.values()) == 1

    def teardown(self) -> None:
        """Everything is answered and told at last: nothing waits, and both books agree."""
        if not hasattr(self, "world"):
            return
        world = self.world
        self._connect()
        for _ in range(60):
            while world.outbox:
                effect = world.outbox.pop(0)
                if isinstance(effect, SendCreate):
                    self._create_arrives(effect, answered=True)
                elif isinstance(effect, SendCancel):
                    self._cancel_arrives(effect, answered=True)
            self._answer_queries()
            world.pass_(7)
        for execution in self.exchange.executions:
            world.feed(execution)
        for placed in list(self.exchange.orders.values()):
            world.feed(self.exchange.report(placed))
        self._everything_is_settled()

    def _everything_is_settled(self) -> None:
        world, book = self.world, self.world.book
        assert not book.parked
        assert not book.unknown
        assert not book.intents
        assert all(row.verdict is not Verdict.PARKED for row in book.signals.values())
        numbers = [
            effect.number
            for step in world.steps
            for effect in step.effects
            if isinstance(effect, Acknowledge) and effect.verdict is not Verdict.PARKED
        ]
        assert sorted(numbers) == list(range(1, world._delivery + 1))
        held = book.positions.get(KEY)
        assert (held.size if held is not None else 0) == self.exchange.position()
        for order in world.orders():
            placed = self.exchange.orders.get(order.client_order_id)
            if placed is None:
                assert order.status in TERMINAL
                assert not order.cum_quantity
            else:
                assert order.cum_quantity == placed.cum
                assert order.is_terminal != placed.is_open, (order, placed)
        for row, fields in world.handed_out:
            assert fields_of(row) == fields, "a row was changed after it was handed out"


TestEngineAndExchange = EngineAndExchange.TestCase
TestEngineAndExchange.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
