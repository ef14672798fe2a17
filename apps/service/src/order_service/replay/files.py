"""Files that a person names for a replay: trading rules, faults, and what the signals are about."""

from collections.abc import Mapping
from pathlib import Path

from order_adapters.intake.instruments import load_instruments
from order_adapters.intake.invalid import InputInvalid
from order_adapters.intake.signal_file import SignalFile
from order_adapters.simulator import FaultScript, parse_faults
from order_domain.model.identifiers import symbol_of
from order_domain.model.inputs import SignalDelivered
from order_domain.model.instrument import Instrument


def only_symbol(signals: Path) -> str:
    """Return the one symbol that the signals of a file name, empty if they name none or several."""
    symbols = {
        symbol_of(each.signal.instrument_id)
        for each in SignalFile(signals)
        if isinstance(each, SignalDelivered)
    }
    return symbols.pop() if len(symbols) == 1 else ""


def read_rules(path: Path | None) -> Mapping[str, Instrument]:
    """Read trading rules by symbol. Raises InputInvalid, OSError."""
    return {} if path is None else load_instruments(path)


def read_faults(path: Path | None) -> FaultScript | None:
    """Read a fault script. Raises InvalidValue (naming the line), InputInvalid, OSError."""
    if path is None:
        return None
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise InputInvalid("faults", "UTF-8", str(error)) from None
    return parse_faults(text.splitlines())
