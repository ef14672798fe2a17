"""Logging: one JSON object a line on stderr, our own and the libraries' alike, without secrets."""

import json
import logging
import sys
from collections.abc import Callable, Iterable, MutableMapping
from functools import lru_cache
from types import NoneType
from typing import Any, Final

import structlog
from structlog.typing import EventDict, Processor

from order_service.log_lines import LineLogger, LogLines

MASK: Final = "***"
_QUIET: Final = ("asyncio", "uvicorn.access", "httpx", "httpcore")
_SIMPLE: Final = frozenset((str, int, float, bool, NoneType))
_SECRET_WORDS: Final = ("api_key", "api-key", "apikey", "secret", "password", "authorization")


class Masking:
    """Hides values of secret names, and secret values under whatever name."""

    def __init__(self, secrets: Iterable[str]) -> None:
        # a line holds a value as JSON writes it, character by character
        forms = ((secret, json.dumps(secret)[1:-1]) for secret in secrets if secret)
        self._forms = tuple(dict.fromkeys(form for each in forms for form in each))

    def __call__(self, _logger: object, _method: str, event: EventDict) -> EventDict:
        """Mask what one event has under a secret name, however deep."""
        return {name: _masked(name, value) for name, value in event.items()}

    def line(self, _logger: object, _method: str, line: Any) -> str:
        """Mask secret values in a finished line, also those of objects that it shows."""
        return self.text(line.decode() if isinstance(line, bytes) else str(line))

    def text(self, text: str) -> str:
        """Mask secret values in a text."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, MASK)
        return text


def _masked(name: object, value: Any) -> Any:
    if isinstance(name, str) and _is_secret(name):
        return MASK
    if value.__class__ in _SIMPLE:
        return value
    if isinstance(value, MutableMapping):
        return {key: _masked(key, each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_masked("", each) for each in value]
    return value


@lru_cache(maxsize=1_024)
def _is_secret(name: str) -> bool:
    """Whether a value is hidden for its name alone; the same few names come on every line."""
    lowered = name.lower()
    return any(word in lowered for word in _SECRET_WORDS)


class ToLines(logging.Handler):
    """Sends what the libraries log the way of our own lines."""

    def __init__(self, lines: LogLines) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        """Hand a record over as a line."""
        try:
            line = self.format(record)
        except Exception:  # noqa: BLE001 -- as every handler: a line that cannot be made stops nobody
            self.handleError(record)
            return
        put = self._lines.put if record.levelno < logging.WARNING else self._lines.put_at_once
        put(line)


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
    """Send everything that is logged through one chain, the libraries' records after our lines.

    Args:
        secrets: Values that never appear, wherever they come from.
    """
    begin: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    masking = Masking(secrets)
    end: list[Processor] = [
        # frames' locals would hold whatever a function was given
        structlog.processors.ExceptionRenderer(
            structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        ),
        masking,
        structlog.processors.JSONRenderer(serializer=_json),
        masking.line,
    ]
    lines = LogLines(sys.stderr)
    lines.open()
    structlog.configure(
        processors=[*begin, *end],
        logger_factory=lambda *_: LineLogger(lines),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    handler = ToLines(lines)
    of_libraries = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=begin, processors=[of_libraries, *end]
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _json(event: EventDict, default: Callable[[Any], Any], **_: Any) -> str:
    """Write an event; an encoder made for each costs more than the writing."""
    return _encoder(default).encode(event)


@lru_cache(maxsize=8)
def _encoder(default: Callable[[Any], Any]) -> json.JSONEncoder:
    return json.JSONEncoder(default=default)
