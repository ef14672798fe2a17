"""What a Bybit retCode proves about the attempt it answers (protocol 5.7).

Closed lists; anything else is UNKNOWN.
"""

from collections.abc import Mapping
from typing import Final

from order_domain.model.enums import AnswerOutcome, CommandKind

_REFUSED: Final = (
    10001,  # parameter error
    10003,  # api key invalid
    10004,  # signature
    10005,  # permission denied
    10010,  # ip not bound
    33004,  # api key expired
    110003,  # price out of permissible range
    110004,  # wallet balance insufficient
    110006,  # assets estimated insufficient
    110007,  # available balance insufficient
    110009,  # stop orders exceed maximum
    110012,  # insufficient available balance
    110013,  # risk limit
    110014,  # available balance insufficient for margin
    110017,  # reduce-only not satisfied
    110020,  # more than 500 active orders
    110021,  # open interest limit
    110022,  # quantity above limit
    110023,  # only closing allowed
    110025,  # position mode does not match
    110026,  # cross or isolated mode unchanged
    110028,  # open orders block the change
    110032,  # parameters
    110043,  # leverage not modified
    110044,  # available margin insufficient
    110045,  # wallet balance insufficient
    110051,  # available balance cannot cover lowest price
    110052,  # available balance cannot cover this price
    110053,  # available balance cannot cover price range
    110066,  # trading not allowed
    110074,  # contract is not live
    110092,  # expected trigger rising
    110093,  # expected trigger falling
    110094,  # order notional below minimum
    110095,  # order notional above maximum
    30208,  # price above maximum
    30209,  # price below minimum
    30228,  # no new positions during delisting
    170124,  # amount too large
    170131,  # balance insufficient
    170132,  # price too high
    170133,  # price too low
    170134,  # price precision
    170136,  # quantity below minimum
    170137,  # quantity precision
    170140,  # value below minimum
    170193,  # buy price out of range
    170194,  # sell price out of range
    170217,  # only limit-maker allowed
    170218,  # limit-maker would take
)
_NOT_ACCEPTED: Final = (10006, 10019, 10403, 20003)
_EXISTS: Final = (110072, 170141)
_NOT_FOUND: Final = (110001, 110008, 110010, 170213)

OUTCOMES: Final[Mapping[int, AnswerOutcome]] = {
    0: AnswerOutcome.ACCEPTED,
    10002: AnswerOutcome.CLOCK,
    **dict.fromkeys(_REFUSED, AnswerOutcome.REFUSED),
    **dict.fromkeys(_NOT_ACCEPTED, AnswerOutcome.NOT_ACCEPTED),
    **dict.fromkeys(_EXISTS, AnswerOutcome.EXISTS),
    **dict.fromkeys(_NOT_FOUND, AnswerOutcome.NOT_FOUND),
}


def outcome_of(ret_code: int, kind: CommandKind) -> AnswerOutcome:
    """Classify an answer.

    "Not found" proves something only about an amend or a cancel, so for a create it is unknown.
    """
    outcome = OUTCOMES.get(ret_code, AnswerOutcome.UNKNOWN)
    if outcome is AnswerOutcome.NOT_FOUND and kind is CommandKind.CREATE:
        return AnswerOutcome.UNKNOWN
    if outcome is AnswerOutcome.EXISTS and kind is not CommandKind.CREATE:
        return AnswerOutcome.UNKNOWN
    return outcome
