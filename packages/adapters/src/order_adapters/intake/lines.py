"""Lines of a file, plain or gzip, read one at a time, however long or broken they are."""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import attrs

_GZIP: Final = b"\x1f\x8b"
_BOM: Final = b"\xef\xbb\xbf"
_SPARE: Final = len(_BOM) + len(b"\r\n") + 1
"""What a line within the limit may have around it, and one byte that tells a longer one."""


@attrs.frozen(slots=True)
class Line:
    """One line without its end.

    Attributes:
        is_cut: It was longer than the reader's limit; `raw` is its beginning.
    """

    number: int
    raw: bytes
    is_cut: bool = False


class LineReader:
    """Iterates over the lines of a file; gzip is told by its first bytes, not by the name.

    Attributes:
        error: Why the reading ended early (a broken gzip), else empty. What came before stands.
    """

    def __init__(self, path: Path, limit: int) -> None:
        self.error = ""
        self._path = path
        self._limit = limit

    def __iter__(self) -> Iterator[Line]:
        """Yield lines numbered from 1. Raises OSError when the file cannot be opened."""
        with self._path.open("rb") as plain:
            packed = plain.read(2) == _GZIP
            plain.seek(0)
            if packed:
                with gzip.open(plain) as unpacked:
                    yield from self._until_broken(unpacked)
            else:
                yield from self._until_broken(plain)

    def _until_broken(self, stream: BinaryIO | gzip.GzipFile) -> Iterator[Line]:
        number = 0
        try:
            while raw := stream.readline(self._limit + _SPARE):
                number += 1
                line = _trimmed(raw, number)
                rest = raw
                while not rest.endswith(b"\n") and (rest := stream.readline(self._limit)):
                    pass
                yield Line(number, line[: self._limit], is_cut=len(line) > self._limit)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            self.error = f"the gzip data is cut or broken after line {number}: {error}"


def _trimmed(raw: bytes, number: int) -> bytes:
    return raw.removesuffix(b"\n").removesuffix(b"\r").removeprefix(_BOM if number == 1 else b"")
