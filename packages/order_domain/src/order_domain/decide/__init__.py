"""Decide: what may be sent for a signal, a person's request or a waiting order. Pure."""

from order_domain.decide.again import ids_of, recheck, requote
from order_domain.decide.person import decide_close, decide_place
from order_domain.decide.signal import decide
from order_domain.policy.position_side import position_side_for, position_side_of

__all__ = [
    "decide",
    "decide_close",
    "decide_place",
    "ids_of",
    "position_side_for",
    "position_side_of",
    "recheck",
    "requote",
]
