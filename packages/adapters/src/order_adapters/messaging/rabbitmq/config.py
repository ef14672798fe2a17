"""RabbitConfig: which broker, which queues, and how long anything may take."""

from datetime import timedelta
from typing import Final
from urllib.parse import quote

import attrs

from order_domain.errors import InvalidValue

SIGNALS: Final = "model-service.trading_signals"
EVENTS: Final = "order-manager.order_events"
EXCHANGE: Final = "order-manager.events"
DEAD: Final = "order-manager.signals.dead"


@attrs.frozen(slots=True, kw_only=True)
class RabbitConfig:
    """Settings of the broker. Names default to those the neighbours use.

    Attributes:
        name: Of this service, as the broker shows its connections.
        signals: Queue of the model service. Never changed by us: declared without arguments.
        exchange: Topic exchange of every event, `live.<type>` and `dry.<type>`.
        events: Queue that the neighbours read, bound to what they can parse.
        dead: Queue of refused signals.
        partial_fills: Whether the neighbours' queue is told of partial fills.
        prefetch: Signals that may be out without acknowledgement.
        heartbeat: A broker takes a connection that was silent for two to three of these for dead,
            and only then gives our queue to another owner of the account.
        answer_within: For everything the broker is asked, confirms included.
        check_every: Between two looks whether the broker still knows our consumer.
        first_wait, longest_wait: Before connecting again: doubled by each failure, then jittered.
        held_wait: Before asking again for a queue that another consumer has, jittered.
    """

    host: str
    port: int = 5672
    user: str = "guest"
    password: str = attrs.field(default="guest", repr=False)
    vhost: str = "/"
    name: str = "order-manager"
    signals: str = SIGNALS
    exchange: str = EXCHANGE
    events: str = EVENTS
    dead: str = DEAD
    partial_fills: bool = True
    prefetch: int = 64
    heartbeat: timedelta = timedelta(seconds=4)
    answer_within: timedelta = timedelta(seconds=5)
    check_every: timedelta = timedelta(seconds=10)
    first_wait: timedelta = timedelta(milliseconds=250)
    longest_wait: timedelta = timedelta(seconds=10)
    held_wait: timedelta = timedelta(seconds=1)

    def __attrs_post_init__(self) -> None:
        names = (self.signals, self.exchange, self.events, self.dead)
        rules = (
            ("prefetch", "1..1000", 1 <= self.prefetch <= 1000),
            ("heartbeat", "at least 1 s", self.heartbeat >= timedelta(seconds=1)),
            ("answer_within", "above 0", self.answer_within > timedelta(0)),
            ("names", "not empty and different", all(names) and len(set(names)) == len(names)),
        )
        for field, rule, holds in rules:
            if not holds:
                raise InvalidValue(field=field, rule=rule, value=getattr(self, field, names))

    @property
    def url(self) -> str:
        """For the driver, password included: never shown."""
        credentials = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}"
        return f"amqp://{credentials}@{self.host}:{self.port}/{quote(self.vhost, safe='')}"

    @property
    def shown(self) -> str:
        """For people."""
        return f"amqp://{self.host}:{self.port}/{quote(self.vhost, safe='')}"
