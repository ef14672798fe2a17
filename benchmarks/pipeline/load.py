"""The load: publishes signals, so many in flight or so many a second, and hears what is done.

One blocking socket to the broker and prepared frames, so that it takes little of the machine; who
is measured tells by datagram which signal's event was confirmed, and when.
"""

import select
import socket
import struct
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Self

import attrs
from pamqp import commands, frame, header

from benchmarks.pipeline.place import SYMBOLS, signal_body

DONE = struct.Struct("!qq")
PATIENCE_S = 60.0
_SOON_S = 0.000_05


@attrs.define
class Run:
    """Monotonic nanoseconds by number of the signal."""

    sent: dict[int, int] = attrs.field(factory=dict)
    done: dict[int, int] = attrs.field(factory=dict)

    @property
    def seconds(self) -> float:
        """From the first signal to the last confirmed event."""
        return (max(self.done.values()) - min(self.sent.values())) / 1e9

    @property
    def latencies(self) -> list[float]:
        """From publishing a signal to the confirm of its event, milliseconds."""
        return [(self.done[each] - self.sent[each]) / 1e6 for each in self.sent]


class Load:
    """A connection that publishes, and a socket that hears."""

    def __init__(self, amqp: tuple[str, int], queue: str, heard_at: str) -> None:
        self._queue = queue
        self._path = heard_at
        self._ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._ear.bind(heard_at)
        self._ear.setblocking(False)
        self._broker = socket.create_connection(amqp)
        self._broker.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._number = 0
        self._greet()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._broker.close()
        self._ear.close()
        Path(self._path).unlink()

    def closed(self, signals: int, in_flight: int, symbols: int) -> Run:
        """Keep so many signals in flight."""
        run, due = Run(), iter(self._numbers(signals))
        for number in _some(due, in_flight):
            self._publish(run, number, symbols)
        while len(run.done) < signals:
            for _ in range(self._hear(run, PATIENCE_S)):
                for number in _some(due, 1):
                    self._publish(run, number, symbols)
        return run

    def open(self, signals: int, rate: float, symbols: int) -> Run:
        """Publish at a rate, whatever comes of it."""
        run, began = Run(), time.monotonic()
        for at, number in enumerate(self._numbers(signals)):
            while (wait := began + at / rate - time.monotonic()) > _SOON_S:
                self._hear(run, wait, must=False)
            self._publish(run, number, symbols)
        while len(run.done) < signals:
            self._hear(run, PATIENCE_S)
        return run

    def _numbers(self, signals: int) -> range:
        first = self._number + 1
        self._number += signals
        return range(first, self._number + 1)

    def _publish(self, run: Run, number: int, symbols: int) -> None:
        body = signal_body(number, SYMBOLS[number % symbols])
        properties = commands.Basic.Properties(content_type="application/json", delivery_mode=2)
        publish = commands.Basic.Publish(exchange="", routing_key=self._queue)
        parts = (
            frame.marshal(publish, 1),
            frame.marshal(header.ContentHeader(0, len(body), properties), 1),
            struct.pack("!BHI", 3, 1, len(body)) + body + b"\xce",
        )
        run.sent[number] = time.monotonic_ns()
        self._broker.sendall(b"".join(parts))

    def _hear(self, run: Run, seconds: float, *, must: bool = True) -> int:
        """Wait for news; return how many there were."""
        if not select.select([self._ear], [], [], seconds)[0]:
            if must:
                left = len(run.sent) - len(run.done)
                raise TimeoutError(f"{left} signals were not done within {seconds:g} s")
            return 0
        heard = 0
        while True:
            try:
                number, at = DONE.unpack(self._ear.recv(DONE.size))
            except BlockingIOError:
                return heard
            if number in run.sent:
                run.done[number] = at
                heard += 1

    def _greet(self) -> None:
        self._broker.sendall(b"AMQP\x00\x00\x09\x01")
        self._wait(commands.Connection.Start)
        login = "\x00guest\x00guest"
        self._send(commands.Connection.StartOk(mechanism="PLAIN", response=login), 0)
        tune = self._wait(commands.Connection.Tune)
        self._send(commands.Connection.TuneOk(tune.channel_max, tune.frame_max, 0), 0)
        self._send(commands.Connection.Open("/"), 0)
        self._wait(commands.Connection.OpenOk)
        self._send(commands.Channel.Open(), 1)
        self._wait(commands.Channel.OpenOk)

    def _send(self, command: "frame.base.Frame", channel: int) -> None:
        self._broker.sendall(frame.marshal(command, channel))

    def _wait(self, kind: type) -> "frame.base.Frame":
        data = b""
        while True:
            data += self._broker.recv(65536)
            used, _, found = frame.unmarshal(data)
            if isinstance(found, kind):
                return found
            data = data[used:]


def _some(numbers: Iterable[int], count: int) -> list[int]:
    return [number for _, number in zip(range(count), numbers, strict=False)]
