"""Report: how much was checked, and what is broken, each by the code of its invariant."""

from collections.abc import Iterable, Mapping
from typing import Final

import attrs

NAMES: Final[Mapping[str, str]] = {
    "V1": "a signal is decided once per generation",
    "V2": "an intent is at most one order at the exchange",
    "V3": "an order at the exchange with our id has a row, and was claimed before it was born",
    "V4": "no intent fills beyond its quantity",
    "V5": "no order is claimed or born after its last moment",
    "V6": "a halt stops what adds risk, and a trading state says what its event said",
    "V7": "executions are unique, and those of the exchange",
    "V8": "an order's filled quantity, value and fees are the sums of its executions",
    "V9": "a position is the fold of its executions",
    "V10": "realised PnL, fees and funding are what the ledger says",
    "V11": "status changes follow the lifecycle",
    "V12": "versions have no gap, and the last event is the current row",
    "V13": "events are numbered without a gap, one for each thing that happened",
    "V14": "events of one order are published in their order",
    "V15": "a working order is open at the exchange",
    "V16": "an order open at the exchange is open here",
    "V17": "no order stays unanswered while the exchange can be reached",
    "V18": "only the owner of the account commits and sends, while its lease runs",
    "V19": "every attempt was claimed, and every claim is an attempt",
    "V20": "commands within a second stay in the rate budget",
    "V21": "what an order may come to stays within the limits when it is born",
    "V22": "a reduce-only order never makes a position larger",
    "V23": "prices are on the tick, quantities on the step, both within the rules",
    "V24": "every delivery has exactly one verdict, and every order its signal or request",
    "V25": "what was refused unread has a recorded reason",
    "V26": "nothing waits beyond its bound: no transaction, task or commit",
    "V27": "events, facts and readings are no older than their alarm allows",
    "V28": "the same inputs give the same history",
    "V29": "once faults end, everything comes to rest",
    "V30": "no secret is in a log, an answer, an event or a table",
    "V31": "what a person changed has a row with the actor, committed before the answer",
    "V32": "money is Decimal and finite",
    "V33": "an order id follows from its terms",
    "V34": "rows cannot be changed, nor commits lost, without being noticed",
    "V35": "foreign orders are EXTERNAL",
    "V36": "after a cancel-all nothing is open, and nothing is born late",
}
"""What each code claims. `docs/reference/invariants.md` says where each is checked."""


@attrs.frozen(slots=True)
class Broken:
    """One claim that does not hold.

    Attributes:
        subject: What it is about: an order, signal, position, event or execution.
        text: One sentence for a person.
    """

    code: str
    subject: str
    expected: str
    actual: str
    text: str


@attrs.frozen(slots=True)
class Report:
    """How many single claims were checked, and those that do not hold."""

    checked: int
    broken: tuple[Broken, ...]

    @property
    def is_sound(self) -> bool:
        """Nothing is broken."""
        return not self.broken

    def __add__(self, other: "Report") -> "Report":
        """Both together."""
        return Report(self.checked + other.checked, self.broken + other.broken)


class Findings:
    """The report while it is written."""

    __slots__ = ("broken", "checked")

    def __init__(self) -> None:
        self.checked = 0
        self.broken: list[Broken] = []

    def equal(self, code: str, subject: str, expected: object, actual: object, text: str) -> bool:
        """Claim that two values are equal."""
        self.checked += 1
        if expected == actual:
            return True
        self.broken.append(Broken(code, subject, _text(expected), _text(actual), text))
        return False

    def holds(self, code: str, subject: str, truth: object, text: str, actual: object = "") -> bool:
        """Claim that something is so."""
        self.checked += 1
        if truth:
            return True
        self.broken.append(Broken(code, subject, text, _text(actual), text))
        return False

    def report(self) -> Report:
        """What was found so far."""
        return Report(self.checked, tuple(self.broken))


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={each}" for name, each in sorted(value.items()))
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ", ".join(str(each) for each in value)
    return str(value)
