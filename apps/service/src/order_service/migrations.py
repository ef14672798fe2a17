"""Migrations of the PostgreSQL store that a URL or the settings name."""

from order_adapters.stores.postgres.migrator import Standing, export, migrate, rollback, status
from order_adapters.stores.postgres.place import Place
from order_service.choices import store_of
from order_service.settings import Problem, Settings, SettingsError
from order_service.stores import is_shared

__all__ = ["Place", "Standing", "export", "migrate", "place_of", "rollback", "status"]


def place_of(settings: Settings) -> Place:
    """Which schema of which server. Raises SettingsError where the store is no PostgreSQL."""
    url = store_of(settings)
    if not is_shared(url):
        rule = "must name PostgreSQL: other stores make their tables themselves"
        raise SettingsError([Problem("ORDERMANAGER_STORE_URL", rule, url)])
    return Place.of(url)
