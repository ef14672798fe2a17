"""A few kills of the real service on real servers, and mistakes that they must bring to light."""

from pathlib import Path

import pytest

from tests.crash_matrix.planted import MISTAKES, is_shown
from tests.crash_matrix.world import a_world

pytestmark = pytest.mark.timeout(400)
KILLS = (
    "intent.after_commit",
    "submit.after_send",
    "report.after_commit",
    "outbox.after_publish",
    "flush.in_flight",
    "rebuild.between_two_inputs",
)


def test_a_service_killed_again_and_again_loses_and_doubles_nothing(
    tmp_path: Path, emptied_postgres: str, rabbit: object
) -> None:
    with a_world(tmp_path, 7) as world:
        reached = {point: world.kill_at(point, 2).reached for point in KILLS}
        found = world.settle()

    assert found == []
    assert reached == dict.fromkeys(KILLS, True)


@pytest.mark.parametrize("name", sorted(MISTAKES))
def test_a_planted_mistake_is_noticed(
    tmp_path: Path, emptied_postgres: str, rabbit: object, name: str
) -> None:
    mistake, found = MISTAKES[name], list[str]()
    faults = tmp_path / "faults.jsonl"
    faults.write_text(mistake.fault)
    with a_world(tmp_path, 11, "--faults", str(faults)) as world:
        world.planted, world.changed, world.drain_s = name, mistake.settings, 6.0
        world.has_trouble = False
        for number in range(4):
            world.kill_at(mistake.point, mistake.passes + number)
            found = world.settle()
            if is_shown(mistake, found):
                break

    assert is_shown(mistake, found), found
