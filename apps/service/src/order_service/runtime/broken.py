"""Known: what an auditor has found broken, what of it is still so, and what of it is news."""

from collections.abc import Iterable, Sequence

from order_domain.invariants import Broken

Claim = tuple[str, str, str]
"""What is claimed of what; the values may change while it stays broken."""


class Known:
    """Broken claims by the part of the store in which they were found."""

    def __init__(self) -> None:
        self._parts: dict[str, dict[Claim, Broken]] = {}

    def __len__(self) -> int:
        return len(self.all)

    @property
    def all(self) -> Sequence[Broken]:
        """Everything that is broken, each claim once."""
        claims: dict[Claim, Broken] = {}
        for found in self._parts.values():
            claims.update(found)
        return tuple(claims.values())

    @property
    def parts(self) -> Sequence[str]:
        """Where something is broken."""
        return tuple(self._parts)

    def learn(self, part: str, broken: Iterable[Broken]) -> Sequence[Broken]:
        """Take what is broken in a part now, in place of what was; return what is news."""
        found = {_claim(each): each for each in broken}
        known = {claim for claims in self._parts.values() for claim in claims}
        self._parts.pop(part, None)
        if found:
            self._parts[part] = found
        return [each for claim, each in found.items() if claim not in known]


def in_both(first: Iterable[Broken], second: Iterable[Broken]) -> list[Broken]:
    """What was broken at both readings; torn ones seldom are, in the same way."""
    before = {_claim(each) for each in first}
    return [each for each in second if _claim(each) in before]


def _claim(broken: Broken) -> Claim:
    return broken.code, broken.subject, broken.text
