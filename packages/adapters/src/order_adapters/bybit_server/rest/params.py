"""Params: reads the fields of a query or body as leniently as the exchange does, and no more."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from order_adapters.bybit_server.failures import invalid
from order_adapters.bybit_server.numbers import amount, whole

_TRUE: Final = (True, "true", "True", 1, "1")
_DECODE: Final = msgspec.json.Decoder()


class Params:
    """Fields by name; unknown ones are nobody's concern. Missing, null and empty are the same."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    @classmethod
    def of_query(cls, query: bytes) -> "Params":
        """Read a raw query; values are percent-decoded once."""
        pairs = parse_qsl(query.decode("ascii", "replace"), keep_blank_values=True)
        return cls(dict(pairs))

    @classmethod
    def of_body(cls, body: bytes) -> "Params":
        """Read a JSON object.

        Raises:
            Refused: It is none.
        """
        try:
            values = _DECODE.decode(body or b"{}")
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise invalid("Request parameter error: invalid JSON.") from None
        if not isinstance(values, dict):
            raise invalid("Request parameter error: a JSON object is expected.")
        return cls(values)

    def raw(self, name: str) -> Any:
        """The value as it came; None if there is none."""
        value = self._values.get(name)
        return None if value == "" else value

    def text(self, name: str, default: str = "") -> str:
        """A string; a whole number is taken for its digits."""
        value = self.raw(name)
        if value is None:
            return default
        if isinstance(value, str):
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        raise invalid(f"params error: {name} must be a string")

    def required(self, name: str) -> str:
        """A string that must be there."""
        value = self.text(name)
        if not value:
            raise invalid(f"params error: {name} is required")
        return value

    def amount(self, name: str) -> Decimal | None:
        """An amount; None if there is none."""
        value = self.raw(name)
        if value is None:
            return None
        found = amount(value)
        if found is None:
            raise invalid(f"params error: {name} invalid")
        return found

    def whole(self, name: str, default: int | None = None) -> int | None:
        """A whole number, in digits or not."""
        value = self.raw(name)
        if value is None:
            return default
        found = whole(value)
        if found is None:
            raise invalid(f"params error: {name} invalid")
        return found

    def flag(self, name: str) -> bool:
        """True or false; missing is false."""
        return self.raw(name) in _TRUE

    def limit(self, default: int, largest: int) -> int:
        """Rows of a page. More than the largest page is that page."""
        number = self.whole("limit", default) or default
        return min(number, largest)

    def objects(self, name: str) -> list["Params"]:
        """A list of objects."""
        values = self.raw(name)
        if not isinstance(values, list) or not all(isinstance(each, dict) for each in values):
            raise invalid(f"params error: {name} must be a list of objects")
        return [Params(each) for each in values]

    def with_value(self, name: str, value: Any) -> "Params":
        """The same with one field more."""
        return Params({**self._values, name: value})
