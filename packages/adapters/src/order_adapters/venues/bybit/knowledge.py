"""Knowledge: what the account's connections learn for each other, and what none could read."""

import logging
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

import attrs

from order_adapters.venues.bybit.records import Known, Quarantined
from order_domain.model.enums import InstrumentStatus, PositionSide
from order_domain.model.identifiers import InstrumentId, VenueOrderId
from order_domain.model.instrument import Instrument
from order_domain.model.reports import OrderReport, PositionReport

KEPT: Final = 100_000
"""Orders in hedge mode whose position side is remembered."""
SHOWN: Final = 100
log: Final = logging.getLogger(__name__)


class Knowledge:
    """Instruments, position modes, positions of orders; volatile, learnt again by every process."""

    def __init__(self, exchange_now: Callable[[], datetime]) -> None:
        self.exchange_now = exchange_now
        self.instruments: dict[InstrumentId, Instrument] = {}
        self.hedged: set[InstrumentId] = set()
        self._position_sides: dict[VenueOrderId, PositionSide] = {}
        self.known = Known(
            instruments=self.instruments, hedged=self.hedged, position_sides=self._position_sides
        )
        self.quarantined: deque[Quarantined] = deque(maxlen=SHOWN)
        self.quarantines = 0

    def learn_order(self, report: OrderReport) -> None:
        """Remember the position an order of an account in hedge mode works on."""
        if report.position_side is not PositionSide.BOTH:
            self._position_sides[report.venue_order_id] = report.position_side
            if len(self._position_sides) > KEPT:
                del self._position_sides[next(iter(self._position_sides))]
            self.hedged.add(report.instrument_id)

    def learn_position(self, report: PositionReport) -> None:
        """Remember the position mode of an instrument."""
        if report.position_side is PositionSide.BOTH:
            self.hedged.discard(report.instrument_id)
        else:
            self.hedged.add(report.instrument_id)

    def delist(self, listed: Iterable[Instrument]) -> list[Instrument]:
        """Take for closed whatever a new list leaves out: the exchange lists only what trades."""
        names = {each.id for each in listed}
        gone = [
            attrs.evolve(each, status=InstrumentStatus.CLOSED)
            for each in self.instruments.values()
            if each.id not in names
        ]
        self.instruments.update({each.id: each for each in gone})
        return gone

    def put_aside(self, quarantined: Iterable[Quarantined]) -> None:
        """Keep and tell what could not be read. The record itself may hold anything: not logged."""
        for record in quarantined:
            self.quarantines += 1
            self.quarantined.append(record)
            log.error(
                "a record of the exchange was put aside: %s must be %s, not %s",
                record.field,
                record.rule,
                record.value,
            )
