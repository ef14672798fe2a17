"""HttpTransport: exact bytes to Bybit's REST and back; the only module that knows httpx.

It sends once. Whether to ask again is for those to say who know what the request does.
"""

import asyncio
import ssl
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import attrs
import httpx

from order_adapters.venues.bybit.signing import Credentials, rest_headers
from order_adapters.venues.bybit.wire import Broken, NotConnected, Wire

FORBIDDEN: Final = 403
_JSON: Final = {"Content-Type": "application/json"}


class NotSent(Exception):
    """No byte of the request left this process."""


class NoAnswer(Exception):
    """The request, or a part of it, may have arrived; no answer came back whole."""


@attrs.frozen(slots=True)
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
        self._credentials = credentials
        self._recv_window_ms = recv_window_ms
        self._whole = timing.whole
        self._client = httpx.AsyncClient(
            follow_redirects=False,
            timeout=None,  # noqa: S113 -- `_exchange` bounds the whole of it
            transport=_Under(_wire(base_url, timing, connections)),
            headers={"Accept-Encoding": "identity", "User-Agent": "order-manager"},
        )

    async def get(self, path: str, query: str, timestamp_ms: int | None) -> HttpAnswer:
        """Ask. Raises NotSent, NoAnswer.

        Args:
            query: As it goes on the wire, without `?`; cursors verbatim.
            timestamp_ms: Exchange time of this attempt; None asks without a signature.
        """
        target = f"{path}?{query}" if query else path
        return await self._exchange("GET", target, None, self._signed(timestamp_ms, query.encode()))

    async def post(self, path: str, body: bytes, timestamp_ms: int) -> HttpAnswer:
        """Send a body as it is. Raises NotSent, NoAnswer."""
        headers = _JSON | self._signed(timestamp_ms, body)
        return await self._exchange("POST", path, body, headers)

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    def _signed(self, timestamp_ms: int | None, payload: bytes) -> dict[str, str]:
        if timestamp_ms is None:
            return {}
        if self._credentials is None:
            raise NotSent("no API key")
        return rest_headers(self._credentials, timestamp_ms, self._recv_window_ms, payload)

    async def _exchange(
        self, method: str, target: str, body: bytes | None, headers: dict[str, str]
    ) -> HttpAnswer:
        request = self._client.build_request(
            method,
            self._base_url + target.partition("?")[0],
            content=body,
            headers=headers,
            # httpx would rewrite some characters of the URL after they were signed
            extensions={"target": target.encode()},
        )
        try:
            async with asyncio.timeout(self._whole):
                response = await self._client.send(request)
        except NotConnected as error:
            raise NotSent(str(error)) from error
        except (Broken, TimeoutError, httpx.HTTPError) as error:
            raise NoAnswer(f"{type(error).__name__}: {error}".rstrip(": ")) from error
        return HttpAnswer(response.status_code, response.headers, response.content)


class _Under(httpx.AsyncBaseTransport):
    """What httpx hands its requests to."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._wire.exchange(
            request.method.encode(),
            request.extensions["target"],
            request.headers.raw,
            request.content,
        )
        return httpx.Response(answer.status, headers=answer.headers, content=answer.body)

    async def aclose(self) -> None:
        self._wire.close()


def _wire(url: str, timing: HttpTiming, connections: int) -> Wire:
    parts = urlsplit(url)
    is_secure = parts.scheme == "https"
    context: ssl.SSLContext | None = httpx.create_ssl_context() if is_secure else None
    return Wire(
        parts.hostname or "",
        parts.port or (443 if is_secure else 80),
        context,
        connections=connections,
        connect_within=timing.connect,
    )
