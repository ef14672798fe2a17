"""One private broker for all outages: each test leaves it running and fed."""

from collections.abc import Iterator

import pytest

from tests.faults.servers import PrivateRabbit


@pytest.fixture(scope="session")
def private_rabbit() -> Iterator[PrivateRabbit]:
    """A broker that may be treated badly. Without the program its tests fail."""
    with PrivateRabbit() as server:
        yield server
