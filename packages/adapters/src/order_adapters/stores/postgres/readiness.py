"""Readiness: a server that may forget commits, or another schema than ours, is refused."""

from typing import ClassVar, Final

from order_adapters.stores.postgres.link import Connection
from order_adapters.stores.postgres.migrator import packaged, standings
from order_adapters.stores.postgres.place import Place
from order_domain.errors import OrderManagerError
from order_domain.ports.journal import WrongSchema

DURABILITY: Final = ("fsync", "full_page_writes", "synchronous_commit")


class NotDurable(OrderManagerError):
    """The server is set to forget commits when it fails. Details: `store`, `off`."""

    code: ClassVar[str] = "STORE_NOT_DURABLE"


async def check(connection: Connection, place: Place) -> None:
    """Refuse what cannot keep our rows. Raises NotDurable, WrongSchema."""
    found = await connection.fetch(
        "SELECT name FROM pg_settings WHERE name = ANY($1::text[]) AND setting = 'off'"
        " ORDER BY name",
        DURABILITY,
    )
    if found:
        raise NotDurable(store=place.shown, off=", ".join(name for (name,) in found))
    missing = [each.migration for each in await standings(connection, place) if not each.applied_at]
    if missing:
        before = packaged()[: -len(missing)]
        raise WrongSchema(
            store=place.shown,
            found=before[-1].name if before else None,
            expected=f"{packaged()[-1].name}: apply the migrations first",
        )
