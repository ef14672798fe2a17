"""Quarantine: one record that cannot be believed is put aside; the records beside it go on."""

from collections.abc import Callable, Mapping
from typing import Final, Generic, TypeVar

import attrs

from order_adapters.intake.invalid import shown
from order_domain.errors import InvalidValue

Raw = Mapping[str, object]
Decoded = TypeVar("Decoded")
RECORDS_MAX: Final = 2000
"""No page and no push holds more; what does is not from this exchange."""


class RecordInvalid(InvalidValue):
    """A record of the exchange breaks a rule; no decoder raises anything else.

    Details: `field`, `rule`, `value` (200 characters).
    """

    code = "RECORD_INVALID"

    def __init__(self, field: str, rule: str, value: object) -> None:
        self.field = field
        self.rule = rule
        self.value = shown(value)
        super().__init__(field=field, rule=rule, value=self.value)


class UnknownWord(RecordInvalid):
    """A word of the exchange that we do not know, where guessing would cost money."""

    code = "UNKNOWN_WORD"


@attrs.frozen(slots=True)
class Quarantined:
    """A record that was put aside: what is wrong with it, and itself."""

    field: str
    rule: str
    value: str
    raw: object


@attrs.frozen(slots=True)
class Batch(Generic[Decoded]):
    """What became of the records of one message, each side in the order they came."""

    good: tuple[Decoded, ...]
    quarantined: tuple[Quarantined, ...] = ()


def decode_all(decode: Callable[[Raw], Decoded], records: object) -> Batch[Decoded]:
    """Decode a list of records, whatever it holds; raises nothing.

    Args:
        decode: A decoder; what it needs beside the record is bound by `functools.partial`.
        records: `result.list` or `data` as it came.
    """
    if not isinstance(records, list | tuple):
        return Batch((), (_aside(RecordInvalid("list", "an array", records), records),))
    if len(records) > RECORDS_MAX:
        rule = f"an array of at most {RECORDS_MAX}"
        return Batch((), (_aside(RecordInvalid("list", rule, records), records),))
    good: list[Decoded] = []
    quarantined: list[Quarantined] = []
    for raw in records:
        try:
            good.append(decode(_record(raw)))
        except RecordInvalid as error:
            quarantined.append(_aside(error, raw))
    return Batch(tuple(good), tuple(quarantined))


def _record(raw: object) -> Raw:
    if isinstance(raw, dict):
        return raw
    raise RecordInvalid("record", "an object", raw)


def _aside(error: RecordInvalid, raw: object) -> Quarantined:
    return Quarantined(error.field, error.rule, error.value, raw)
