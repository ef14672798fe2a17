"""The simulated exchange behind the Venue port, and the file its account lives in."""

from order_adapters.venues.simulated.state_file import StateFile
from order_adapters.venues.simulated.venue import SimulatedVenue

__all__ = ["SimulatedVenue", "StateFile"]
