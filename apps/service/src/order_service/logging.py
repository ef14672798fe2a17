"""Logging: one JSON object a line on stderr, our own and the libraries' alike, without secrets."""

import atexit
import logging
import sys
from collections.abc import Iterable, MutableMapping
from functools import lru_cache
from logging.handlers import QueueHandler, QueueListener
from queue import Full, Queue
from typing import Any, Final

import structlog
from structlog.typing import EventDict, Processor

MASK: Final = "***"
LINES_KEPT: Final = 10_000
_QUIET: Final = ("asyncio", "uvicorn.access", "httpx", "httpcore")
_SECRET_WORDS: Final = ("api_key", "api-key", "apikey", "secret", "password", "authorization")


class Masking:
    """Hides values of secret names, and secret values under whatever name."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = tuple(secret for secret in secrets if secret)

    def __call__(self, _logger: object, _method: str, event: EventDict) -> EventDict:
        """Mask one event."""
        return {name: self._masked(str(name), value) for name, value in event.items()}

    def line(self, _logger: object, _method: str, line: Any) -> str:
        """Mask a finished line: an object may show a secret only when it is written."""
        return self.text(line.decode() if isinstance(line, bytes) else str(line))

    def text(self, text: str) -> str:
        """Mask a text."""
        return str(self._masked("", text))

    def _masked(self, name: str, value: Any) -> Any:
        if name and _is_secret(name):
            return MASK
        if isinstance(value, str):
            for secret in self._secrets:
                value = value.replace(secret, MASK)
            return value
        if isinstance(value, MutableMapping):
            return {key: self._masked(str(key), each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self._masked("", each) for each in value]
        return value


@lru_cache(maxsize=1_024)
def _is_secret(name: str) -> bool:
    """Whether a value is hidden for its name alone; the same few names come on every line."""
    lowered = name.lower()
    return any(word in lowered for word in _SECRET_WORDS)


class Unhurried(QueueHandler):
    """Leaves the writing to a thread: whoever logs never waits for a terminal or a full disk.

    Attributes:
        dropped: Lines lost because too many were waiting.
    """

    def __init__(self, queue: "Queue[logging.LogRecord]") -> None:
        super().__init__(queue)
        self.dropped = 0

    def enqueue(self, record: logging.LogRecord) -> None:
        """Put a line in the queue, if there is room."""
        try:
            self.queue.put_nowait(record)
        except Full:
            self.dropped += 1


def log_warnings() -> None:
    """Send what is logged beside a single command to standard error, from warnings on, as text.

    Standard output is the command's own. Does nothing where logging is configured already.
    """
    if structlog.is_configured():
        return
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.add_log_level,
            structlog.processors.KeyValueRenderer(key_order=["level", "event"]),
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def configure_logging(level: str, *, secrets: Iterable[str] = ()) -> None:
    """Send everything that is logged through one chain.

    Args:
        secrets: Values that never appear, wherever they come from.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = Unhurried(Queue(LINES_KEPT))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                # frames' locals would hold whatever a function was given
                structlog.processors.ExceptionRenderer(
                    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
                ),
                Masking(secrets),
                structlog.processors.JSONRenderer(),
                Masking(secrets).line,
            ],
        )
    )
    writer = QueueListener(handler.queue, logging.StreamHandler(sys.stderr))
    writer.start()
    atexit.register(writer.stop)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
