"""Where CPU time goes: the stack, once for every millisecond of it that this process has used."""

import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType

PERIOD_S = 0.001
DEPTH = 60


class Sampling:
    """Counts functions by themselves and with all they call."""

    def __init__(self) -> None:
        self._own: Counter[str] = Counter()
        self._whole: Counter[str] = Counter()
        self.samples = 0

    def begin(self) -> None:
        signal.signal(signal.SIGPROF, self._take)
        signal.setitimer(signal.ITIMER_PROF, PERIOD_S, PERIOD_S)

    def end(self) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)

    def write(self, path: Path, rows: int = 70) -> None:
        """Per cent of all samples, by function: alone, then with callees."""
        lines = [f"{self.samples} samples of {PERIOD_S * 1000:g} ms"]
        for name, counted in (("alone", self._own), ("with callees", self._whole)):
            lines.append(f"\n{name}")
            lines += [
                f"{100 * count / self.samples:6.1f} %  {where}"
                for where, count in counted.most_common(rows)
            ]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _take(self, _: int, frame: FrameType | None) -> None:
        self.samples += 1
        seen: set[str] = set()
        depth = 0
        while frame is not None and depth < DEPTH:
            code = frame.f_code
            where = f"{_short(code.co_filename)}:{code.co_qualname}"
            if not seen:
                caller = frame.f_back
                by = f" < {caller.f_code.co_qualname}" if caller is not None else ""
                self._own[where + by] += 1
            seen.add(where)
            frame, depth = frame.f_back, depth + 1
        self._whole.update(seen)


def _short(path: str) -> str:
    """The file as an import has it."""
    for folder in sorted(sys.path, key=len, reverse=True):
        if folder and path.startswith(f"{folder}/"):
            return path[len(folder) + 1 :]
    return "/".join(path.rsplit("/", 3)[1:])
