"""OtelSpans: the life of a signal as OpenTelemetry spans, exported by OTLP over HTTP.

A trace has the id of the caller's W3C context, else one made of our own trace id, else of the
signal's id: all spans of a signal are one trace, also those that a restart makes of its orders.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import (
    INVALID_SPAN_CONTEXT,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    Tracer,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from order_domain.model.enums import AnswerOutcome, EventKind, Verdict
from order_domain.model.events import Event
from order_domain.model.identifiers import event_id, symbol_of
from order_domain.model.inputs import DeliveryInvalid, SignalDelivered
from order_domain.model.order import Order
from order_domain.model.reports import Answer
from order_domain.model.rows import Change, SignalRow
from order_domain.model.steps import Acknowledge, SendAmend, SendCancel, SendCreate
from order_domain.model.trace import span_id_of, trace_id_of
from order_domain.ports.outbox import NumberedEvent

REMEMBERED: Final = 20_000
"""Signals whose spans are known; of an older one the trace goes on, without a parent."""
BUS: Final = "bus"
"""The relay whose messages go to the neighbours."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_GOOD: Final = (AnswerOutcome.ACCEPTED, AnswerOutcome.EXISTS)
_ACKNOWLEDGED: Final = (EventKind.ORDER_ACCEPTED, EventKind.ORDER_REJECTED, EventKind.ORDER_UNKNOWN)
_PROPAGATOR: Final = TraceContextTextMapPropagator()
K = TypeVar("K")
V = TypeVar("V")


class _Ids(RandomIdGenerator):
    """Random ids, unless the next trace or span has one already."""

    def __init__(self) -> None:
        self.trace_id: int | None = None
        self.span_id: int | None = None

    def generate_span_id(self) -> int:
        return super().generate_span_id() if self.span_id is None else self.span_id

    def generate_trace_id(self) -> int:
        return super().generate_trace_id() if self.trace_id is None else self.trace_id


