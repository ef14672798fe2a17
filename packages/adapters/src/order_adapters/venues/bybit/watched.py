"""Watched: a JSON object that remembers which of its keys were read."""

from collections.abc import Iterator

from order_adapters.intake.invalid import shown


class Watched(dict[str, object]):
    """Stands in for a record while a decoder reads it; slow, for people only."""

    def __init__(self, raw: dict[str, object]) -> None:
        super().__init__(raw)
        self._read: set[str] = set()

    def get(self, key: str, default: object = None) -> object:
        """Return a value; objects in it are watched too, from when they are first read."""
        value = super().get(key, default)
        if key in self and key not in self._read:
            self._read.add(key)
            value = self[key] = _watched(value)
        return value

    def unread(self) -> Iterator[str]:
        """Yield the keys nobody asked for, those of inner objects by their path."""
        for key, value in self.items():
            name = shown(key)
            if key not in self._read:
                yield name
            elif isinstance(value, Watched):
                yield from (f"{name}.{inner}" for inner in value.unread())
            elif isinstance(value, list):
                watched = [each for each in value if isinstance(each, Watched)]
                inner = dict.fromkeys(path for each in watched for path in each.unread())
                yield from (f"{name}[].{path}" for path in inner)


def _watched(value: object) -> object:
    if isinstance(value, dict):
        return Watched(value)
    if isinstance(value, list):
        return [Watched(each) if isinstance(each, dict) else each for each in value]
    return value
