"""Growth: memory and open files of the one service of a soak that is never killed."""

from typing import Final

from tests.replicas.fleet import Replica

SETTLED_S: Final = 120.0
"""Life of a process before which caches and retained orders still fill up."""
MIB: Final = 2**20
_SPARING: Final = ("killed", "stopped")
_MORE_BYTES, _MORE_PART, _MORE_FILES = 12 * MIB, 1.15, 20


class Growth:
    """Watches one replica; deeds that would end it choose another time."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica

    def is_spared(self, victim: Replica, deed: str) -> bool:
        """Whether a deed is not for this victim, or ends all but it."""
        ends = any(word in deed for word in _SPARING) and "SQL" not in deed and "MQ" not in deed
        return victim is self._replica and ends

    def sample(self) -> None:
        """Look at it."""
        self._replica.sample()

    def told(self) -> tuple[list[str], list[str]]:
        """Return what is seen of the present process, and what of it is too much."""
        settled = [each for each in self._replica.samples if each[0] >= SETTLED_S]
        if len(settled) < 9:
            return [f"{self._replica.name}: too short a life to tell of its memory"], []
        third = len(settled) // 3
        before = max(size for _, size, _ in settled[:third])
        after = min(size for _, size, _ in settled[-third:])
        files = max(number for _, _, number in settled[:third])
        files_after = min(number for _, _, number in settled[-third:])
        age = settled[-1][0]
        told = (
            f"{self._replica.name}, {age / 60:.0f} minutes old: at most {before / MIB:.0f} MiB and "
            f"{files} files in its first third, at least {after / MIB:.0f} MiB and {files_after} "
            f"in its last"
        )
        grows = after > before * _MORE_PART + _MORE_BYTES or files_after > files + _MORE_FILES
        return [told], [f"it grows: {told}"] if grows else []
