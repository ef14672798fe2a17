"""Metrics: what a runtime has counted since it started, as plain numbers."""

from datetime import timedelta

import attrs

from order_service.runtime.timings import Timings


@attrs.define(slots=True)
class Metrics:
    """Counters only rise; whoever exports them reads the attributes.

    Attributes:
        last_flush: How long the last commit took.
        not_sent: Commands held back right before the bytes: lease, trading state, request window.
        reads: Queries for rows the book no longer holds.
        outages: Times the store stopped answering.
        loop_lag: How late the last look of the watchdog was.
        alarms: Parts that stopped moving.
        validations: Comparisons of positions with their executions.
        audits: Rounds of the auditor.
        submits: From the bytes of a command to its answer.
        pruned: Rows deleted when their retention was over.
    """

    steps: int = 0
    signals: int = 0
    facts: int = 0
    quotes: int = 0
    ticks: int = 0
    flushes: int = 0
    flushed_steps: int = 0
    largest_flush: int = 0
    last_flush: timedelta = timedelta(0)
    reads: int = 0
    outages: int = 0
    rebuilds: int = 0
    parked: int = 0
    sent: int = 0
    not_sent: int = 0
    unanswered: int = 0
    look_ups: int = 0
    sweeps: int = 0
    acknowledged: int = 0
    published: int = 0
    relay_failures: int = 0
    state_polls: int = 0
    loop_lag: timedelta = timedelta(0)
    alarms: int = 0
    validations: int = 0
    pruned: int = 0
    audits: int = 0
    submits: Timings = attrs.field(factory=Timings)
