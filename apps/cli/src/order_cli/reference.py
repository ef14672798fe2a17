"""Reference: the page of the command line, made from the command tree and the exit codes."""

from order_cli.__main__ import build_app
from order_cli.commands import LOCAL, ONLY_THERE, REMOTE
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

REMOTELY = """\
## On a running service

With `--url URL` and the key in `ORDERMANAGER_API_KEY`, or with `--profile NAME`, a command of this
list asks a running service over its [API](http.md), with the same options and exit codes (`--store`
has no meaning then). `--json` prints what the service answers. The version that `resume` names is
compared where the state is written, here as there: a halt that was set meanwhile stays.

"""


def page() -> str:
    """Write the page."""
    codes = "".join(f"| {int(c)} | {c.name.lower()} | {c.text} |\n" for c in ExitCode)
    commands = build_app(complete=True).generate_docs()
    body = commands.partition("## Table of Contents")[2]
    text = f"{INTRODUCTION}{codes}\n{_remotely()}\n## Commands\n{body}"
    return "\n".join(line.rstrip() for line in text.splitlines()).rstrip() + "\n"


def _remotely() -> str:
    both = ", ".join(f"`{name}`" for name in REMOTE if name not in ONLY_THERE)
    there = ", ".join(f"`{name}`" for name in ONLY_THERE)
    rows = "".join(f"| `{name}` | {reason} |\n" for name, reason in LOCAL.items())
    return (
        f"{REMOTELY}{both}; and, only there, {there}.\n\n"
        f"The others work where they are typed:\n\n| command | why |\n|---|---|\n{rows}"
    )
