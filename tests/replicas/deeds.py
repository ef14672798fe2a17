"""Deeds: what befalls the services of a fleet and their servers, and what it took away."""

import signal
import time
from collections.abc import Callable
from typing import Final

from tests.faults.proxy import Way
from tests.replicas.fleet import LEASE_TTL_S, Fleet, Replica
from tests.replicas.stepped import step

PAST_LEASE_S: Final = LEASE_TTL_S * 2
Deed = Callable[[Fleet, Replica], float | None]
"""Returns the seconds until another service acted, None if none had to."""


def _killed(fleet: Fleet, victim: Replica) -> float:
    victim.kill()
    return fleet.await_owner(victim)


def _frozen(fleet: Fleet, victim: Replica) -> float:
    victim.signal(signal.SIGSTOP)
    taken_over = fleet.await_owner(victim)
    time.sleep(max(0.0, PAST_LEASE_S - taken_over))
    return taken_over


def _blinks(fleet: Fleet, victim: Replica) -> None:
    """Many short stops, wherever it is: in the middle of a send, of a commit, of a publish."""
    for _ in range(8):
        victim.signal(signal.SIGSTOP)
        time.sleep(fleet.random.uniform(0.05, LEASE_TTL_S / 4))
        victim.signal(signal.SIGCONT)
        time.sleep(fleet.random.uniform(0.05, 0.5))


def _cut_off(fleet: Fleet, victim: Replica) -> float:
    victim.refuse()
    taken_over = fleet.await_owner(victim)
    time.sleep(max(0.0, PAST_LEASE_S - taken_over))
    return taken_over


def _black_holed(fleet: Fleet, victim: Replica) -> float:
    victim.both(Way(is_black_hole=True))
    taken_over = fleet.await_owner(victim)
    time.sleep(max(0.0, PAST_LEASE_S - taken_over))
    return taken_over


def _without(server: str) -> Deed:
    """Its way to one server is refused for longer than its lease."""

    def deed(_: Fleet, victim: Replica) -> None:
        victim.proxies[server].refuse()
        time.sleep(PAST_LEASE_S)

    return deed


def _stopped(fleet: Fleet, victim: Replica) -> float:
    """SIGTERM: it gives its lease back."""
    victim.signal(signal.SIGTERM)
    return fleet.await_owner(victim)


def _all_but_one_killed(fleet: Fleet, victim: Replica) -> float:
    others = [each for each in fleet.replicas if each is not victim]
    gone = [victim, *others[:-1]]
    for each in gone:
        each.kill()
    return fleet.await_owner(*gone)


def _slow(_: Fleet, victim: Replica) -> None:
    victim.both(Way(latency=0.02, jitter=0.1))
    time.sleep(PAST_LEASE_S)


OF_REPLICAS: Final[dict[str, Deed]] = {
    "owner killed": _killed,
    "owner frozen past its lease": _frozen,
    "owner frozen in short moments": _blinks,
    "owner cut off": _cut_off,
    "owner black-holed": _black_holed,
    "owner without PostgreSQL": _without("postgres"),
    "owner without RabbitMQ": _without("rabbitmq"),
    "owner without the exchange": _without("bybit"),
    "owner stopped in good order": _stopped,
    "owner on slow lines": _slow,
    "all but one killed": _all_but_one_killed,
}

LEAST_STEP_S, LARGEST_STEP_S = 2.0, 9.0


def _clock_stepped(sign: int) -> Deed:
    """Its clock is set by some seconds, and after a while set right again: two steps."""

    def deed(fleet: Fleet, victim: Replica) -> None:
        step(victim.clock, sign * fleet.random.uniform(LEAST_STEP_S, LARGEST_STEP_S))
        time.sleep(PAST_LEASE_S)
        step(victim.clock, 0.0)
        time.sleep(PAST_LEASE_S)

    return deed


OF_CLOCKS: Final[dict[str, Deed]] = {
    "owner's clock set forward": _clock_stepped(1),
    "owner's clock set back": _clock_stepped(-1),
}

HOLD_BACK: Final = (
    "owner frozen past its lease",
    "owner frozen in short moments",
    "owner black-holed",
    "owner on slow lines",
)
"""Deeds after which requests that left one after the other may come together."""
COME_TOGETHER_S: Final = 5.0
"""After such a deed."""


def _server_killed(name: str) -> Deed:
    def deed(fleet: Fleet, _: Replica) -> None:
        server = fleet.servers[name]
        server.kill()
        time.sleep(1)
        server.start()

    return deed


def _server_frozen(name: str, seconds: float) -> Deed:
    def deed(fleet: Fleet, _: Replica) -> None:
        server = fleet.servers[name]
        server.pause()
        time.sleep(seconds)
        server.resume()

    return deed


OF_SERVERS: Final[dict[str, Deed]] = {
    "PostgreSQL killed": _server_killed("postgres"),
    "PostgreSQL frozen": _server_frozen("postgres", 4),
    "RabbitMQ killed": _server_killed("rabbitmq"),
    "RabbitMQ frozen": _server_frozen("rabbitmq", 8),
}
