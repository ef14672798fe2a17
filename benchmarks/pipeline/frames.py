"""Frames of a WebSocket, framed by hand: what the stub and the floors speak."""

import asyncio
import base64
import os
import struct
from collections.abc import Callable

HEAD = b"\r\n\r\n"
_SHORT, _LONG = 126, 127
_MASKED, _LENGTH, _OPCODE, _CONTROL = 0x80, 0x7F, 0x0F, 0x8
_TEXT = 0x81


class FrameReader:
    """Cuts a stream of bytes into payloads of whole messages; no fragments, as nobody sends any."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes; return the payloads that are complete now."""
        buffer = self._rest + data if self._rest else data
        found, at, size = [], 0, len(buffer)
        while size - at >= 2:
            masked, length, begin = buffer[at + 1] & _MASKED, buffer[at + 1] & _LENGTH, at + 2
            if length == _SHORT:
                if size - begin < 2:
                    break
                (length,) = struct.unpack_from("!H", buffer, begin)
                begin += 2
            elif length == _LONG:
                if size - begin < 8:
                    break
                (length,) = struct.unpack_from("!Q", buffer, begin)
                begin += 8
            mask = buffer[begin : begin + 4] if masked else b""
            begin += len(mask)
            if size - begin < length or (masked and len(mask) < 4):
                break
            payload = buffer[begin : begin + length]
            if buffer[at] & _OPCODE < _CONTROL:  # nobody here needs pings, or a close to be said
                found.append(crossed(payload, mask) if masked else payload)
            at = begin + length
        self._rest = buffer[at:]
        return found


def crossed(data: bytes, mask: bytes) -> bytes:
    """Mask or unmask."""
    size = len(data)
    long_mask = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(data, "big") ^ int.from_bytes(long_mask, "big")).to_bytes(size, "big")


def plain_frame(data: bytes) -> bytes:
    """One text message of a server."""
    size = len(data)
    if size < _SHORT:
        return bytes((_TEXT, size)) + data
    return struct.pack("!BBH", _TEXT, _SHORT, size) + data


def masked_frame(data: bytes) -> bytes:
    """One text message of a client."""
    size, mask = len(data), os.urandom(4)
    short = size < _SHORT
    head = bytes((_TEXT, 0x80 | size)) if short else struct.pack("!BBH", _TEXT, 0xFE, size)
    return head + mask + crossed(data, mask)


class ClientSocket(asyncio.Protocol):
    """A bare client: `take` gets every message."""

    def __init__(self, host: str, path: str, take: Callable[[bytes], None]) -> None:
        self._host, self._path, self._take = host, path, take
        self._reader = FrameReader()
        self._head: bytes | None = b""
        self.is_open = asyncio.Event()
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # of a stream, always
        key = base64.b64encode(os.urandom(16)).decode()
        self.transport.write(
            f"GET {self._path} HTTP/1.1\r\nHost: {self._host}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        if self._head is not None:
            self._head += data
            head, mark, data = self._head.partition(HEAD)
            if not mark:
                return
            self._head = None
            if b" 101 " not in head:
                raise RuntimeError(f"not upgraded: {head!r}")
            self.is_open.set()
        for payload in self._reader.feed(data):
            self._take(payload)

    def send(self, data: bytes) -> None:
        self.transport.write(masked_frame(data))
