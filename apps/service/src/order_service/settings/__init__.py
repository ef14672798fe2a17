"""Settings of the service: what may be set, its bounds, and what the engine gets of it."""

from order_service.settings.errors import Problem, SettingsError
from order_service.settings.model import Settings, retired, variables

__all__ = ["Problem", "Settings", "SettingsError", "retired", "variables"]
