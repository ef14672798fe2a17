"""Watch: what an onlooker sees of a fleet all the time: who acts, what it uses, what is stored."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Final, Self

import attrs

from order_adapters.codec.tables import TABLES
from tests.crash_matrix.world import run
from tests.postgres_server import connected
from tests.replicas.fleet import Fleet, Replica

LOOK_EVERY_S: Final = 0.2
USE_EVERY_S: Final = 2.0
ROWS_EVERY_S: Final = 10.0
_KEPT: Final = 50


@attrs.frozen
class Look:
    """One answer of a replica that it acts: asked and answered, in monotonic seconds."""

    replica: str
    asked_at: float
    answered_at: float


class Watch:
    """Looks from threads of its own while its block lasts.

    Attributes:
        rows: Seconds since the beginning, signals sent by then, and the rows of every table.
        doubled: Moments at which two acted at once.
    """

    def __init__(self, fleet: Fleet, sent: Callable[[], int]) -> None:
        self.rows: list[tuple[float, int, Counter[str]]] = []
        self.doubled: list[str] = []
        self._fleet = fleet
        self._sent = sent
        self._acting: list[float] = []
        self._before: dict[str, Look] = {}
        self._looks: deque[Look] = deque(maxlen=_KEPT)
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        self._began_at = time.monotonic()
        works: list[tuple[Callable[[], None], float]] = [
            (lambda each=each: self._look(each), LOOK_EVERY_S)  # type: ignore[misc]
            for each in fleet.replicas
        ]
        works += [(self._use, USE_EVERY_S), (self._count, ROWS_EVERY_S)]
        self._threads = [threading.Thread(target=self._repeat, args=each) for each in works]

    def __enter__(self) -> Self:
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        for each in self._threads:
            each.join()

    def nobody_acted(self, since: float) -> float:
        """The longest time until now, in seconds, in which nobody was seen to act."""
        with self._lock:
            seen = [since, *(at for at in self._acting if at > since), time.monotonic()]
        return max(later - earlier for earlier, later in pairwise(seen))

    def _repeat(self, work: Callable[[], None], pause: float) -> None:
        while not self._is_over.is_set():
            work()
            self._is_over.wait(pause)

    def _look(self, replica: Replica) -> None:
        asked_at = time.monotonic()
        is_acting = replica.is_ready()
        look = Look(replica.name, asked_at, time.monotonic())
        with self._lock:
            before = self._before.pop(replica.name, None)
            if not is_acting:
                return
            self._before[replica.name] = look
            self._acting.append(look.answered_at)
            self._looks.append(look)
            other = None if before is None else between(self._looks, before, look)
        replica.acted()
        if other is not None:
            self.doubled.append(f"{other.replica} acted while {look.replica} did")

    def _use(self) -> None:
        for each in self._fleet.replicas:
            each.sample()

    def _count(self) -> None:
        try:
            found = run(_rows(self._fleet.store))
        except Exception:  # noqa: BLE001 -- the server is killed or frozen: the next time
            return
        self.rows.append((time.monotonic() - self._began_at, self._sent(), found))


def between(looks: Iterable[Look], before: Look, after: Look) -> Look | None:
    """Who else was seen to act between two looks that saw one replica act."""
    for each in looks:
        is_other = each.replica != before.replica
        if is_other and before.answered_at < each.asked_at and each.answered_at < after.asked_at:
            return each
    return None


async def _rows(store: str) -> Counter[str]:
    parts = [f"SELECT '{each.name}' AS name, count(*) AS n FROM {each.name}" for each in TABLES]
    async with connected(store) as connection:
        found = await connection.fetch(" UNION ALL ".join(parts), timeout=20)
    return Counter({row["name"]: row["n"] for row in found})
