"""Alert rules and dashboard ask only for what the service tells."""

import json
import re
from pathlib import Path
from typing import Any

import attrs
import pytest
import yaml

from order_service.http import metrics as told_by
from order_service.runtime.metrics import Metrics

DOCKER = Path(__file__).resolve().parents[3] / "docker"
RULES: list[dict[str, Any]] = yaml.safe_load((DOCKER / "prometheus/alerts.yml").read_text())[
    "groups"
][0]["rules"]
DASHBOARD: dict[str, Any] = json.loads(
    (DOCKER / "grafana/dashboards/order-manager.json").read_text()
)
SOURCE = Path(told_by.__file__).read_text()


def known() -> set[str]:
    """Names the service exports: those written out, and one for each counter."""
    counters = {f"order_manager_{field.name}_total" for field in attrs.fields(Metrics)}
    written = set(re.findall(r'"(order_manager_\w+)"', SOURCE))
    made = {f"order_manager_{name}" for name in re.findall(r'\("(\w+)", "[^"]+\.", ', SOURCE)}
    return counters | written | made


def asked(expression: str) -> set[str]:
    return set(re.findall(r"order_manager_\w+", expression))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_rule_asks_for_what_is_told_and_says_what_it_means(rule: dict[str, Any]) -> None:
    assert asked(rule["expr"]) <= known()
    assert rule["labels"]["severity"] in ("page", "warn")
    assert rule["annotations"]["summary"]


@pytest.mark.parametrize("panel", DASHBOARD["panels"], ids=lambda panel: panel["title"])
def test_a_panel_asks_for_what_is_told(panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        assert asked(target["expr"])
        assert asked(target["expr"]) <= known()
    assert panel["datasource"]["uid"] == "prometheus"


def test_panels_lie_side_by_side() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells


def test_what_the_stack_provisions_is_there() -> None:
    source = yaml.safe_load(
        (DOCKER / "grafana/provisioning/datasources/prometheus.yml").read_text()
    )
    scrape = yaml.safe_load((DOCKER / "prometheus/prometheus.yml").read_text())

    assert source["datasources"][0]["uid"] == "prometheus"
    assert scrape["rule_files"] == ["alerts.yml"]
    assert scrape["scrape_configs"][0]["static_configs"][0]["targets"] == ["order-manager:4600"]
