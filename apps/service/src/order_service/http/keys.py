"""Keys: who may do what, by SHA-256 of the key; nobody can be asked for a key he has not kept."""

import json
import secrets
from collections.abc import Callable, Iterable
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import attrs

from order_domain.errors import OrderManagerError

_RECHECK_S: Final = 1.0
_NOBODY: Final = sha256(b"").digest()


class Scope(StrEnum):
    """What a key may do. None contains another."""

    READ = "read"
    TRADE = "trade"
    CANCEL = "cancel"
    HALT = "halt"
    ADMIN = "admin"


ALL: Final = frozenset(Scope)


class KeysInvalid(OrderManagerError):
    """The file of keys cannot be used. Details: `file`, `line`, `rule`."""

    code = "KEYS_INVALID"


@attrs.frozen(slots=True)
class Key:
    """One key. The key itself is known to its owner alone.

    Attributes:
        id: Shows in rows and logs as who did it.
        expires_at: UTC; None: never.
    """

    id: str
    digest: bytes = attrs.field(repr=False)
    scopes: frozenset[Scope]
    expires_at: datetime | None = None


def digest_of(key: bytes) -> bytes:
    """What is kept of a key."""
    return sha256(key).digest()


def make_key(name: str, scopes: Iterable[Scope], expires_at: datetime | None) -> tuple[str, str]:
    """Draw a key; return it and the line of the file that lets it in."""
    key = secrets.token_urlsafe(32)
    row: dict[str, Any] = {
        "id": name,
        "sha256": digest_of(key.encode()).hex(),
        "scopes": sorted(scopes),
    }
    if expires_at is not None:
        row["expires_at"] = expires_at.isoformat()
    return key, json.dumps(row)


class KeyRing:
    """The keys that are let in: one of the settings, and those of a file that is read again.

    Args:
        own: A key with every scope.
        file: One JSON object a line: id, sha256, scopes, expires_at. A change counts within 1 s.
        now: Wall time, UTC.
        monotonic: Seconds.
    """

    def __init__(
        self,
        own: str,
        file: Path | None,
        *,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        self._own = Key("default", digest_of(own.encode()), ALL)
        self._file = file
        self._now = now
        self._monotonic = monotonic
        self._looked_at = monotonic()
        self._stamp = self._stat()
        self._keys = (self._own, *(() if file is None else read_keys(file)))

    def find(self, given: bytes) -> Key | None:
        """The key that was given, if it is one and has not expired; every key is compared."""
        self._refresh()
        wanted, found = digest_of(given), None
        for key in self._keys:
            # bytes of one length: the time tells nothing, and no character is foreign
            if secrets.compare_digest(key.digest, wanted):
                found = key
        if found is None or (found.expires_at is not None and found.expires_at <= self._now()):
            return None
        return found

    def _refresh(self) -> None:
        if self._file is None or self._monotonic() - self._looked_at < _RECHECK_S:
            return
        self._looked_at = self._monotonic()
        stamp = self._stat()
        if stamp != self._stamp:
            # a file that cannot be read lets nobody of it in
            try:
                others = read_keys(self._file)
            except KeysInvalid:
                others = ()
            self._stamp, self._keys = stamp, (self._own, *others)

    def _stat(self) -> tuple[int, int, int] | None:
        if self._file is None:
            return None
        try:
            found = self._file.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


def read_keys(file: Path) -> tuple[Key, ...]:
    """Read a file of keys. Raises KeysInvalid."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise KeysInvalid(file=str(file), line=0, rule=f"a readable file ({error})") from None
    keys: dict[str, Key] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            key = _key(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError):
            rule = "id, sha256 of 64 hex digits, scopes, perhaps expires_at with its zone"
            raise KeysInvalid(file=str(file), line=number, rule=rule) from None
        if key.id in keys or key.id == "default":
            raise KeysInvalid(file=str(file), line=number, rule="each id once, not default")
        keys[key.id] = key
    return tuple(keys.values())


def _key(row: Any) -> Key:
    expires_at = (
        None if row.get("expires_at") is None else datetime.fromisoformat(row["expires_at"])
    )
    if expires_at is not None and expires_at.tzinfo is None:
        raise ValueError("no zone")
    digest = bytes.fromhex(row["sha256"])
    if len(digest) != len(_NOBODY) or not row["id"].isidentifier():
        raise ValueError("id or digest")
    return Key(row["id"], digest, frozenset(Scope(each) for each in row["scopes"]), expires_at)
