"""Logging: one JSON object a line on stderr, our own and the libraries' alike, without secrets."""

import logging
import sys
from collections.abc import Iterable, MutableMapping
from typing import Any, Final

import structlog
from structlog.typing import EventDict, Processor

MASK: Final = "***"
_QUIET: Final = ("asyncio", "uvicorn.access", "httpx", "httpcore")
_SECRET_WORDS: Final = ("api_key", "api-key", "apikey", "secret", "password", "authorization")


class Masking:
    """Hides values of secret names, and secret values under whatever name."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = tuple(secret for secret in secrets if secret)

    def __call__(self, _logger: object, _method: str, event: EventDict) -> EventDict:
        """Mask one event."""
        return {name: self._masked(str(name), value) for name, value in event.items()}

    def _masked(self, name: str, value: Any) -> Any:
        if any(word in name.lower() for word in _SECRET_WORDS):
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
    handler = logging.StreamHandler(sys.stderr)
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
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
