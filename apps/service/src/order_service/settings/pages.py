"""The pages made from the settings: `env.example` and the reference table."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Final, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from order_service.settings.groups import (
    Bybit,
    OrderManager,
    Postgres,
    RabbitMQ,
    WsGateway,
)
from order_service.settings.guardian import Guardian
from order_service.settings.names import RETIRED
from order_service.settings.sections import Execution, Section, Service
from order_service.settings.values import write

SPECIFIED: Final[Mapping[str, str]] = {
    # printed on the user's page with these values; everything else stands commented out
    "ORDERMANAGER_PORT": "4600",
    "ORDERMANAGER_API_KEY": "your-api-key-here",
    "ORDERMANAGER_LOG_LEVEL": "INFO",
    "ORDERMANAGER_SERVICE_NAME": "order-manager",
    "WS_GATEWAY_HOST": "ws-gateway",
    "WS_GATEWAY_PORT": "4400",
    "WS_GATEWAY_API_KEY": "your-ws-gateway-api-key",
    "ORDERMANAGER_ENABLE_DRY_RUN": "false",
    "ORDERMANAGER_MAX_SINGLE_ORDER_SIZE": "10000.0",
    "ORDERMANAGER_ENABLE_ORDER_SPLITTING": "false",
    "ORDERMANAGER_ORDER_EXECUTION_TIMEOUT": "30",
    "ORDERMANAGER_MAX_POSITION_SIZE": "1.0",
    "ORDERMANAGER_MAX_EXPOSURE": "50000.0",
    "ORDERMANAGER_MAX_ORDER_SIZE_RATIO": "0.1",
    "ORDERMANAGER_BYBIT_API_RETRY_MAX_ATTEMPTS": "3",
    "ORDERMANAGER_BYBIT_API_RETRY_BASE_DELAY": "1.0",
    "ORDERMANAGER_BYBIT_API_RETRY_MAX_DELAY": "30.0",
    "ORDERMANAGER_BYBIT_API_RETRY_MULTIPLIER": "2.0",
    "ORDERMANAGER_MARKET_ORDER_CONFIDENCE_THRESHOLD": "0.9",
    "ORDERMANAGER_MARKET_ORDER_SPREAD_THRESHOLD": "0.1",
    "ORDERMANAGER_LIMIT_ORDER_PRICE_OFFSET_RATIO": "0.5",
    "ORDERMANAGER_POSITION_SNAPSHOT_INTERVAL": "300",
    "ORDERMANAGER_POSITION_VALIDATION_INTERVAL": "3600",
    "ORDERMANAGER_CANCEL_OPPOSITE_ORDERS_ONLY": "false",
    "ORDERMANAGER_CANCEL_STALE_ORDER_TIMEOUT": "3600",
    "ORDERMANAGER_UNREALIZED_LOSS_WARNING_THRESHOLD": "10.0",
}
_PREFIXES: Final[Mapping[type[Section], str]] = {
    **dict.fromkeys(OrderManager.SECTIONS, "ORDERMANAGER_"),
    WsGateway: "WS_GATEWAY_",
    Bybit: "BYBIT_",
    Postgres: "POSTGRES_",
    RabbitMQ: "RABBITMQ_",
    Guardian: "GUARDIAN_",
}
_ORDER: Final[tuple[type[Section], ...]] = (
    Service,
    WsGateway,
    Execution,
    *OrderManager.SECTIONS[2:],
    Bybit,
    Postgres,
    RabbitMQ,
    Guardian,
)
_BOUNDS: Final = (("gt", ">"), ("ge", "≥"), ("lt", "<"), ("le", "≤"))


def env_example() -> str:
    """The file to copy to `.env`. What stands commented out shows the default."""
    lines = [
        "# Copy to .env. Commented lines show defaults. An empty value means not set.",
        "# Made by `make docs`; docs/reference/settings.md has the bounds.",
    ]
    for section, fields in _sections():
        lines += ["", f"# {section.__doc__}"]
        for name, field in fields:
            lines.append(f"# {_text(field)}")
            if name in SPECIFIED:
                lines.append(f"{name}={SPECIFIED[name]}")
            else:
                lines.append(f"#{name}={write(field.default)}")
    return "\n".join([*lines, ""])


def reference() -> str:
    """Every variable with default, bounds and meaning."""
    lines = [
        "# Settings",
        "",
        "Read once at the start, from the environment and, below it, from `.env`.",
        "Made by `make docs` from `order_service.settings`.",
        "",
        "An empty value means not set. A value out of its bounds, or an unknown name that begins",
        "with `ORDERMANAGER_`, stops the start with a message. Values of secrets are never shown.",
    ]
    for section, fields in _sections():
        lines += ["", f"## {section.__doc__}", ""]
        lines += ["| variable | default | bounds | meaning |", "|---|---|---|---|"]
        for name, field in fields:
            default = write(field.default)
            shown = f"`{default}`" if default else "not set"
            lines.append(f"| `{name}` | {shown} | {_bounds(field)} | {_text(field)} |")
    lines += ["", "## Retired names", ""]
    lines += ["Accepted, told once at the start, without effect:", ""]
    lines += [f"- `{name}`" for name in sorted(RETIRED)]
    return "\n".join([*lines, ""])


def _sections() -> Iterator[tuple[type[Section], list[tuple[str, FieldInfo]]]]:
    for section in _ORDER:
        prefix = _PREFIXES[section]
        fields = section.model_fields.items()
        yield section, [(prefix + name.upper(), field) for name, field in fields]


def _text(field: FieldInfo) -> str:
    return " ".join((field.description or "").split())


def _bounds(field: FieldInfo) -> str:
    choices = _choices(field.annotation)
    if choices:
        return ", ".join(f"`{choice}`" for choice in choices)
    parts: list[str] = []
    for item in _flat(field.metadata):
        for attribute, sign in _BOUNDS:
            bound = getattr(item, attribute, None)
            if bound is not None:
                parts.append(f"{sign} {_number(bound)}")
        pattern = getattr(item, "pattern", None)
        if pattern is not None:
            parts.append(f"`{pattern}`")
    return ", ".join(parts)


def _flat(metadata: list[Any]) -> Iterator[Any]:
    for item in metadata:
        if isinstance(item, FieldInfo):
            yield from _flat(item.metadata)
        else:
            yield item


def _choices(annotation: Any) -> tuple[str, ...]:
    if annotation is bool:
        return ("true", "false")
    if get_origin(annotation) is Literal:
        return tuple(str(each) for each in get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return tuple(str(each.value) for each in annotation)
    return ()


def _number(bound: object) -> str:
    if isinstance(bound, timedelta):
        return write(bound)
    return f"{bound:f}" if isinstance(bound, Decimal) else str(bound)
