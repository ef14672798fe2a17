"""Hosts: where each environment of Bybit listens."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import attrs

from order_domain.errors import InvalidValue
from order_domain.model.enums import Category


@attrs.frozen(slots=True)
class Hosts:
    """The URLs of one environment, without a slash at their ends.

    Attributes:
        environment: `mainnet`, `testnet`, `demo` or `custom`; part of every client order id.
        public: Base of the public sockets; one socket serves one category.
        trade: The order entry socket, None where there is none (demo).
    """

    environment: str
    rest: str
    public: str
    private: str
    trade: str | None

    def public_of(self, category: Category) -> str:
        """URL of the public socket of one category."""
        return f"{self.public}/{category.value}"


def _of(environment: str, rest: str, stream: str, public: str | None = None) -> Hosts:
    return Hosts(
        environment=environment,
        rest=rest,
        public=f"{public or stream}/v5/public",
        private=f"{stream}/v5/private",
        trade=f"{stream}/v5/trade",
    )


_MAINNET_STREAM: Final = "wss://stream.bybit.com"
HOSTS: Final[Mapping[str, Hosts]] = {
    "mainnet": _of("mainnet", "https://api.bybit.com", _MAINNET_STREAM),
    "testnet": _of("testnet", "https://api-testnet.bybit.com", "wss://stream-testnet.bybit.com"),
    # demo trades against mainnet's market and offers no order entry by socket
    "demo": attrs.evolve(
        _of("demo", "https://api-demo.bybit.com", "wss://stream-demo.bybit.com", _MAINNET_STREAM),
        trade=None,
    ),
}


def custom_hosts(rest: str, stream: str, *, trades_by_socket: bool = True) -> Hosts:
    """Make the URLs of a site of one's own: another country, a gateway, a simulator.

    Args:
        rest: `https://host[:port]`, plain http where the site has no certificate.
        stream: `wss://host[:port]`, likewise.

    Raises:
        InvalidValue: Not such a URL.
    """
    rest_url = _checked("rest", rest, ("https", "http"))
    stream_url = _checked("stream", stream, ("wss", "ws"))
    hosts = _of("custom", rest_url, stream_url)
    return hosts if trades_by_socket else attrs.evolve(hosts, trade=None)


def _checked(field: str, url: str, schemes: tuple[str, str]) -> str:
    host = url.removesuffix("/")
    try:
        parts = urlsplit(host)
        plain = f"{parts.scheme}://{parts.netloc}" == host and parts.port != 0
        known = plain and parts.scheme in schemes and parts.username is None
    except ValueError:  # brackets or a port that no host has
        known = False
    if not known or not urlsplit(host).hostname:
        raise InvalidValue(field=field, rule=f"{schemes[0]}://host[:port]", value=url)
    return host
