"""Methods: what may be asked of a path, for `Allow` and for OPTIONS."""

from litestar import Litestar
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send


def methods_of(app: Litestar, path: str) -> list[str]:
    """Methods of all routes that a path leads to; empty where there is none."""
    asked = path.strip("/").split("/")
    exact: set[str] = set()
    by_parameter: set[str] = set()
    for route in app.routes:
        template = route.path.strip("/").split("/")
        methods = {str(method) for method in getattr(route, "methods", ())}
        if template == asked:
            exact |= methods
        elif len(template) == len(asked) and all(
            part.startswith("{") or part == given
            for part, given in zip(template, asked, strict=True)
        ):
            by_parameter |= methods
    return sorted(exact or by_parameter)


def options(app: Litestar) -> ASGIApp:
    """Wrap an application: OPTIONS tells the methods of all routes of a path."""

    async def answered(scope: Scope, receive: Receive, send: Send) -> None:
        found = []
        if scope["type"] == ScopeType.HTTP and scope["method"] == "OPTIONS":
            found = methods_of(app, scope["path"])
        if not found:
            await app(scope, receive, send)
            return
        headers = [(b"allow", ", ".join(found).encode())]
        await send({"type": "http.response.start", "status": 204, "headers": headers})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    return answered
