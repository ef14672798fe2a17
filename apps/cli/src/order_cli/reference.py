"""Reference: the page of the command line, made from the command tree and the exit codes."""

from order_cli.__main__ import build_app
from order_cli.exit_codes import ExitCode

INTRODUCTION = """\
# Command line

`order-manager`, short `om`. Tables go to stdout, messages to stderr; on a terminal in colour,
else as aligned text. `--json` prints one object instead: decimals are text, times are UTC with `Z`.
Commands that act work on the dry-run account of a store (`--store`, else `ORDERMANAGER_STORE_URL`,
else `order-manager.sqlite` here); settings come from the [`ORDERMANAGER_`
variables](settings.md). Formats of files and exports: [formats](formats.md). Made by `make docs`
from the code.

## Exit codes

| code | name | meaning |
|---|---|---|
"""


def page() -> str:
    """Write the page."""
    codes = "".join(f"| {int(c)} | {c.name.lower()} | {c.text} |\n" for c in ExitCode)
    commands = build_app(complete=True).generate_docs()
    body = commands.partition("## Table of Contents")[2]
    text = f"{INTRODUCTION}{codes}\n## Commands\n{body}"
    return "\n".join(line.rstrip() for line in text.splitlines()).rstrip() + "\n"