class OtelSpans:
    """Makes the spans of signals, orders and events.

    Args:
        processor: Where ended spans go; it must not block.
        service, account: Whose they are.
    """

    def __init__(self, processor: SpanProcessor, *, service: str, account: str) -> None:
        self._ids = _Ids()
        resource = Resource.create({"service.name": service, "order_manager.account": account})
        self._provider = TracerProvider(
            resource=resource, id_generator=self._ids, shutdown_on_exit=False
        )
        self._provider.add_span_processor(processor)
        self._tracer: Tracer = self._provider.get_tracer("order-manager")
        self._deciding: OrderedDict[int, Span] = OrderedDict()
        self._of_signals: OrderedDict[str, SpanContext] = OrderedDict()

    async def close(self) -> None:
        """Export what is left, as long as the exporter may take."""
        await asyncio.to_thread(self._provider.shutdown)

    def received(self, delivery: SignalDelivered | DeliveryInvalid, parent: str) -> None:
        """A delivery came in; `signal.decide` begins.

        Args:
            parent: The caller's `traceparent`, or nothing.
        """
        name, trace_id = _names(delivery)
        facts: dict[str, str | int] = {
            "signal.id": name,
            "signal.delivery": delivery.number,
            "trace.id": trace_id,
        }
        context = _PROPAGATOR.extract({"traceparent": parent}, Context()) if parent else Context()
        root = self._begun("signal.receive", context, trace_id or name, SpanKind.CONSUMER)
        root.set_attributes(facts)
        root.end()
        within = set_span_in_context(root, Context())
        deciding = self._tracer.start_span("signal.decide", within, attributes=facts)
        if forgotten := _kept(self._deciding, delivery.number, deciding):
            forgotten.end()
        if name and name not in self._of_signals:
            _kept(self._of_signals, name, deciding.get_span_context())

    def decided(self, effect: Acknowledge) -> None:
        """The verdict on a delivery is committed: `signal.decide` ends, unless it waits on."""
        if effect.verdict is Verdict.PARKED:
            if waiting := self._deciding.get(effect.number):
                waiting.add_event("parked", {"signal.code": effect.code})
            return
        span = self._deciding.pop(effect.number, None)
        if span is not None:
            verdict = {"signal.verdict": effect.verdict.value, "signal.code": effect.code}
            span.set_attributes(verdict)
            span.end()

    def answered(
        self, command: SendCreate | SendAmend | SendCancel, answer: Answer, seconds: float
    ) -> None:
        """An attempt has its answer, so many seconds after it began: `order.submit`."""
        now = time.time_ns()
        span = self._of(command.order, "order.submit", SpanKind.CLIENT, now - _nanoseconds(seconds))
        span.set_attributes(
            {
                "order.command": answer.kind.value,
                "order.attempt": answer.attempt,
                "order.outcome": answer.outcome.value,
                "order.answer": answer.text,
            }
        )
        if answer.outcome not in _GOOD:
            span.set_status(StatusCode.ERROR, answer.outcome.value)
        span.end(now)

    def committed(self, changes: Sequence[Change]) -> None:
        """Rows are durable: what an answer came to is `order.acknowledge`, from step to commit."""
        for change in changes:
            if isinstance(change, SignalRow):
                self.decided(Acknowledge(change.delivery, change.verdict, change.code))
            elif isinstance(change, Event) and change.order and change.kind in _ACKNOWLEDGED:
                began = _of_moment(change.at)
                span = self._of(change.order, "order.acknowledge", SpanKind.INTERNAL, began)
                span.set_attributes({"event.kind": change.kind.value, "event.code": change.code})
                span.end()

    def published(self, relay: str, event: NumberedEvent, seconds: float) -> None:
        """A publisher has an event, so many seconds after it was begun: `event.publish`.

        On the bus its id is the parent that the message's `traceparent` names.
        """
        order = event.event.order
        if order is None:
            return
        now = time.time_ns()
        if relay == BUS:
            name = str(event_id(event.event.subject, event.event.sequence))
            self._ids.span_id = span_id_of(name)
        try:
            span = self._of(order, "event.publish", SpanKind.PRODUCER, now - _nanoseconds(seconds))
        finally:
            self._ids.span_id = None
        facts = {"event.kind": event.event.kind.value, "event.number": event.number}
        span.set_attributes({**facts, "event.relay": relay})
        span.end(now)

    def _of(self, order: Order, name: str, kind: SpanKind, began: int) -> Span:
        """A span of an order, below its signal's decision."""
        terms = order.terms
        parent = self._of_signals.get(terms.signal_id, INVALID_SPAN_CONTEXT)
        context = (
            set_span_in_context(NonRecordingSpan(parent), Context())
            if parent.is_valid
            else Context()
        )
        span = self._begun(name, context, terms.trace_id or terms.signal_id, kind, began)
        span.set_attributes(
            {
                "order.client_id": order.client_order_id,
                "order.venue_id": order.venue_order_id,
                "order.symbol": symbol_of(terms.instrument_id),
                "order.side": terms.side.value,
                "signal.id": terms.signal_id,
                "trace.id": terms.trace_id,
            }
        )
        return span

    def _begun(
        self, name: str, context: Context, of: str, kind: SpanKind, began: int | None = None
    ) -> Span:
        """A span that begins its trace, if its context has none, with the id made of a text."""
        self._ids.trace_id = trace_id_of(of) if of else None
        try:
            return self._tracer.start_span(name, context, kind, start_time=began)
        finally:
            self._ids.trace_id = None


def exporting(endpoint: str, *, service: str, account: str) -> OtelSpans:
    """Spans that go to a collector by OTLP over HTTP, in batches, from a thread of their own."""
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
    return OtelSpans(BatchSpanProcessor(exporter), service=service, account=account)


def _names(delivery: SignalDelivered | DeliveryInvalid) -> tuple[str, str]:
    """The signal's id and trace id, as far as they could be read."""
    if isinstance(delivery, DeliveryInvalid):
        return delivery.signal_id, ""
    return delivery.signal.signal_id, delivery.signal.trace_id


def _kept(known: "OrderedDict[K, V]", key: K, value: V) -> V | None:
    """Keep a value; return the one that is forgotten for it."""
    known[key] = value
    return known.popitem(last=False)[1] if len(known) > REMEMBERED else None


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)


def _of_moment(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND * 1000
