"""Publishers: which of the three kinds one is; slow to tell of a protocol, so it is kept."""

from functools import cache
from typing import TypeGuard

from order_domain.ports.outbox import BatchPublisher, EventPublisher, GroupPublisher

Publisher = EventPublisher | GroupPublisher | BatchPublisher


def takes_one(publisher: Publisher) -> TypeGuard[EventPublisher]:
    """Whether it takes one event at a time and nothing else."""
    return not takes_batches(publisher) and not takes_groups(publisher)


def takes_batches(publisher: Publisher) -> TypeGuard[BatchPublisher]:
    """Whether it takes events in their order, all or none."""
    return _is_a(publisher.__class__, BatchPublisher)


def takes_groups(publisher: Publisher) -> TypeGuard[GroupPublisher]:
    """Whether it takes events of different subjects, each with its own fate."""
    return _is_a(publisher.__class__, GroupPublisher)


@cache
def _is_a(kind: type, protocol: type) -> bool:
    return issubclass(kind, protocol)
