"""Listings: pages of orders as they are answered; an order that has not changed is shown once.

Every answer is read from the store. What is kept is what it was made into: the JSON of an order
under all that is stored of it, and a query under the words it was asked with.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Final

import attrs
import msgspec
from litestar.types import ASGIApp, Receive, Scope, Send

from order_domain.ports.views import OrderQuery, StoredOrder, Views
from order_service.http.order_view import OrderView, order_view

PATH: Final = "/api/v1/orders"
ORDERS_KEPT: Final = 2_000
WORDS_KEPT: Final = 200
LONGEST_WORDS: Final = 500
"""Bytes of a query string that is kept."""
_encode: Final = msgspec.json.Encoder().encode


@attrs.define(slots=True)
class Listings:
    """Of one account; what was kept longest is forgotten first."""

    _views: Views
    _is_dry: bool
    _orders: dict[Hashable, msgspec.Raw] = attrs.field(init=False, factory=dict)
    _queries: dict[bytes, OrderQuery] = attrs.field(init=False, factory=dict)

    async def page(self, query: OrderQuery) -> dict[str, Any]:
        """Read a page. Raises StoreUnavailable."""
        found, total = await self._views.order_page(query, self._orders.get)
        shown = [self._show(each) if isinstance(each, StoredOrder) else each for each in found]
        return listing(shown, total, query)

    def keep_words(self, words: bytes, query: OrderQuery) -> None:
        """Keep what a query string was found to mean."""
        if len(words) <= LONGEST_WORDS:
            _keep(self._queries, words, query, WORDS_KEPT)

    def asked_before(self, words: bytes) -> OrderQuery | None:
        """What a query string means, if it is kept."""
        return self._queries.get(words)

    def _show(self, stored: StoredOrder) -> msgspec.Raw:
        shown = msgspec.Raw(_encode(order_view(stored.order, is_dry_run=self._is_dry)))
        _keep(self._orders, stored.form, shown, ORDERS_KEPT)
        return shown


def shortcut_of(listings: Listings) -> Callable[[ASGIApp], ASGIApp]:
    """Make what answers a listing that was asked for in the same words before.

    The words were found good then, and so are not checked again. It stands behind the guard.
    """

    def shortcut(app: ASGIApp) -> ASGIApp:
        async def answered(scope: Scope, receive: Receive, send: Send) -> None:
            query = None
            if scope["path"] == PATH and scope.get("method") == "GET":
                query = listings.asked_before(scope["query_string"])
            if query is None:
                await app(scope, receive, send)
                return
            body = _encode(await listings.page(query))
            headers = [
                (b"content-type", b"application/json"),
                (b"content-length", b"%d" % len(body)),
            ]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body, "more_body": False})

        return answered

    return shortcut


def listing(
    orders: Sequence[OrderView | msgspec.Raw], total: int, query: OrderQuery
) -> dict[str, Any]:
    """Say a page in both styles of paging."""
    size, start = query.limit, query.offset
    return {
        "orders": orders,
        "total": total,
        "limit": size,
        "offset": start,
        "pagination": {
            "page": start // size + 1,
            "page_size": size,
            "total_items": total,
            "total_pages": -(-total // size),
        },
    }


def _keep(kept: dict[Any, Any], key: Hashable, value: object, most: int) -> None:
    kept[key] = value
    if len(kept) > most:
        del kept[next(iter(kept))]
