"""InputInvalid: what is wrong with what a person or a file brought: field, rule and value."""

from typing import Final

from order_domain.codes import Code
from order_domain.errors import InvalidValue

VALUE_LENGTH: Final = 200


class InputInvalid(InvalidValue):
    """Something from outside breaks a rule. Details: `field`, `rule`, `value` (200 characters)."""

    code = Code.BODY_INVALID

    def __init__(self, field: str, rule: str, value: object) -> None:
        self.field = field
        self.rule = rule
        self.value = shown(value)
        super().__init__(field=field, rule=rule, value=self.value)


class SignalInvalid(InputInvalid):
    """A signal body breaks a rule; `signal_id` is its id where that much could be read."""

    def __init__(self, field: str, rule: str, value: object, signal_id: str = "") -> None:
        self.signal_id = signal_id
        super().__init__(field, rule, value)


def shown(value: object) -> str:
    """Make a value short, and free of characters that a terminal or a store would obey."""
    if isinstance(value, bytes):
        value = value[: VALUE_LENGTH * 4].decode("utf-8", "backslashreplace")
    text = value[: VALUE_LENGTH * 4] if isinstance(value, str) else _plain(value)
    printable = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    return printable if len(printable) <= VALUE_LENGTH else f"{printable[: VALUE_LENGTH - 1]}…"


def _plain(value: object) -> str:
    """Numbers as they are; containers by kind and size, since their text may be huge or deep."""
    if isinstance(value, dict | list):
        return f"{'object' if isinstance(value, dict) else 'array'} of {len(value)}"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)
