"""HttpTransport: exact bytes to Bybit's REST and back; the only module that knows httpx.

It sends once. Whether to ask again is for those to say who know what the request does. httpx asks
the questions; an order would wait longer for it than for everything else we do, so commands are
written as they are. Both go over the same wire.
"""

from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import urlsplit

import attrs
import httpx

from order_adapters.venues.bybit.http_answers import Broken
from order_adapters.venues.bybit.signing import Credentials, RequestSigner
from order_adapters.venues.bybit.wire import NotConnected, Wire

FORBIDDEN: Final = 403
_COMMON: Final = {"Accept-Encoding": "identity", "User-Agent": "order-manager"}
_SHORTEST_KEY: Final = 8
"""Shorter ones (Bybit's have 18 characters) would be found in what is no key."""


class NotSent(Exception):
    """No byte of the request left this process."""


class NoAnswer(Exception):
    """The request, or a part of it, may have arrived; no answer came back whole."""


@attrs.define(slots=True)
class HttpAnswer:
    """A whole response. Header names are found in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@attrs.frozen(slots=True, kw_only=True)
class HttpTiming:
    """Seconds. `whole` must be above recv_window: an answer after the window is still an answer."""

    connect: float = 2.0
    whole: float = 4.0


class HttpTransport:
    """One keep-alive HTTP/1.1 client of one host.

    Args:
        credentials: None for market data only.
        connections: Requests on their way at once.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials | None,
        *,
        recv_window_ms: int,
        timing: HttpTiming,
        connections: int = 32,
    ) -> None:
        self._base_url = base_url
        self._signer = None if credentials is None else RequestSigner(credentials, recv_window_ms)
        key = "" if credentials is None else credentials.key
        self._key = key.encode() if len(key) >= _SHORTEST_KEY else b""
        self._wire = _wire(base_url, timing, connections)
        self._client = httpx.AsyncClient(
            follow_redirects=False,
            timeout=None,  # noqa: S113 -- the wire bounds the whole of it
            transport=_Under(self._wire),
            headers=_COMMON,
        )
        fixed = {"Host": urlsplit(base_url).netloc, **_COMMON, "Content-Type": "application/json"}
        self._post_lines = _lines(fixed.items())

    async def get(self, path: str, query: str, timestamp_ms: int | None) -> HttpAnswer:
        """Ask. Raises NotSent, NoAnswer.

        Args:
            query: As it goes on the wire, without `?`; cursors verbatim.
            timestamp_ms: Exchange time of this attempt; None asks without a signature.
        """
        target = f"{path}?{query}" if query else path
        request = self._client.build_request(
            "GET",
            self._base_url + path,
            headers=self._signed(timestamp_ms, query.encode()),
            # httpx would rewrite some characters of the URL after they were signed
            extensions={"target": target.encode()},
        )
        try:
            response = await self._client.send(request)
        except NotConnected as error:
            raise NotSent(str(error)) from error
        except (Broken, httpx.HTTPError) as error:
            raise NoAnswer(f"{type(error).__name__}: {error}".rstrip(": ")) from error
        return HttpAnswer(response.status_code, response.headers, self._hidden(response.content))

    async def post(self, path: str, body: bytes, timestamp_ms: int) -> HttpAnswer:
        """Send a body as it is. Raises NotSent, NoAnswer."""
        signed = self._signed(timestamp_ms, body)
        head = (
            f"POST {path} HTTP/1.1\r\n{self._post_lines}Content-Length: {len(body)}\r\n"
            f"{_lines(signed.items())}\r\n"
        )
        try:
            answer = await self._wire.exchange(head.encode() + body)
        except NotConnected as error:
            raise NotSent(str(error)) from error
        except Broken as error:
            raise NoAnswer(f"{type(error).__name__}: {error}") from error
        return HttpAnswer(answer.status, answer.headers, self._hidden(answer.body))

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    def _signed(self, timestamp_ms: int | None, payload: bytes) -> dict[str, str]:
        if timestamp_ms is None:
            return {}
        if self._signer is None:
            raise NotSent("no API key")
        return self._signer.headers(timestamp_ms, payload)

    def _hidden(self, body: bytes) -> bytes:
        """Without the key: a refused signature is answered with all that was signed."""
        return body.replace(self._key, b"***") if self._key else body


class _Under(httpx.AsyncBaseTransport):
    """What httpx hands its requests to."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        target = request.extensions["target"]
        if not target.isascii() or not target.decode().isprintable() or b" " in target:
            raise NotConnected("no HTTP request: its target holds what none may")
        lines = _lines((name.decode(), value.decode()) for name, value in request.headers.raw)
        head = f"GET {target.decode()} HTTP/1.1\r\n{lines}\r\n"
        answer = await self._wire.exchange(head.encode())
        return httpx.Response(answer.status, headers=dict(answer.headers), content=answer.body)

    async def aclose(self) -> None:
        self._wire.close()


def _wire(url: str, timing: HttpTiming, connections: int) -> Wire:
    parts = urlsplit(url)
    is_secure = parts.scheme == "https"
    return Wire(
        parts.hostname or "",
        parts.port or (443 if is_secure else 80),
        httpx.create_ssl_context() if is_secure else None,
        connections=connections,
        connect_within=timing.connect,
        answer_within=timing.whole,
    )


def _lines(headers: Iterable[tuple[str, str]]) -> str:
    return "".join([f"{name}: {value}\r\n" for name, value in headers])
