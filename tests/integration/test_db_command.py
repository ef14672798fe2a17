"""`order-manager db`: the schema, from nothing to the newest and back."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from tests.integration.command_line import CommandLine
from tests.postgres_server import PostgresServer, connected


@pytest.fixture
def database(postgres: PostgresServer, emptied_postgres: str) -> Iterator[str]:
    """A schema of this test's own beside the one of the store."""
    name = f"om_{threading.get_ident() % 100_000}"
    yield f"{emptied_postgres}?schema={name}"
    in_thread(f'DROP SCHEMA IF EXISTS "{name}" CASCADE', emptied_postgres)


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys)


def in_thread(sql: str, url: str) -> None:
    async def run() -> None:
        async with connected(url) as connection:
            await connection.execute(sql)

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    thread.join()


def test_a_schema_is_made_told_of_and_taken_back(command: CommandLine, database: str) -> None:
    before = command.json("db", "status", "--store", database, code=1)
    made = command.json("db", "migrate", "--store", database)
    again = command.json("db", "migrate", "--store", database)
    after = command.json("db", "status", "--store", database)
    gone = command.json("db", "rollback", "--store", database, "--yes", "--number", "99")
    left = command.json("db", "status", "--store", database, code=1)

    assert [each["applied_at"] for each in before["migrations"]] == [None] * len(made["applied"])
    assert again["applied"] == []
    assert all(each["applied_at"] for each in after["migrations"])
    assert gone["rolled_back"] == made["applied"][::-1]
    assert left["migrations"] == before["migrations"]


def test_rows_are_not_deleted_without_a_word(command: CommandLine, database: str) -> None:
    command("db", "migrate", "--store", database)
    command("db", "rollback", "--store", database, code=2)

    assert "--yes" in command.errors
    command("db", "status", "--store", database)


def test_a_migration_changed_after_it_was_applied_is_refused(
    command: CommandLine, database: str
) -> None:
    command("db", "migrate", "--store", database)
    schema = database.partition("schema=")[2]
    in_thread(
        f"UPDATE {schema}.schema_migrations SET sha256 = 'x' WHERE number = 1",
        database.partition("?")[0],
    )
    command("db", "migrate", "--store", database, code=5)

    assert "0001_tables" in command.errors


def test_the_exported_script_makes_what_migrate_makes(command: CommandLine, database: str) -> None:
    schema = database.partition("schema=")[2]
    script = command("db", "export", "--schema", schema)
    in_thread(script, database.partition("?")[0])
    status = command.json("db", "status", "--store", database)

    assert all(each["applied_at"] for each in status["migrations"])


def test_other_stores_need_no_migration_and_say_so(command: CommandLine) -> None:
    command("db", "migrate", "--store", "sqlite:///x.sqlite", code=5)

    assert "other stores make their tables themselves" in command.errors


def test_no_password_is_shown(command: CommandLine, database: str) -> None:
    told = command("db", "status", "--store", database.replace("postgres@", "postgres:pw@"), code=1)

    assert "pw" not in told
