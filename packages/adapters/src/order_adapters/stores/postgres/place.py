"""Place: which server, database and schema a URL names."""

import re
from typing import Final, Self
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import attrs

from order_domain.errors import InvalidValue

DEFAULT_SCHEMA: Final = "order_manager"
_SCHEMA: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_RULE: Final = "postgresql://user@host:port/database[?schema=lower_case_name]"


@attrs.frozen(slots=True)
class Place:
    """One account's rows: a schema in a database.

    Attributes:
        dsn: The URL for the driver, password included.
        shown: The same for people, without user and password.
    """

    dsn: str
    schema: str
    shown: str

    @classmethod
    def of(cls, url: str) -> Self:
        """Read a URL; `schema` is ours, what else it asks for is the driver's.

        Raises InvalidValue.
        """
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query))
        schema = query.pop("schema", DEFAULT_SCHEMA)
        database = parts.path.removeprefix("/")
        address = parts.netloc.rpartition("@")[2]
        if parts.scheme not in ("postgresql", "postgres") or not database:
            raise InvalidValue(field="store", rule=_RULE, value=f"{parts.scheme}://{address}")
        if not _SCHEMA.fullmatch(schema):
            raise InvalidValue(field="store", rule=_RULE, value=f"schema={schema}")
        dsn = urlunsplit(("postgresql", parts.netloc, parts.path, urlencode(query), ""))
        return cls(dsn, schema, f"postgresql://{address}/{database}?schema={schema}")
