"""Guardian: watches the service from outside, and empties the account when it is gone.

It needs neither PostgreSQL nor RabbitMQ to act. What it cancels comes back to the service, whenever
that is, as facts of the exchange.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from order_domain.ports.clock import Clock
from order_service.guardian.config import GuardianConfig
from order_service.guardian.records import Records
from order_service.guardian.vital_signs import VitalSigns

CancelAll = Callable[[], Awaitable[int]]
"""Cancels every order of the account and returns how many are open after that."""


class Guardian:
    """Looks for ever. `run` ends only when it is cancelled."""

    def __init__(
        self,
        config: GuardianConfig,
        clock: Clock,
        signs: VitalSigns,
        cancel_all: CancelAll,
        records: Records,
    ) -> None:
        self._config = config
        self._clock = clock
        self._signs = signs
        self._cancel_all = cancel_all
        self._records = records
        self._told_of_stop = False

    async def run(self) -> None:
        """Watch; act when both signs are stale; watch again."""
        self._records.write("guardian.watching", account=self._config.account)
        while True:
            await self._signs.look()
            if self._is_gone():
                await self._act()
            await self._pause(self._config.poll)

    def _is_gone(self) -> bool:
        """Whether both signs are stale, and nobody says that this was meant."""
        is_silent = min(self._signs.silence()) > self._config.stale_after
        was_meant = self._signs.is_given_back and not self._config.acts_after_stop
        if is_silent and was_meant and not self._told_of_stop:
            self._records.write("guardian.stopped_on_purpose", account=self._config.account)
        self._told_of_stop = is_silent and was_meant
        return is_silent and not was_meant

    async def _act(self) -> None:
        """Empty the account, once more after the quarantine, and then as long as nobody is back."""
        heartbeat, answer = self._signs.silence()
        self._records.write(
            "guardian.acting",
            account=self._config.account,
            no_heartbeat_for=f"{heartbeat / _SECOND:.1f}",
            no_answer_for=f"{answer / _SECOND:.1f}",
        )
        while True:
            if await self._empty() or await self._is_back_within(self._config.again_after):
                self._records.write("guardian.standing_down", account=self._config.account)
                return

    async def _empty(self) -> bool:
        """Cancel until nothing is open, however often that fails; True if the service is back."""
        tries = 0
        while True:
            tries += 1
            try:
                left = await self._cancel_all()
            except Exception as error:  # noqa: BLE001 -- the exchange must be tried again, whatever it was
                self._records.write("guardian.failed", tries=tries, error=str(error))
            else:
                self._records.write("guardian.cancelled", open=left, tries=tries)
                if not left:
                    return False
            if await self._is_back_within(self._config.retry):
                return True

    async def _is_back_within(self, duration: timedelta) -> bool:
        """Look on for so long; True as soon as the service shows a sign of life."""
        until = self._clock.now() + duration
        while self._clock.now() < until:
            await self._pause(min(self._config.poll, until - self._clock.now()))
            await self._signs.look()
            if not self._is_gone():
                return True
        return False

    async def _pause(self, duration: timedelta) -> None:
        await self._clock.sleep_until(self._clock.now() + duration)


_SECOND = timedelta(seconds=1)
