"""Grouping: the changes of a flush by table, as they are to be written."""

from collections.abc import Hashable, Iterable
from typing import Any

from order_adapters.codec.tables import TABLE_OF
from order_domain.model.rows import Change


def by_table(changes: Iterable[Change]) -> dict[type, list[Any]]:
    """Group rows by class; of several versions of a row only the last is kept, in its first place.

    History (ledger and events) is kept whole.
    """
    latest: dict[type, dict[Hashable, Change]] = {}
    groups: dict[type, list[Any]] = {}
    for change in changes:
        row_type = change.__class__
        table = TABLE_OF[row_type]
        if table.is_append_only:
            groups.setdefault(row_type, []).append(change)
        else:
            latest.setdefault(row_type, {})[table.key_of(change)] = change
    groups.update({row_type: list(rows.values()) for row_type, rows in latest.items()})
    return groups
