"""The one error tree of the domain. Fields are data: logged, returned, asserted on.

OrderManagerError
    InvalidValue        a value breaks a stated rule (field, rule, value)
    IllegalTransition   the lifecycle table has no such edge
    BrokenInvariant     our own books disagree with themselves
"""

from typing import ClassVar


class OrderManagerError(Exception):
    """Root of every deliberate error."""

    code: ClassVar[str] = "ORDER_MANAGER_ERROR"

    def __init__(self, **details: object) -> None:
        self.details = details
        super().__init__(
            f"{self.code}: " + ", ".join(f"{name}={value}" for name, value in details.items())
        )


class InvalidValue(OrderManagerError, ValueError):
    """A value breaks a rule. Details: `field`, `rule`, `value`."""

    code = "INVALID_VALUE"


class IllegalTransition(OrderManagerError):
    """The lifecycle has no edge for this pair. Details: `status`, `trigger`, `client_order_id`."""

    code = "ILLEGAL_TRANSITION"


class BrokenInvariant(OrderManagerError):
    """Our books disagree with themselves; never caught inside the domain."""

    code = "BROKEN_INVARIANT"
