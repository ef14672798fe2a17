"""Serving: from settings to a running process, and its exit."""

import secrets
import signal
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import structlog
import uvicorn
from dependency_injector import providers
from litestar.types import ASGIApp

from order_service.app import create_app
from order_service.choices import Choices
from order_service.container import Container
from order_service.event_loop import event_loop_of
from order_service.http.connections import MOST_IN_A_MESSAGE, Impatient
from order_service.logging import configure_logging
from order_service.service import Service
from order_service.settings import Settings
from order_service.stores import file_of

log = structlog.get_logger(__name__)
GRACE_SECONDS: Final = 5
"""How long open requests may take after a stop was asked for; the drain comes after it."""
_STOPS: Final = (signal.SIGTERM, signal.SIGINT)
PLACEHOLDER: Final = "your-api-key-here"


def serve(settings: Settings, *, retired: Sequence[str] = ()) -> int:
    """Run until a signal or the end of the service; return the exit code.

    Args:
        retired: Names that are set and no longer do anything; said once.

    Raises:
        SettingsError: The settings ask for what this version does not have.
        OSError: The address is taken.
    """
    event_loop = event_loop_of(settings)
    listener = listen(settings.ordermanager.host, settings.ordermanager.port)
    host, port = listener.getsockname()[:2]
    try:
        app, service = build(settings, url=f"http://{host}:{port}")
    except BaseException:
        listener.close()
        raise
    if retired:
        log.warning("settings.retired", names=list(retired))
    config = uvicorn.Config(
        app,
        loop=event_loop,
        http=Impatient,
        ws_max_size=MOST_IN_A_MESSAGE,
        # an address is what the socket says: whoever asks could write anything into a header
        proxy_headers=False,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        lifespan="on",
    )
    server = _Server(config)
    service.on_end = lambda: setattr(server, "should_exit", True)
    log.info("service.listening", url=f"http://{host}:{port}", event_loop=event_loop)
    server.run(sockets=[listener])
    return 1 if service.error is not None or not server.started else 0


class _Server(uvicorn.Server):
    """Ends with an exit code: uvicorn's own raises the signal again once everything is done."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Begin to stop on SIGTERM and SIGINT; a second SIGINT does not wait for requests."""
        before = {each: signal.signal(each, self.handle_exit) for each in _STOPS}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)


def build(settings: Settings, *, url: str = "") -> tuple[ASGIApp, Service]:
    """Configure logging and make application and service, not yet open.

    Raises:
        SettingsError: The settings ask for what this version does not have.
    """
    container = Container(settings=providers.Object(settings), url=providers.Object(url))
    choices = container.choices()
    key, where = _api_key(settings, choices)
    configure_logging(settings.ordermanager.log_level, secrets=(key, *settings.secret_values))
    log.info(
        "service.starting",
        store=choices.shown_store,
        bus=choices.bus,
        venue=choices.venue,
        account=choices.account,
        mode=choices.mode,
        environment=choices.environment,
        key_source=where,
    )
    if key == PLACEHOLDER:
        log.warning("settings.placeholder", variable="ORDERMANAGER_API_KEY")
    service = container.service()
    name = settings.ordermanager.service_name
    keys_file = settings.ordermanager.api_keys_file
    app = create_app(
        service,
        api_key=key,
        service_name=name,
        keys_file=None if keys_file is None else Path(keys_file),
        rate=float(settings.ordermanager.api_rate),
    )
    return app, service


def _api_key(settings: Settings, choices: Choices) -> tuple[str, str]:
    """The key that was set; else one of a file beside the store, made at the first start."""
    given = settings.ordermanager.api_key
    if given is not None:
        return given.get_secret_value(), "ORDERMANAGER_API_KEY"
    store = file_of(choices.store)
    path = Path("order-manager.key") if store is None else store.with_name(f"{store.name}.key")
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32), encoding="ascii")
    return path.read_text(encoding="ascii").strip(), str(path)


def listen(host: str, port: int) -> socket.socket:
    """Take an address. Raises OSError.

    It is said that this is TCP: only then asyncio lets an answer leave at once, and head and body
    are two packets, of which the second would wait until the first is acknowledged, after 40 ms.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener
