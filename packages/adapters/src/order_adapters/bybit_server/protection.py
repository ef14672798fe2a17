"""Protection: cancels what rests when nobody has listened for a while (DCP)."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from order_adapters.bybit_server.alarm import Alarm
from order_adapters.bybit_server.publisher import Session

if TYPE_CHECKING:
    from order_adapters.bybit_server.account import ServerAccount

TOPICS: Final[Mapping[str, str]] = {"DERIVATIVES": "dcp.future", "SPOT": "dcp.spot"}
WINDOW: Final = (3, 300)
"""Seconds that may be asked for."""
CANCEL_TYPE: Final = "CancelByDCP"


class Protection:
    """Watches the private streams of one account.

    A product is protected once a window is set and a stream has subscribed to its topic; then it is
    cancelled when no stream has had the topic for the window.

    Attributes:
        windows: Seconds by product.
    """

    def __init__(self, account: "ServerAccount") -> None:
        self.windows: dict[str, int] = {}
        self._account = account
        self._watched: set[str] = set()
        self._alarms = {
            product: Alarm(account.clock, partial(self._cancel, product)) for product in TOPICS
        }

    def arm(self, product: str, seconds: int) -> None:
        """Set the window of a product."""
        self.windows[product] = seconds
        self.look(self._account.publisher.sessions)

    def look(self, sessions: Iterable[Session]) -> None:
        """See which products are listened to now; the window of the others begins."""
        heard = {topic for session in sessions for topic in session.topics}
        for product, topic in TOPICS.items():
            alarm = self._alarms[product]
            if topic in heard:
                alarm.close()
                self._watched.add(product)
            elif product in self._watched and product in self.windows:
                alarm.set(self._account.now() + timedelta(seconds=self.windows[product]))

    def close(self) -> None:
        """Protect no more."""
        for alarm in self._alarms.values():
            alarm.close()

    def _cancel(self, product: str) -> None:
        account = self._account
        self._watched.discard(product)
        for order in tuple(account.exchange.records.open.values()):
            # What waits for its price is no active order, and may guard what the others opened.
            if order.market.is_spot is (product == "SPOT") and not order.waits:
                account.exchange.admin.cancel(
                    order.venue_order_id, account.exchange_now(), CANCEL_TYPE
                )
        account.pump()
