"""Spans of orders: in the trace of their signal, as good or bad as their answers, and bounded."""

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from order_adapters.messaging.rabbitmq.wire import write_event
from order_adapters.tracing import otel
from order_adapters.tracing.otel import OtelSpans
from order_domain.model.enums import AnswerOutcome, CommandKind, Verdict
from order_domain.model.identifiers import TraceId
from order_domain.model.inputs import DeliveryInvalid, SignalDelivered
from order_domain.model.reports import Answer
from order_domain.model.steps import Acknowledge, SendCreate
from order_domain.model.trace import Trace
from order_domain.ports.outbox import NumberedEvent
from tests.builders import a_signal, a_signal_id
from tests.row_builders import a_parked_row, a_signal_row, an_alarm, an_order_event, an_order_of

HEX = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def memory() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def spans(memory: InMemorySpanExporter) -> OtelSpans:
    return OtelSpans(SimpleSpanProcessor(memory), service="om", account="a")


def test_an_order_of_before_the_restart_stays_in_its_trace(
    spans: OtelSpans, memory: InMemorySpanExporter
) -> None:
    order = an_order_of(1, trace_id=TraceId(HEX))
    spans.published("bus", NumberedEvent(3, an_order_event(order)), 0.25)
    (span,) = memory.get_finished_spans()

    assert span.parent is None
    assert f"{span.context.trace_id:032x}" == HEX
    assert (span.end_time or 0) - (span.start_time or 0) == 250_000_000


def test_what_the_bus_has_is_the_span_that_the_message_names_as_its_parent(
    spans: OtelSpans, memory: InMemorySpanExporter
) -> None:
    order = an_order_of(1, trace_id=TraceId(HEX))
    event = NumberedEvent(3, an_order_event(order))
    sent = write_event(event, None, is_dry=False)
    spans.published("bus", event, 0.25)
    spans.published("shared-tables", event, 0.25)
    bus, shared = memory.get_finished_spans()

    _, trace, parent, flags = sent.headers["traceparent"].split("-")
    assert (trace, flags) == (HEX, "01")
    assert f"{bus.context.span_id:016x}" == parent != f"{shared.context.span_id:016x}"
    assert Trace.of(None, sent.headers["traceparent"]).id == HEX


def test_what_is_no_order_has_no_span(spans: OtelSpans, memory: InMemorySpanExporter) -> None:
    spans.published("bus", NumberedEvent(3, an_alarm()), 0.1)
    spans.committed([an_alarm()])

    assert memory.get_finished_spans() == ()


@pytest.mark.parametrize("outcome", AnswerOutcome)
def test_an_attempt_is_as_good_as_its_answer(
    spans: OtelSpans, memory: InMemorySpanExporter, outcome: AnswerOutcome
) -> None:
    order = an_order_of(1)
    answer = Answer(order.client_order_id, CommandKind.CREATE, 0, 1, outcome, text="why")
    spans.answered(SendCreate(order), answer, 0.1)
    (span,) = memory.get_finished_spans()
    is_good = outcome in (AnswerOutcome.ACCEPTED, AnswerOutcome.EXISTS)

    assert (span.status.status_code is StatusCode.ERROR) == (not is_good)


def test_a_delivery_that_is_no_signal_is_traced_to_its_verdict(
    spans: OtelSpans, memory: InMemorySpanExporter
) -> None:
    invalid = DeliveryInvalid(
        number=1, code="BODY_INVALID", field="a", rule="b", value="c", body=""
    )
    spans.received(invalid, "")
    spans.decided(Acknowledge(1, Verdict.INVALID, "BODY_INVALID"))
    spans.decided(Acknowledge(1, Verdict.INVALID, "BODY_INVALID"))
    receive, decide = memory.get_finished_spans()

    assert decide.attributes is not None
    assert (receive.name, decide.attributes["signal.verdict"]) == ("signal.receive", "invalid")


def test_a_signal_that_waits_is_decided_when_its_row_says_so(
    spans: OtelSpans, memory: InMemorySpanExporter
) -> None:
    spans.received(SignalDelivered(1, a_signal()), "")
    spans.committed([a_parked_row(1)])
    spans.decided(Acknowledge(1, Verdict.PARKED, "WAITING"))
    before = [each.name for each in memory.get_finished_spans()]
    spans.committed([a_signal_row(1)])
    *_, decide = memory.get_finished_spans()

    assert before == ["signal.receive"]
    assert decide.attributes is not None
    assert decide.attributes["signal.verdict"] == "ordered"
    assert {each.name for each in decide.events} == {"parked"}


def test_what_is_never_decided_is_forgotten_in_its_turn(
    spans: OtelSpans, memory: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otel, "REMEMBERED", 2)
    for number in range(1, 5):
        signal = a_signal(signal_id=a_signal_id(number))
        spans.received(SignalDelivered(number, signal), "")
    ended = [each.name for each in memory.get_finished_spans()]

    assert ended.count("signal.decide") == 2
    assert len(spans._of_signals) == len(spans._deciding) == 2
