"""OpenAPI: the description of the API, made of its routes, and a page that reads it offline."""

from typing import Any, Final

from litestar import Request
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, OpenAPIRenderPlugin
from litestar.openapi.spec import (
    Components,
    Contact,
    License,
    OpenAPI,
    OpenAPIMediaType,
    OpenAPIType,
    RequestBody,
    Schema,
    SecurityScheme,
)

VERSION: Final = "1"
DESCRIPTION: Final = """\
Orders, positions, signals and events of one account. Decimals are strings, times are RFC 3339 in \
UTC. Every error is a problem as RFC 9457 says. A command carries an `Idempotency-Key`: the same \
key with the same body does nothing new and answers the same. `X-Trace-Id` comes back as it came.\
"""


_SIGNAL: Final[dict[str, Any]] = {
    "signal_id": "32c32444-a48c-4d5c-a1fe-b6249df2025f",
    "signal_type": "buy",
    "asset": "BTCUSDT",
    "amount": 1000.5,
    "confidence": 0.85,
    "timestamp": "2026-01-02T12:00:00Z",
    "strategy_id": "momentum_v1",
    "market_data_snapshot": {"price": 61800.05, "spread": 0.1},
}


class OfflinePage(OpenAPIRenderPlugin):
    """A page of our own: the usual ones fetch their scripts from elsewhere."""

    def __init__(self) -> None:
        super().__init__(path="/docs")

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:  # noqa: ARG002
        """Write the page; no script runs on it."""
        from order_service.page.api_page import api_page  # noqa: PLC0415 -- only who asks for it

        return api_page(openapi_schema).encode()


def openapi() -> OpenAPIConfig:
    """The document at `/schema/openapi.json`, the page at `/schema/docs`."""
    return OpenAPIConfig(
        title="order manager",
        version=VERSION,
        description=DESCRIPTION,
        license=License(name="MIT", identifier="MIT"),
        contact=Contact(name="The order manager's authors"),
        components=Components(
            security_schemes={
                "key": SecurityScheme(type="apiKey", name="X-API-Key", security_scheme_in="header")
            }
        ),
        security=[{"key": []}],
        path="/schema",
        render_plugins=[JsonRenderPlugin(), OfflinePage()],
        use_handler_docstrings=True,
    )


def complete(document: OpenAPI) -> None:
    """Say what the routes cannot say of themselves: forms take no further fields; a signal's body.

    A signal is read by the parser of the broker's messages, whose rules are on the formats page.
    """
    schemas = document.components.schemas or {}
    for name, schema in schemas.items():
        if name.endswith("Form"):
            schema.additional_properties = False
    form = Schema(
        type=OpenAPIType.OBJECT,
        description="A signal as the broker brings it; see the page on formats.",
        required=list(_SIGNAL),
        examples=[_SIGNAL],
    )
    content = {"application/json": OpenAPIMediaType(schema=form)}
    for path in ("/api/v1/signals", "/api/v1/signals/decide"):
        handed_in = (document.paths or {})[path].post
        if handed_in is not None:
            handed_in.request_body = RequestBody(content=content, required=True)
