"""Guardian's variables: its own key, and when it acts."""

from datetime import timedelta

from pydantic import ConfigDict, Field, SecretStr

from order_service.settings.sections import Section
from order_service.settings.values import Seconds


class Guardian(Section):
    """Guardian Configuration (a process of its own; the service needs none of it)"""  # noqa: D415

    model_config = ConfigDict(extra="ignore")

    api_key: SecretStr | None = None
    """Bybit API key of the guardian alone, with the right to trade."""
    api_secret: SecretStr | None = None
    """Secret of the guardian's key."""
    url: str | None = None
    """Where the service answers, until the database has named its owner's address."""
    stale_after: Seconds = Field(timedelta(seconds=15), ge=timedelta(seconds=5))
    """Seconds without heartbeat and without an answer after which everything is cancelled."""
    acts_after_stop: bool = False
    """Cancel everything also after the service was stopped on purpose; otherwise only after it
    died."""
    file: str = "guardian.jsonl"
    """File of the guardian's own records."""
