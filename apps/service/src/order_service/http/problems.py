"""Problems: every error as RFC 9457 says, with a stable type, and no word of our insides."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ExceptionHandlersMap

from order_domain.errors import InvalidValue
from order_domain.ports.journal import StateChanged, StoreUnavailable
from order_service.desk import NotTaking, Undecided
from order_service.http.methods import methods_of
from order_service.runtime.outcome import RuntimeEnded
from order_service.runtime.syncing import SyncRunning

MEDIA_TYPE: Final = "application/problem+json"
TITLES: Final[Mapping[int, tuple[str, str]]] = {
    400: ("bad_request", "The request cannot be understood."),
    401: ("unauthorized", "A valid X-API-Key is needed."),
    403: ("forbidden", "This key may not do that."),
    404: ("not_found", "There is no such thing."),
    405: ("method_not_allowed", "This cannot be done here."),
    409: ("conflict", "It contradicts what came before."),
    413: ("too_large", "The body is too large."),
    415: ("unsupported_media_type", "The body is of another kind."),
    422: ("invalid", "A value breaks a rule."),
    429: ("too_many_requests", "Too many requests."),
    500: ("internal_error", "Something went wrong here."),
    503: ("not_ready", "Not now; try again."),
    504: ("undecided", "Taken, but not decided in time; sending it again is safe."),
}
log = structlog.get_logger(__name__)


class Problem(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One error.

    Attributes:
        type: Stable; what programs tell errors apart by.
        detail: For a person.
        errors: One entry per field that breaks a rule.
        outcome: Of a command that was decided and refused: what was asked, and its orders.
    """

    type: str
    title: str
    status: int
    detail: str = ""
    trace_id: str = ""
    code: str = ""
    errors: list[dict[str, str]] = []
    outcome: dict[str, Any] = {}


class Refused(HTTPException):
    """A request that cannot be carried out; carries what the problem says."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        code: str = "",
        errors: list[dict[str, str]] | None = None,
        outcome: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(detail=detail, status_code=status)
        self.code = code
        self.errors = errors or []
        self.outcome = outcome or {}


def problem(
    request: Request[Any, Any, Any],
    status: int,
    detail: str = "",
    *,
    code: str = "",
    errors: list[dict[str, str]] | None = None,
    outcome: dict[str, Any] | None = None,
) -> Response[Problem]:
    """Make the response of an error."""
    name, title = TITLES.get(status, ("error", "The request failed."))
    body = Problem(
        type=f"urn:order-manager:{name}",
        title=title,
        status=status,
        detail=detail,
        trace_id=request.scope.get("state", {}).get("trace_id", ""),
        code=code,
        errors=errors or [],
        outcome=outcome or {},
    )
    return Response(body, status_code=status, media_type=MEDIA_TYPE)


def _refused(request: Request[Any, Any, Any], error: Refused) -> Response[Problem]:
    return problem(
        request,
        error.status_code,
        error.detail,
        code=error.code,
        errors=error.errors,
        outcome=error.outcome,
    )


def _unreadable(request: Request[Any, Any, Any], error: ValidationException) -> Response[Problem]:
    """A parameter of the wrong kind; litestar's own message names it."""
    found = [
        {"field": str(each.get("key", "")), "rule": str(each.get("message", ""))}
        for each in (error.extra if isinstance(error.extra, list) else [])
        if isinstance(each, dict)
    ]
    return problem(request, 400, "A parameter breaks a rule.", errors=found)


def _http(request: Request[Any, Any, Any], error: HTTPException) -> Response[Problem]:
    if error.status_code >= 500:
        return _unexpected(request, error)
    response = problem(request, error.status_code)
    if error.status_code == 405:
        response.headers["Allow"] = ", ".join(methods_of(request.app, request.url.path))
    return response


def _invalid(request: Request[Any, Any, Any], error: InvalidValue) -> Response[Problem]:
    reason = {name: str(value) for name, value in error.details.items()}
    return problem(request, 400, str(error), code=error.code, errors=[reason])


def _not_taking(request: Request[Any, Any, Any], _error: NotTaking) -> Response[Problem]:
    return problem(request, 503, "Signals are not taken now; nothing was kept.", code="NOT_READY")


def _syncing(request: Request[Any, Any, Any], _error: SyncRunning) -> Response[Problem]:
    return problem(request, 409, "Another sync has not ended.", code="SYNC_RUNNING")


def _ended(request: Request[Any, Any, Any], _error: RuntimeEnded) -> Response[Problem]:
    return problem(request, 503, "This service does not own the account now.", code="NOT_READY")


def _undecided(request: Request[Any, Any, Any], _error: Undecided) -> Response[Problem]:
    detail = "No verdict came in time. Send the same signal again: it is decided once."
    return problem(request, 504, detail, code="UNDECIDED")


def _store_away(request: Request[Any, Any, Any], _error: StoreUnavailable) -> Response[Problem]:
    return problem(request, 503, "The store does not answer.", code="STORE_UNAVAILABLE")


def _changed(request: Request[Any, Any, Any], error: StateChanged) -> Response[Problem]:
    found, expected = error.details["found"], error.details["expected"]
    detail = f"It has changed: version {found}, not {expected}."
    return problem(request, 409, detail, code=error.code)


def _too_deep(request: Request[Any, Any, Any], _error: RecursionError) -> Response[Problem]:
    return problem(request, 400, "The body is nested too deeply.")


def _unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    log.error("http.failed", path=request.url.path, exc_info=error)
    return problem(request, 500)


HANDLERS: Final[ExceptionHandlersMap] = {
    Refused: _refused,
    ValidationException: _unreadable,
    HTTPException: _http,
    InvalidValue: _invalid,
    NotTaking: _not_taking,
    Undecided: _undecided,
    SyncRunning: _syncing,
    RuntimeEnded: _ended,
    StoreUnavailable: _store_away,
    StateChanged: _changed,
    RecursionError: _too_deep,
    Exception: _unexpected,
}
