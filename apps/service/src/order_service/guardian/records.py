"""Records: what the guardian saw and did, on disk before it goes on, in a file of its own."""

import json
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from order_domain.ports.clock import Clock


class Records:
    """JSON lines, each synced; needs neither database nor broker.

    A disk that fails does not keep the guardian from acting: it is told to `said` and goes on.
    """

    def __init__(self, path: Path, clock: Clock, said: Callable[[str], None]) -> None:
        self._path = path
        self._clock = clock
        self._said = said

    def write(self, event: str, **values: object) -> None:
        """Append one line and sync it."""
        at: datetime = self._clock.now()
        line = json.dumps({"at": at.isoformat(), "event": event, **values}, default=str)
        self._said(line)
        try:
            with self._path.open("ab") as file:
                file.write(line.encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            self._said(json.dumps({"event": "guardian.record_lost", "error": str(error)}))
