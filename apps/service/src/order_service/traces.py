"""Traces: a signal's way as OpenTelemetry spans, where the settings say where they go."""

from types import ModuleType
from typing import TYPE_CHECKING, Final

from order_service.choices import Choices
from order_service.settings import Problem, Settings, SettingsError

if TYPE_CHECKING:
    from order_adapters.tracing.otel import OtelSpans

_MISSING: Final = "needs the extra order-service[otel], which is not installed"


def check_traces(settings: Settings) -> None:
    """Whether traces can be made. Raises SettingsError: their library is not installed."""
    if settings.ordermanager.otlp_endpoint is not None:
        _library()


def make_spans(settings: Settings, choices: Choices) -> "OtelSpans | None":
    """What makes the spans; None where nobody traces. Raises SettingsError as `check_traces`."""
    endpoint = settings.ordermanager.otlp_endpoint
    if endpoint is None:
        return None
    library, name = _library(), settings.ordermanager.service_name
    made: OtelSpans = library.exporting(endpoint, service=name, account=choices.account)
    return made


def _library() -> ModuleType:
    try:
        from order_adapters.tracing import otel  # noqa: PLC0415 -- an extra
    except ImportError:
        raise SettingsError([Problem("ORDERMANAGER_OTLP_ENDPOINT", _MISSING)]) from None
    return otel
