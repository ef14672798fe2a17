"""Routes of the page: four files of ours, and headers that let nothing else in."""

from functools import cache
from importlib import resources
from typing import Final

from litestar import Response, get
from litestar.params import FromPath

from order_service.http.problems import Refused

_TYPES: Final = {
    "index.html": "text/html; charset=utf-8",
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
_HEADERS: Final = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
        " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@cache
def _file(name: str) -> bytes:
    return resources.files(__package__).joinpath("static", name).read_bytes()


def _shown(name: str) -> Response[bytes]:
    return Response(_file(name), media_type=_TYPES[name], headers=dict(_HEADERS))


@get("/", include_in_schema=False, sync_to_thread=False)
def page() -> Response[bytes]:
    """The operator's page. It shows nothing before a key is given."""
    return _shown("index.html")


@get("/page/{name:str}", include_in_schema=False, sync_to_thread=False)
def part(name: FromPath[str]) -> Response[bytes]:
    """What the page is made of."""
    if name not in _TYPES:
        raise Refused(404, "The page has no such part.")
    return _shown(name)


@get("/favicon.ico", include_in_schema=False, sync_to_thread=False)
def favicon() -> Response[bytes]:
    """What browsers ask for without being told."""
    return _shown("icon.svg")
