"""Deliveries and signals: one verdict each, with its reason; none missing, none twice."""

from collections.abc import Callable
from hashlib import sha256

from order_domain.codes import Code
from order_domain.errors import InvalidValue
from order_domain.invariants.report import Findings
from order_domain.model.enums import EventKind, Verdict
from order_domain.model.events import Event
from order_domain.model.rows import DeliveryRow, SignalRow
from order_domain.model.signal import TradingSignal

_EXPIRED = (Code.SIGNAL_EXPIRED, Code.PARK_EXPIRED)
ReadBody = Callable[[str], TradingSignal]
"""Reads the stored body of a signal again, as intake did. Raises InvalidValue for what is none."""


class Signals:
    """Every signal and delivery of a store."""

    def __init__(self, findings: Findings, read_body: ReadBody | None) -> None:
        self._findings = findings
        self._read_body = read_body
        self.rows: dict[tuple[str, int], SignalRow] = {}
        self._deliveries: dict[int, DeliveryRow] = {}
        self._numbers: set[int] = set()
        self._told: dict[str, Event] = {}

    def take(self, row: SignalRow) -> None:
        """Check one signal by itself."""
        signal = row.signal
        name, key = f"signal {signal.signal_id}", (str(signal.signal_id), row.generation)
        self._findings.holds("V1", name, key not in self.rows, "one row per generation", key)
        self.rows[key] = row
        if row.generation == 0:
            self._number(row.delivery, name)
        else:
            self._findings.equal("V24", name, 0, row.delivery, "a retry has no delivery")
        self._verdict(row, name)
        self._body(signal, name)

    def take_delivery(self, row: DeliveryRow) -> None:
        """Check one delivery that brought nothing new."""
        name = f"delivery {row.number}"
        self._number(row.number, name)
        self._deliveries[row.number] = row
        is_duplicate = row.verdict is Verdict.DUPLICATE
        self._findings.holds(
            "V24",
            name,
            row.verdict in (Verdict.DUPLICATE, Verdict.INVALID)
            and is_duplicate == (row.code == Code.DUPLICATE),
            "verdict and code belong together",
            f"{row.verdict} {row.code}",
        )
        if not is_duplicate:
            check_reason(self._findings, row)

    def take_event(self, event: Event) -> None:
        """Remember what was told of a signal or delivery."""
        if event.subject.startswith(("verdict:", "delivery:")):
            self._told[event.subject] = event

    def finish(self, *, contiguous: bool) -> None:
        """Check what needs all rows: numbers, generations, references, events.

        Args:
            contiguous: Deliveries are numbered 1..n, as the lines of a file are.
        """
        if contiguous:
            last = max(self._numbers, default=0)
            for number in range(1, last + 1):
                self._findings.holds(
                    "V24", f"delivery {number}", number in self._numbers, "it has a verdict", "none"
                )
        for (signal_id, generation), row in self.rows.items():
            name = f"signal {signal_id}"
            if generation:
                before = (signal_id, generation - 1) in self.rows
                self._findings.holds("V1", name, before, "a retry follows a decided generation")
            elif not row.order_ids and row.verdict in (Verdict.DENIED, Verdict.EXPIRED):
                self._event(f"verdict:{signal_id}:0", EventKind.SIGNAL_DENIED, row.code, name)
        for delivery in self._deliveries.values():
            self._reference(delivery)

    def _number(self, number: int, name: str) -> None:
        fresh = number not in self._numbers
        self._findings.holds("V24", name, fresh, f"delivery {number} has one verdict", number)
        self._findings.holds("V24", name, number > 0, "deliveries are numbered from 1", number)
        self._numbers.add(number)

    def _verdict(self, row: SignalRow, name: str) -> None:
        verdict, code = row.verdict, row.code
        rules = {
            Verdict.PARKED: code == Code.WAITING,
            Verdict.ORDERED: code == Code.OK and bool(row.order_ids),
            Verdict.EXPIRED: code in _EXPIRED,
            Verdict.DENIED: code in Code.__members__
            and code not in (Code.OK, Code.WAITING, *_EXPIRED),
        }
        self._findings.holds(
            "V24",
            name,
            rules.get(verdict, False),
            "verdict, code and orders belong together",
            f"{verdict} {code}, {len(row.order_ids)} orders",
        )
        is_decided = verdict is not Verdict.PARKED
        self._findings.holds(
            "V24",
            name,
            is_decided == (row.decided_at is not None) and is_decided == (row.deadline is None),
            "a verdict has its time, and only what waits has a deadline",
            f"decided at {row.decided_at}, deadline {row.deadline}",
        )
        if row.trace and verdict in (Verdict.DENIED, Verdict.EXPIRED):
            failed = [entry[0] for entry in row.trace if not entry[3]]
            self._findings.holds("V24", name, code in failed, "the trace names the code", failed)

    def _body(self, signal: TradingSignal, name: str) -> None:
        if not signal.body:
            return
        digest = sha256(signal.body.encode()).hexdigest()
        self._findings.equal("V24", name, digest, signal.body_hash, "the body has its hash")
        if self._read_body is not None and digest == signal.body_hash:
            try:
                read: object = self._read_body(signal.body)
            except InvalidValue as error:
                read = error
            self._findings.equal("V24", name, read, signal, "the signal is what its body says")

    def _reference(self, row: DeliveryRow) -> None:
        name = f"delivery {row.number}"
        if row.code in (Code.DUPLICATE, Code.ID_CONFLICT):
            known = (row.signal_id, 0) in self.rows
            self._findings.holds("V24", name, known, "the signal it repeats exists", row.signal_id)
        if row.verdict is Verdict.INVALID:
            conflict = row.code == Code.ID_CONFLICT
            kind = EventKind.SIGNAL_CONFLICT if conflict else EventKind.SIGNAL_INVALID
            event = self._event(f"delivery:{row.number}", kind, row.code, name)
            if event is not None:
                check_told(self._findings, row, event)

    def _event(self, subject: str, kind: EventKind, code: str, name: str) -> Event | None:
        event = self._told.get(subject)
        told = "none" if event is None else f"{event.kind} {event.code}"
        self._findings.equal("V13", name, f"{kind} {code}", told, "its verdict was told")
        return event


def check_refusal(findings: Findings, row: DeliveryRow | None, event: Event) -> None:
    """What was refused unread, and told so, has a row with the same reason."""
    number = event.subject.partition(":")[2]
    if findings.holds("V25", f"delivery {number}", row, "its reason is recorded") and row:
        check_reason(findings, row)
        check_told(findings, row, event)


def check_reason(findings: Findings, row: DeliveryRow) -> None:
    """A body that could not be read has a reason."""
    if row.code != Code.ID_CONFLICT:
        name = f"delivery {row.number}"
        findings.holds("V25", name, row.field and row.rule, "an invalid body has a reason")


def check_told(findings: Findings, row: DeliveryRow, event: Event) -> None:
    """The event of a refusal says what its row says."""
    name = f"delivery {row.number}"
    findings.equal("V13", name, event.at, row.at, "it was told at its time")
    reason = (("field", row.field), ("rule", row.rule), ("value", row.value))
    if row.code != Code.ID_CONFLICT:
        findings.equal("V25", name, event.detail, reason, "its reason was told")
