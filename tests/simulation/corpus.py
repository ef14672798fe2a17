"""Corpus: seeds that found a mistake of the product. Each runs as a test whenever the suite runs.

A seed keeps its meaning only as long as its plan is made in the same way and the world draws in the
same order, so a seed here may one day miss what it once found. The lasting guard is the unit test
that came with each mend; the seed is the second one, and it runs everything around the mend.
"""

from typing import Final

import attrs


@attrs.frozen(slots=True)
class Kept:
    """One seed.

    Attributes:
        generation: Of its plan, see `plan.NEWEST`.
        tree: The newest commit on which it fails.
        found: What was wrong there.
    """

    seed: int
    generation: int
    tree: str
    found: str


CORPUS: Final = (
    Kept(
        255,
        2,
        "54c133c",
        "a start on an emptied store booked a fill that lagged as opening, and then again",
    ),
    Kept(
        1265,
        1,
        "db6a07e",
        "who waited for steps whose flush was refused after it was committed was never told",
    ),
    Kept(
        2651,
        1,
        "e7e31b3",
        "what was filled between the readings of the first start was booked as opening and again",
    ),
    Kept(
        2673,
        1,
        "8681f2b",
        "a rebuild asked the store again for funding that was booked, and halted the account",
    ),
    Kept(
        2696,
        1,
        "8681f2b",
        "an amend pushed late changed the quantity of an order that had ended",
    ),
    Kept(
        100272,
        2,
        "7674574",
        "a signal decided again after lost commits made its order again, and its row was refused",
    ),
    Kept(
        100665,
        3,
        "066a1e1",
        "after a restart a stranger's order told after its fill waited for executions for ever",
    ),
)
