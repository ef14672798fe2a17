"""Row ids: those of orders that were stored before there was a column for them."""

from typing import Final

from order_adapters.stores.postgres.link import Connection
from order_domain.model.identifiers import order_row_id

_MAY_FILL: Final = "SELECT has_table_privilege('orders', 'UPDATE')"
_LACKING: Final = """
SELECT row_no, client_order_id FROM orders WHERE row_id IS NULL
ORDER BY row_no LIMIT 1000 FOR UPDATE SKIP LOCKED
"""
_FILL: Final = """
UPDATE orders SET row_id = given.row_id
FROM unnest($1::bigint[], $2::text[]) AS given (row_no, row_id)
WHERE orders.row_no = given.row_no
"""


async def fill_some(connection: Connection) -> int:
    """Fill in so few at once that no flush waits long; return how many.

    A row that is being written gets its id from whoever writes it. A role that only reads fills in
    nothing.
    """
    if not await connection.fetchval(_MAY_FILL):
        return 0
    async with connection.transaction():
        found = await connection.fetch(_LACKING)
        if found:
            ids = [order_row_id(client_order_id) for _, client_order_id in found]
            await connection.execute(_FILL, [number for number, _ in found], ids)
    return len(found)
