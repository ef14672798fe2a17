"""The accounts of a server, from a file."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from order_adapters.bybit_server import AccountConfig, ServerConfig
from order_adapters.bybit_server.accounts_file import load_accounts
from order_adapters.bybit_server.config import BALANCES
from order_domain.errors import InvalidValue
from order_domain.model.enums import Category

KEY = {"api_key": "K", "secret": "very-secret"}


def written(path: Path, rows: Any) -> Path:
    file = path / "accounts.json"
    file.write_text(rows if isinstance(rows, str) else json.dumps(rows))
    return file


def test_a_key_and_a_secret_are_enough(tmp_path: Path) -> None:
    other = {"api_key": "L", "hedged": True, "categories": ["spot"], "balances": {"USDT": "5.50"}}
    first, second = load_accounts(written(tmp_path, [KEY, KEY | other]))

    assert (first.api_key, first.user_id, first.balances) == ("K", 1_000_001, BALANCES)
    assert (second.user_id, second.hedged) == (1_000_002, True)
    assert second.categories == (Category.SPOT,)
    assert second.balances == {"USDT": Decimal("5.50")}


@pytest.mark.parametrize(
    "rows",
    [
        "{",
        [],
        {},
        [1],
        [{"api_key": "K"}],
        [KEY | {"colour": "red"}],
        [KEY | {"user_id": 0}],
        [KEY | {"user_id": True}],
        [KEY | {"hedged": "yes"}],
        [KEY | {"balances": {"USDT": 5}}],
        [KEY | {"balances": {"USDT": "much"}}],
        [KEY | {"balances": []}],
        [KEY | {"categories": []}],
        [KEY | {"categories": ["option"]}],
        [KEY | {"api_key": "with space"}],
        [KEY | {"secret": 5}],
    ],
)
def test_a_file_that_breaks_a_rule_is_refused_without_showing_a_secret(
    tmp_path: Path, rows: Any
) -> None:
    with pytest.raises(InvalidValue) as refused:
        load_accounts(written(tmp_path, rows))

    assert "very-secret" not in str(refused.value.details)


def test_two_accounts_may_not_share_a_key(tmp_path: Path) -> None:
    accounts = load_accounts(written(tmp_path, [KEY, KEY]))

    with pytest.raises(InvalidValue, match="api_key"):
        ServerConfig(accounts=accounts)
    with pytest.raises(InvalidValue, match="accounts"):
        ServerConfig(accounts=())


def test_a_secret_is_not_in_the_representation() -> None:
    assert "very-secret" not in repr(AccountConfig(api_key="K", secret="very-secret"))
