"""A store in PostgreSQL: for the service, its standbys and everybody who reads along."""

from order_adapters.stores.postgres.store import PostgresStore

__all__ = ["PostgresStore"]
