"""Inputs about our own plumbing: market data, trading rules, transport, stream, clock, states."""

import attrs

from order_domain.engine import states
from order_domain.engine.orders import nudge
from order_domain.engine.sweeps import request_sweep
from order_domain.engine.work import Work
from order_domain.model.enums import Trading
from order_domain.model.inputs import ClockOffset, StreamState, TransportState
from order_domain.model.instrument import Instrument
from order_domain.model.rows import TradingStateRow

_FLUSH_PART = 4
"""Claims need the last flush to have taken less than this part of recv_window (protocol 5.4)."""


def on_instrument(work: Work, instrument: Instrument, _asked: bool) -> None:
    if work.book.instruments.get(instrument.id) != instrument:
        work.changes.append(instrument)


def on_transport(work: Work, state: TransportState, _asked: bool) -> None:
    work.watch.transport_up = state.up and state.flush * _FLUSH_PART < work.config.recv_window
    work.watch.intents_due = work.watch.intents_due or bool(
        work.book.intents or work.book.open_commands
    )


def on_stream(work: Work, state: StreamState, _asked: bool) -> None:
    """A lost stream closes the door to openings; a new one opens it only after a complete sweep."""
    watch = work.watch
    if not state.healthy:
        watch.stream_healthy, watch.barrier = False, True
        states.restrict(work, "STREAM", state.reason or "private stream down")
        return
    if not watch.stream_healthy:
        watch.stream_healthy, watch.healthy_at = True, work.exchange_now
        request_sweep(work, "RECONNECT")


def on_clock(work: Work, clock: ClockOffset, _asked: bool) -> None:
    """A new offset lets requests leave again; a good one clears what the clock had restricted."""
    watch = work.watch
    watch.clock_offset, watch.clock_at = clock.offset, work.now
    watch.creates.release()
    watch.cancels.release()
    if clock.uncertainty <= work.config.clock_skew:
        known = work.book.states.get((states.ACCOUNT, "CLOCK"))
        if known is not None and known.state is not Trading.ACTIVE:
            watch.clock_failures = 0
            states.lift(work, "CLOCK")
    if work.book.intents or work.book.open_commands:
        watch.intents_due = True


def on_state_row(work: Work, row: TradingStateRow, _asked: bool) -> None:
    """Somebody set a state in the store without the lease: take it over (protocol part 4).

    A cause of ours may have got its version meanwhile, unread. Then it gets one of its own: events
    of states are known by their version, and two with one id would be one to our neighbours.
    """
    known = work.book.states.get((row.scope, row.cause))
    if known is None or known.version < row.version:
        newest = work.book.states_version
        states.take(work, row if row.version > newest else attrs.evolve(row, version=newest + 1))
        nudge(work)
