"""Accounts file: the accounts of a server, from a JSON array of objects."""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

from order_adapters.bybit_server.config import AccountConfig
from order_domain.errors import InvalidValue
from order_domain.model.enums import Category


def load_accounts(path: Path) -> tuple[AccountConfig, ...]:
    """Read accounts; every field but `api_key` and `secret` may be left out.

    Raises:
        InvalidValue: The file is no array of objects, or a field is unknown or out of range.
            Details name the `account` by its number from 1, never a secret.
        OSError: The file cannot be read.
    """
    try:
        rows = json.loads(path.read_bytes())
    except ValueError:
        raise InvalidValue(field="accounts", rule="a file of valid JSON", value=path.name) from None
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise InvalidValue(field="accounts", rule="an array of objects", value=path.name)
    return tuple(_account(number, row) for number, row in enumerate(rows, start=1))


def _account(number: int, row: Mapping[str, Any]) -> AccountConfig:
    missing = [name for name in ("api_key", "secret") if name not in row]
    if missing:
        raise InvalidValue(field=missing[0], rule="given", value="", account=number)
    try:
        values = {name: _field(name, value) for name, value in row.items()}
        return AccountConfig(**{"user_id": 1_000_000 + number} | values)
    except InvalidValue as error:
        raise InvalidValue(**error.details, account=number) from None


def _field(name: str, value: Any) -> Any:
    read = _FIELDS.get(name)
    if read is None:
        raise InvalidValue(field=name, rule=f"one of {', '.join(_FIELDS)}", value="")
    return read(name, value)


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidValue(field=name, rule="a string", value="")
    return value


def _whole(name: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InvalidValue(field=name, rule="a whole number above 0", value=value)
    return value


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise InvalidValue(field=name, rule="true or false", value=value)
    return value


def _balances(name: str, value: Any) -> Mapping[str, Decimal]:
    if not isinstance(value, dict):
        raise InvalidValue(field=name, rule="an object of coins", value=value)
    try:
        found = {coin: Decimal(amount) for coin, amount in value.items() if _is_text(amount)}
    except InvalidOperation:
        found = {}
    if len(found) != len(value):
        raise InvalidValue(field=name, rule="decimals in strings, by coin", value=value)
    return found


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _categories(name: str, value: Any) -> tuple[Category, ...]:
    words = [each.value for each in Category]
    if not isinstance(value, list) or not value or any(each not in words for each in value):
        raise InvalidValue(field=name, rule=f"a list of {', '.join(words)}", value=value)
    return tuple(Category(each) for each in value)


_FIELDS: Final[Mapping[str, Callable[[str, Any], Any]]] = {
    "api_key": _text,
    "secret": _text,
    "user_id": _whole,
    "balances": _balances,
    "hedged": _flag,
    "categories": _categories,
    "read_only": _flag,
    "may_withdraw": _flag,
    "has_protection": _flag,
}
