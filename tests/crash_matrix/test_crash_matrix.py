"""A few kills of the real service on real servers, and mistakes that they must bring to light."""

from pathlib import Path

import pytest

from tests.crash_matrix.planted import MISTAKES
from tests.crash_matrix.world import a_world

pytestmark = pytest.mark.timeout(400)
KILLS = ("intent.after_commit", "submit.after_send", "report.after_commit", "outbox.after_publish")


def test_a_service_killed_again_and_again_loses_and_doubles_nothing(
    tmp_path: Path, emptied_postgres: str, rabbit: object
) -> None:
    with a_world(tmp_path, 7) as world:
        reached = [world.kill_at(point, 2) for point in KILLS]
        found = world.settle()

    assert found == []
    assert sum(reached) >= 3


@pytest.mark.parametrize("mistake", sorted(MISTAKES))
def test_a_planted_mistake_is_noticed(
    tmp_path: Path, emptied_postgres: str, rabbit: object, mistake: str
) -> None:
    with a_world(tmp_path, 11) as world:
        world.planted, world.drain_s = mistake, 8.0
        found = []
        for number in (1, 2, 3, 4):
            world.kill_at(MISTAKES[mistake][1], number)
            found = world.settle()
            if found:
                break

    assert found
