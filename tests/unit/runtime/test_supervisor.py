"""The first worker that ends ends all of them, with its reason."""

import asyncio

import pytest

from order_service.runtime.outcome import End, Ended, EndReason
from order_service.runtime.supervisor import supervise


class Endless:
    """A worker that runs until it is cancelled, and tells that it was."""

    def __init__(self) -> None:
        self.cancelled = False

    async def run(self) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise


async def fail(error: Exception) -> None:
    await asyncio.sleep(0)
    raise error


async def finish() -> None:
    await asyncio.sleep(0)


async def test_a_worker_that_breaks_is_named_with_its_error_and_takes_the_others_along() -> None:
    other, error = Endless(), ValueError("broken")

    ended = await supervise({"other": other.run(), "bad": fail(error)})

    assert ended == Ended(EndReason.WORKER_DIED, "bad", error)
    assert other.cancelled


async def test_a_worker_that_just_returns_has_died_too() -> None:
    ended = await supervise({"other": Endless().run(), "gone": finish()})

    assert ended == Ended(EndReason.WORKER_DIED, "gone", None)


async def test_a_worker_that_may_end_ends_nobody() -> None:
    ended = await supervise(
        {
            "short": finish(),
            "last": fail(End(EndReason.STOPPED)),
        },
        passing=frozenset({"short"}),
    )

    assert ended.reason is EndReason.STOPPED


async def test_the_reason_of_an_end_is_kept() -> None:
    cause = OSError("gone")

    ended = await supervise(
        {"committer": fail(End(EndReason.COMMITS_LOST, cause)), "other": Endless().run()}
    )

    assert ended == Ended(EndReason.COMMITS_LOST, "committer", cause)


async def test_of_two_ends_the_first_is_told() -> None:
    ended = await supervise(
        {"first": fail(End(EndReason.LEASE_LOST)), "second": fail(ValueError("late"))}
    )

    assert ended.reason is EndReason.LEASE_LOST


async def test_a_worker_cancelled_alone_has_died() -> None:
    """As a library does that cancels what waits for it: a task group takes no notice of that."""

    async def wait_for_what_is_cancelled() -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    ended = await supervise({"waits": wait_for_what_is_cancelled(), "other": asyncio.sleep(3600)})

    assert (ended.reason, ended.worker) == (EndReason.WORKER_DIED, "waits")
    assert isinstance(ended.error, asyncio.CancelledError)


async def test_cancelling_the_whole_is_no_death_of_a_worker() -> None:
    whole = asyncio.create_task(supervise({"one": asyncio.sleep(3600)}))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    whole.cancel()

    with pytest.raises(asyncio.CancelledError):
        await whole
