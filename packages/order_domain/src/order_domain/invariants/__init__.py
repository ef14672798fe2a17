"""Invariants: what must hold of the rows of a store, whatever happened.

Pure checks over streams of rows; a checker after a simulation, `verify` on a file, an auditor
beside a live service.
"""

from order_domain.invariants.audit import ORDER, OVERFILL, Audit, check
from order_domain.invariants.exchange import Truth, compare_with_exchange
from order_domain.invariants.folds import Folds
from order_domain.invariants.orders import check_rules
from order_domain.invariants.pace import Pace
from order_domain.invariants.report import NAMES, Broken, Findings, Report
from order_domain.invariants.signals import check_refusal
from order_domain.invariants.slices import Slice, check_slice
from order_domain.invariants.states import States

__all__ = [
    "NAMES",
    "ORDER",
    "OVERFILL",
    "Audit",
    "Broken",
    "Findings",
    "Folds",
    "Pace",
    "Report",
    "Slice",
    "States",
    "Truth",
    "check",
    "check_refusal",
    "check_rules",
    "check_slice",
    "compare_with_exchange",
]
