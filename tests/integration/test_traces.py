"""A signal's way is one trace, whoever gave it its id; and nobody traces unless he asked for it."""

import asyncio
import gzip
import json
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import attrs
import pytest
from dependency_injector import providers
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from order_adapters.tracing.otel import OtelSpans
from order_domain.model.trace import NO_TRACE, Trace, trace_id_of
from order_service.container import Container
from order_service.service import Service
from order_service.settings import Settings
from tests.integration.service_process import ServiceProcess, a_body

W3C_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{W3C_ID}-00f067aa0ba902b7-01"
STEPS = ["signal.receive", "signal.decide", "order.submit", "order.acknowledge", "event.publish"]
ENDPOINT = {"ORDERMANAGER_OTLP_ENDPOINT": "http://127.0.0.1:9"}


@attrs.define
class Bench:
    service: Service
    memory: InMemorySpanExporter

    async def hand_in(self, number: int, trace: Trace = NO_TRACE, **changes: Any) -> str:
        """Bring a signal, and wait until its fill is published; return its order's id."""
        raw = _json(a_body(number, **changes))
        await self.service.desk.hand_in(raw, 10, trace)
        row = await self.service.verdict(a_body(number)["signal_id"])
        (order_id,) = row.order_ids
        async with asyncio.timeout(20):
            while not any(_kind(each, order_id) == "order_filled" for each in self.spans):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return order_id

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self.memory.get_finished_spans()

    def of(self, number: int) -> list[ReadableSpan]:
        """The spans of one signal, in the order they began."""
        name = a_body(number)["signal_id"]
        found = [each for each in self.spans if _fact(each, "signal.id") == name]
        return sorted(found, key=lambda each: each.start_time or 0)


def _json(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode()


def _fact(span: ReadableSpan, name: str) -> object:
    return (span.attributes or {}).get(name)


def _kind(span: ReadableSpan, order_id: str) -> object:
    return _fact(span, "event.kind") if _fact(span, "order.client_id") == order_id else None


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Bench]:
    memory = InMemorySpanExporter()
    settings = Settings.from_environment(
        {
            "ORDERMANAGER_ENABLE_DRY_RUN": "true",
            "ORDERMANAGER_STORE_URL": f"sqlite:///{folder}/orders.sqlite",
        }
    )
    container = Container(settings=providers.Object(settings))
    spans = OtelSpans(SimpleSpanProcessor(memory), service="om", account="dry:default")
    container.spans.override(providers.Object(spans))
    service = container.service()
    await service.open()
    try:
        async with asyncio.timeout(20):
            while not service.health.is_ready:  # noqa: ASYNC110 -- nothing rings
                await asyncio.sleep(0.01)
        yield Bench(service, memory)
    finally:
        await service.close()


async def test_a_signals_way_is_one_trace_of_five_steps(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        await bench.hand_in(2)  # the first one may have waited for a quote
        order_id = await bench.hand_in(1, trace_id="trace-of-the-model")
        spans = bench.of(1)
    roots = [each for each in spans if each.parent is None]
    by_name = {each.name: each for each in spans}
    decide = by_name["signal.decide"]
    kinds = [_fact(each, "event.kind") for each in spans if each.name == "event.publish"]

    assert sorted(by_name) == sorted(STEPS)
    assert [each.name for each in roots] == ["signal.receive"]
    assert {each.context.trace_id for each in spans} == {trace_id_of("trace-of-the-model")}
    for name in STEPS[2:]:
        parent = by_name[name].parent
        assert parent is not None
        assert parent.span_id == decide.context.span_id
    assert _fact(decide, "signal.verdict") == "ordered"
    assert _fact(by_name["order.submit"], "order.outcome") == "accepted"
    assert _fact(by_name["order.acknowledge"], "event.kind") == "order_accepted"
    assert _fact(by_name["order.submit"], "order.client_id") == order_id
    assert {"order_submitted", "order_accepted", "order_filled"} <= set(kinds)


@pytest.mark.parametrize(
    ("trace", "changes", "trace_id"),
    [
        (Trace.of(None, PARENT), {}, int(W3C_ID, 16)),
        (Trace.of("ours", PARENT), {"trace_id": "the-models"}, int(W3C_ID, 16)),
        (Trace.of(W3C_ID, None), {}, int(W3C_ID, 16)),
        (NO_TRACE, {"trace_id": str(UUID(W3C_ID))}, int(W3C_ID, 16)),
        (NO_TRACE, {}, UUID(a_body(1)["signal_id"]).int),
    ],
)
async def test_a_trace_has_the_callers_id_else_ours_else_the_signals(
    tmp_path: Path, trace: Trace, changes: dict[str, Any], trace_id: int
) -> None:
    async with running(tmp_path) as bench:
        await bench.hand_in(1, trace, **changes)
        spans = bench.of(1)

    assert {each.context.trace_id for each in spans} == {trace_id}
    assert (spans[0].parent is None) == (not trace.parent)


@contextmanager
def collector() -> Iterator[tuple[str, list[ExportTraceServiceRequest]]]:
    """Where OTLP goes: it keeps what it is sent."""
    taken: list[ExportTraceServiceRequest] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            taken.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", taken
        finally:
            server.shutdown()
            thread.join()


def test_a_service_that_is_told_where_exports_its_traces(tmp_path: Path) -> None:
    with (
        collector() as (url, taken),
        ServiceProcess(tmp_path, ORDERMANAGER_OTLP_ENDPOINT=url) as service,
    ):
        service.ready()
        headers = {"traceparent": PARENT}
        answer = service.http.post("/api/v1/signals", json=a_body(1), headers=headers)
        order = service.filled(answer.json()["order_ids"][0])
        assert service.stop() == 0
    spans = [
        span
        for request in taken
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]

    assert answer.headers["X-Trace-Id"] == order["trace_id"] == W3C_ID
    assert {span.name for span in spans} == set(STEPS)
    assert {span.trace_id.hex() for span in spans} == {W3C_ID}


def test_a_collector_that_is_not_there_keeps_nobody_from_trading_or_ending(tmp_path: Path) -> None:
    with ServiceProcess(tmp_path, **ENDPOINT) as service:
        service.ready()
        service.filled(service.send(a_body(1)).json()["order_ids"][0])

        assert service.stop() == 0


def test_without_the_setting_nobody_traces_and_nothing_is_imported() -> None:
    settings = Settings.from_environment({"ORDERMANAGER_ENABLE_DRY_RUN": "true"})
    container = Container(settings=providers.Object(settings))

    assert container.spans() is None


WITHOUT_THE_LIBRARY = """
import sys
sys.modules["opentelemetry.sdk"] = None
from order_cli.__main__ import main
main(sys.argv[1:])
"""


@pytest.mark.parametrize("words", [("config", "check"), ("serve", "--dry-run", "--port", "0")])
def test_a_start_without_the_library_is_refused_with_its_name(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_THE_LIBRARY, *words],
        cwd=tmp_path,
        env={"PATH": "", "ORDERMANAGER_ENABLE_DRY_RUN": "true", **ENDPOINT},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 5
    assert "ORDERMANAGER_OTLP_ENDPOINT: needs the extra order-service[otel]" in done.stderr
