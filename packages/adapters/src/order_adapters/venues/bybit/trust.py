"""Trust: whether what the account's stream tells is everything, and the fact that says so."""

from order_adapters.venues.bybit.facts import Facts
from order_domain.model.inputs import StreamState


class Trust:
    """Told whenever it changes. Losing it and having it again makes the engine read the account."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._told: bool | None = None
        self._is_up = False
        self._bars: dict[str, str] = {}

    @property
    def is_given(self) -> bool:
        """Whether everything that happens would be told."""
        return self._told is True

    def up(self) -> None:
        """The connection can be trusted from here on."""
        self._is_up = True
        self._tell("")

    def down(self, reason: str) -> None:
        """It cannot."""
        self._is_up = False
        self._tell(reason)

    def bar(self, cause: str, reason: str) -> None:
        """Not to be trusted whatever the connection says, for a cause, until it has no reason."""
        if reason:
            self._bars[cause] = reason
        elif self._bars.pop(cause, None) is None:
            return  # there was none: nothing has changed
        self._tell(reason)

    def _tell(self, reason: str) -> None:
        is_given = self._is_up and not self._bars
        if self._told is not is_given:
            self._told = is_given
            why = "" if is_given else reason or "; ".join(self._bars.values())
            self._facts.put_own(StreamState(healthy=is_given, reason=why))
