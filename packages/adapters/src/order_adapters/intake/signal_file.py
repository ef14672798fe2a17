"""SignalFile: the deliveries of a JSONL file; the line number is the delivery number."""

from collections.abc import Iterator
from pathlib import Path

from order_adapters.intake.invalid import SignalInvalid
from order_adapters.intake.lines import LineReader
from order_adapters.intake.signal_json import read_delivery, refused
from order_adapters.intake.strict_json import SIZE_MAX
from order_domain.model.enums import Category
from order_domain.model.inputs import DeliveryInvalid, SignalDelivered


class SignalFile:
    """Iterates over the deliveries of a file, plain or gzip.

    Every line is a delivery, also an empty or an endless one.

    Attributes:
        error: Why the reading ended early, empty otherwise.
    """

    def __init__(self, path: Path, category: Category = Category.LINEAR) -> None:
        self._lines = LineReader(path, SIZE_MAX)
        self._category = category

    @property
    def error(self) -> str:
        return self._lines.error

    def __iter__(self) -> Iterator[SignalDelivered | DeliveryInvalid]:
        """Yield deliveries in file order. Raises OSError when the file cannot be opened."""
        for line in self._lines:
            if line.is_cut:
                error = SignalInvalid("body", f"at most {SIZE_MAX} bytes", line.raw)
                yield refused(line.number, line.raw, error)
            else:
                yield read_delivery(line.number, line.raw, self._category)
