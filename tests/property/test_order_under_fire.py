"""An order on its worst day: facts in any order, any number of times, give one and the same end.

The oracle knows only the set of executions and the exchange's last word.
"""

from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from order_domain.model.enums import AnswerOutcome, CommandKind, OrderStatus, VenueStatus
from order_domain.model.execution import Execution
from order_domain.model.identifiers import ExecutionId
from order_domain.model.order import Order
from order_domain.model.reports import Answer, OrderReport
from tests.builders import D, an_execution
from tests.engine_driver import MS, World, a_world

LOT = D("0.001")
LOTS = 20
V = VenueStatus
LAST_WORDS = {
    V.FILLED: OrderStatus.FILLED,
    V.CANCELLED: OrderStatus.CANCELLED,
    V.PARTIALLY_FILLED_CANCELLED: OrderStatus.CANCELLED,
    V.REJECTED: OrderStatus.REJECTED,
    V.NEW: OrderStatus.WORKING,
    V.PARTIALLY_FILLED: OrderStatus.PARTIALLY_FILLED,
}


class OrderUnderFire(RuleBasedStateMachine):
    """One order; what the exchange did with it is decided first, and told in any way at all."""

    world: World
    order: Order
    executions: list[Execution]
    reports: list[OrderReport]

    @initialize(fills=st.lists(st.integers(1, LOTS), max_size=5), word=st.sampled_from(V))
    def decide_what_happened(self, fills: list[int], word: VenueStatus) -> None:
        self.world = a_world()
        self.world.signal()
        self.order = self.world.the_order()
        assert self.order.quantity == LOTS * LOT
        self.executions, self.reports, self.booked = [], [], set[str]()
        self._report(V.NEW, 0)
        done = 0
        for number, lots in enumerate(fills):
            lots = min(lots, LOTS - done)  # noqa: PLW2901 -- never more than was ordered
            if not lots:
                break
            done += lots
            self.executions.append(self._execution(number, lots))
            if done < LOTS:
                self._report(V.PARTIALLY_FILLED, done)
        self.last_word = self._end(word, done)
        if self.last_word is not self.reports[-1].status:
            self._report(self.last_word, done)

    def _end(self, word: VenueStatus, done: int) -> VenueStatus:
        if done == LOTS:
            return V.FILLED
        if word is V.REJECTED and not done:
            return V.REJECTED
        if word in (V.CANCELLED, V.PARTIALLY_FILLED_CANCELLED):
            return V.PARTIALLY_FILLED_CANCELLED if done else V.CANCELLED
        return V.PARTIALLY_FILLED if done else V.NEW

    def _report(self, status: VenueStatus, lots: int) -> None:
        at = self.world.now + (len(self.reports) + 1) * MS
        self.reports.append(
            self.world.report_of(self.order, status, cum_quantity=lots * LOT, updated_at=at)
        )

    def _execution(self, number: int, lots: int) -> Execution:
        return an_execution(
            exec_id=ExecutionId(f"e{number}"),
            client_order_id=self.order.client_order_id,
            venue_order_id=self.reports[0].venue_order_id,
            price=D(49990) - number,
            quantity=lots * LOT,
            fee=D(number) / 100,
            fee_coin=("USDT", "BNB")[number % 2],
            executed_at=self.world.now + number * MS,
        )

    @rule(data=st.data())
    def tell_a_report(self, data: st.DataObject) -> None:
        self.world.feed(data.draw(st.sampled_from(self.reports)))

    @precondition(lambda self: self.executions)
    @rule(data=st.data())
    def tell_an_execution(self, data: st.DataObject) -> None:
        self._book(data.draw(st.sampled_from(self.executions)))

    def _book(self, execution: Execution) -> None:
        self.world.feed(execution)
        self.booked.add(execution.exec_id)

    @rule(outcome=st.sampled_from(AnswerOutcome))
    def answer_the_first_attempt(self, outcome: AnswerOutcome) -> None:
        self.world.feed(
            Answer(
                self.order.client_order_id,
                CommandKind.CREATE,
                0,
                1,
                outcome,
                0,
                "",
                self.reports[0].venue_order_id,
            )
        )

    @rule(data=st.data(), complete=st.booleans())
    def look_it_up(self, data: st.DataObject, complete: bool) -> None:
        """A look-up sees some moment of the exchange, with the executions until then or without."""
        moment = data.draw(st.integers(0, len(self.reports) - 1))
        shown = self.reports[moment]
        seen = self.executions[: moment + 1] if data.draw(st.booleans()) else []
        seen = [one for one in seen if one.quantity <= shown.cum_quantity]
        self.world.lookup(self.order, found=shown, executions=seen, complete=complete)
        self.booked.update(one.exec_id for one in seen)

    @rule(after=st.sampled_from([0.0, 0.2, 3.0, 40.0]))
    def let_time_pass(self, after: float) -> None:
        self.world.pass_(after)

    @invariant()
    def the_ledger_is_the_sum_of_what_was_told(self) -> None:
        if not hasattr(self, "order"):
            return
        order = self.world.order(self.order)
        told = [one for one in self.executions if one.exec_id in self.booked]
        assert order.cum_quantity == sum((one.quantity for one in told), D(0))
        assert order.cum_value == sum((one.quantity * one.price for one in told), D(0))
        assert len(self.world.book.executions) == len(told)

    @invariant()
    def an_end_by_the_exchange_is_never_stored_before_the_ledger_agrees(self) -> None:
        if not hasattr(self, "order"):
            return
        order = self.world.order(self.order)
        if order.is_terminal:
            assert order.reported_status is None
        assert order.leaves_quantity >= 0
        assert (order.closed_at is not None) == order.is_terminal

    def teardown(self) -> None:
        if not hasattr(self, "order"):
            return
        for execution in self.executions:
            self._book(execution)
        for report in reversed(self.reports):
            self.world.feed(report)
        self.agrees_with_the_oracle()

    def agrees_with_the_oracle(self) -> None:
        order = self.world.order(self.order)
        fees: dict[str, Decimal] = {}
        for one in self.executions:
            if one.fee:
                fees[one.fee_coin] = fees.get(one.fee_coin, D(0)) + one.fee
        assert order.status is LAST_WORDS[self.last_word]
        assert order.cum_quantity == sum((one.quantity for one in self.executions), D(0))
        assert order.cum_value == sum((one.quantity * one.price for one in self.executions), D(0))
        assert order.fees == fees
        assert order.unbooked_quantity == 0
        size = self.world.position().size if self.executions else D(0)
        assert size == order.cum_quantity
        events = [
            event for event in self.world.store.events if event.subject == order.client_order_id
        ]
        assert [event.sequence for event in events] == list(range(1, order.version + 1))


TestOrderUnderFire = OrderUnderFire.TestCase
TestOrderUnderFire.settings = settings(max_examples=80, stateful_step_count=20, deadline=None)
