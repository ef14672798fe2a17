"""VenueHealth: what a venue says of its connections."""

from datetime import timedelta

import attrs

from order_adapters.venues.bybit.clock_offset import ClockState


@attrs.frozen(slots=True, kw_only=True)
class VenueHealth:
    """How the connections are.

    Attributes:
        trades_by_socket: Orders go by the order entry socket now; else by REST.
        protected: The exchange took our wish to cancel every order when our stream is gone. Nothing
            of ours relies on it.
        clock_uncertainty: Of `clock_offset`, which is exchange time minus ours.
        quarantines: Records put aside since the start.
    """

    stream: bool
    trades_by_socket: bool
    protected: bool
    http_banned: bool
    clock: ClockState
    clock_offset: timedelta
    clock_uncertainty: timedelta
    quarantines: int
