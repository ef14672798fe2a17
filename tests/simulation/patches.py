"""Patches: production code made wrong on purpose, and right again."""

from collections.abc import Callable, MutableMapping
from typing import Any

import attrs

_MISSING = object()


class Patches:
    """What was put in whose place."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []

    def attribute(self, owner: Any, name: str, value: object) -> None:
        """Replace an attribute of a class or module. Raises AttributeError if there is none."""
        before = vars(owner).get(name, _MISSING)
        if before is _MISSING:
            raise AttributeError(f"{owner.__name__} has no {name} of its own")
        setattr(owner, name, value)
        self._undo.append(lambda: setattr(owner, name, before))

    def item(self, table: MutableMapping[Any, Any], key: Any, value: object) -> None:
        """Replace an entry of a table. Raises KeyError if there is none."""
        before = table[key]
        table[key] = value
        self._undo.append(lambda: table.__setitem__(key, before))

    def undo(self) -> None:
        for step in reversed(self._undo):
            step()
        self._undo.clear()


@attrs.frozen(slots=True)
class Bug:
    """A mistake somebody could make."""

    text: str
    plant: Callable[[Patches], None]
