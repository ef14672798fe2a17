"""A fault file: what it may say, and what is refused with its place."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from order_adapters.intake.fault_json import load_faults
from order_adapters.intake.invalid import InputInvalid
from order_adapters.simulator.faults import Fault, FaultKind, FaultRates


def a_file(tmp_path: Path, document: object) -> Path:
    path = tmp_path / "faults.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def test_a_file_becomes_a_script_with_times_in_milliseconds(tmp_path: Path) -> None:
    fault = {"kind": "delay_answer", "request": "create", "nth": 3, "by_ms": 1500}

    script = load_faults(
        a_file(tmp_path, {"faults": [fault], "rates": {"busy": 100, "longest_ms": 50}})
    )

    by = timedelta(milliseconds=1500)
    assert script.faults == (Fault(kind=FaultKind.DELAY_ANSWER, request="create", nth=3, by=by),)
    assert script.rates == FaultRates(busy=100, longest=timedelta(milliseconds=50))


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ("{", "faults"),
        ([], "faults"),
        ({"faults": {}}, "faults"),
        ({"fault": []}, "faults.fault"),
        ({"faults": [5]}, "faults[0]"),
        ({"faults": [{}]}, "faults[0].kind"),
        ({"faults": [{"kind": "explode"}]}, "faults[0].kind"),
        ({"faults": [{"kind": "ban", "nth": "two"}]}, "faults[0].nth"),
        ({"faults": [{"kind": "ban", "nth": 0}]}, "faults[0].nth"),
        ({"faults": [{"kind": "ban", "nth": True}]}, "faults[0].nth"),
        ({"faults": [{"kind": "ban", "by_ms": 1.5}]}, "faults[0].by_ms"),
        ({"faults": [{"kind": "ban", "request": "post"}]}, "faults[0].request"),
        ({"faults": [{"kind": "ban", "accepted": 1}]}, "faults[0].accepted"),
        ({"faults": [{"kind": "ban", "reason": 1}]}, "faults[0].reason"),
        ({"faults": [{"kind": "foreign_order"}]}, "faults[0].after"),
        ({"faults": [{"kind": "ban", "side": "buy"}]}, "faults[0].side"),
        ({"faults": [{"kind": "ban", "price": "NaN"}]}, "faults[0].price"),
        ({"rates": {"busy": -1}}, "rates.busy"),
        ({"rates": {"busy": 1_000_001}}, "rates.busy"),
        ({"rates": {"lost": 1}}, "rates.lost"),
    ],
)
def test_what_it_may_not_say_is_refused_with_its_place(
    tmp_path: Path, document: Any, field: str
) -> None:
    with pytest.raises(InputInvalid) as caught:
        load_faults(a_file(tmp_path, document))

    assert caught.value.field == field
