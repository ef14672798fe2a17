"""Trace: what happened in a run, hashed for comparison, the newest kept for people."""

from collections import Counter, deque
from hashlib import blake2b

KEPT = 200


class Trace:
    """Counts, hashes and keeps."""

    def __init__(self, time: "TellsTime") -> None:
        self._time = time
        self._hash = blake2b(digest_size=16)
        self.newest: deque[str] = deque(maxlen=KEPT)
        self.counts: Counter[str] = Counter()
        self.keeps_all = False
        self.all: list[str] = []

    def note(self, who: str, what: str, detail: object = "") -> None:
        """Something happened that must happen again in a replay."""
        line = f"{self._time.time():.6f} {who} {what} {detail}"
        self._hash.update(line.encode())
        self.newest.append(line)
        if self.keeps_all:
            self.all.append(line)

    def fault(self, who: str, kind: str, detail: object = "") -> None:
        """A fault was injected."""
        self.counts[kind] += 1
        self.note(who, f"FAULT {kind}", detail)

    @property
    def digest(self) -> str:
        """Hash of everything that happened so far."""
        return self._hash.hexdigest()


class TellsTime:
    """A loop, as far as a trace sees it."""

    def time(self) -> float:
        raise NotImplementedError
