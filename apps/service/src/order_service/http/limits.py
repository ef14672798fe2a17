"""Limits: how often a key may ask and an address may guess, and how long one answer may take."""

import asyncio
from collections.abc import Callable
from typing import Final

import attrs
import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from order_service.http.problems import MEDIA_TYPE, Problem

_BUCKETS: Final = 10_000
_STREAMS: Final = ("/api/v1/events/stream", "/api/v1/events/socket")
_EXPORTS: Final = "/api/v1/export/"


@attrs.define(slots=True)
class _Bucket:
    tokens: float
    filled_at: float


class _Buckets:
    """Token buckets by name; those not used longest are forgotten first."""

    def __init__(self, rate: float, burst: float, monotonic: Callable[[], float]) -> None:
        self._rate, self._burst, self._monotonic = rate, burst, monotonic
        self._by_name: dict[str, _Bucket] = {}

    def take(self, name: str) -> bool:
        """Take a token, if there is one."""
        bucket = self._filled(name)
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True

    def _filled(self, name: str) -> _Bucket:
        now = self._monotonic()
        bucket = self._by_name.pop(name, None) or _Bucket(self._burst, now)
        bucket.tokens = min(self._burst, bucket.tokens + (now - bucket.filled_at) * self._rate)
        bucket.filled_at = now
        self._by_name[name] = bucket
        if len(self._by_name) > _BUCKETS:
            del self._by_name[next(iter(self._by_name))]
        return bucket


class RateLimits:
    """By key, not by address: what a header says about an address is anybody's word.

    Args:
        rate: Requests a second of one key, twice as many at once; of wrong keys from one address a
            fiftieth of it.
        monotonic: Seconds.
    """

    def __init__(self, rate: float, monotonic: Callable[[], float]) -> None:
        self._requests = _Buckets(rate, 2 * rate, monotonic)
        self._guesses = _Buckets(rate / 50, max(20.0, rate), monotonic)

    def may_ask(self, key_id: str) -> bool:
        """Count a request of a key."""
        return self._requests.take(key_id)

    def may_guess(self, address: str) -> bool:
        """Count a wrong key of an address."""
        return self._guesses.take(address)


def hurry(app: ASGIApp, seconds: float) -> ASGIApp:
    """Answer 504 instead of waiting for ever; streams and exports may last."""

    async def hurried(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or _may_last(scope["path"]):
            await app(scope, receive, send)
            return
        began = False

        async def watched(message: Message) -> None:
            nonlocal began
            began = True
            await send(message)

        try:
            async with asyncio.timeout(seconds):
                await app(scope, receive, watched)
        except TimeoutError:
            if began:
                raise
            await _too_late(send)

    return hurried


def _may_last(path: str) -> bool:
    return path.rstrip("/") in _STREAMS or path.startswith(_EXPORTS)


async def _too_late(send: Send) -> None:
    problem = Problem(
        type="urn:order-manager:undecided",
        title="No answer in time; sending it again is safe.",
        status=504,
    )
    body = msgspec.json.encode(problem)
    headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": 504, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
