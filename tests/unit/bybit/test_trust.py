"""Trust in a stream: told when it changes, and only then."""

import pytest

from order_adapters.venues.bybit.facts import Facts
from order_adapters.venues.bybit.trust import Trust
from order_domain.model.inputs import StreamState


@pytest.fixture
def facts() -> Facts:
    return Facts(10)


async def told(facts: Facts) -> list[tuple[bool, str]]:
    facts.close()
    return [(f.healthy, f.reason) async for f in facts.stream() if isinstance(f, StreamState)]


async def test_a_cause_that_was_never_there_is_nothing_to_tell(facts: Facts) -> None:
    trust = Trust(facts)
    trust.bar("key", "")
    trust.up()
    trust.bar("key", "")

    assert await told(facts) == [(True, "")]


async def test_a_cause_outlives_the_connection_and_each_lifts_itself_alone(facts: Facts) -> None:
    trust = Trust(facts)
    trust.bar("key", "it may withdraw")
    trust.up()
    trust.bar("clock", "off by 40 s")
    trust.bar("key", "")
    trust.bar("clock", "")

    assert await told(facts) == [(False, "it may withdraw"), (True, "")]
    assert trust.is_given
