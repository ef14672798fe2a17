"""Invariants: what must hold of the rows of a store, whatever happened.

Pure checks over streams of rows; a checker after a simulation, `verify` on a file, an auditor
beside a live service.
"""

from order_domain.invariants.audit import ORDER, Audit, check
from order_domain.invariants.exchange import Truth, compare_with_exchange
from order_domain.invariants.folds import Folds
from order_domain.invariants.pace import Pace
from order_domain.invariants.report import NAMES, Broken, Findings, Report
from order_domain.invariants.slices import Slice, check_slice

__all__ = [
    "NAMES",
    "ORDER",
    "Audit",
    "Broken",
    "Findings",
    "Folds",
    "Pace",
    "Report",
    "Slice",
    "Truth",
    "check",
    "check_slice",
    "compare_with_exchange",
]
