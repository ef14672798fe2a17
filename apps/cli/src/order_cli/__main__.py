"""The `order-manager` command: the command tree, and an exit code for every end."""

import os
import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError, Group, Parameter

from order_cli.commands import COMMANDS, GROUPS
from order_cli.errors import CommandError, as_command_error
from order_cli.exit_codes import ExitCode
from order_domain.errors import OrderManagerError

DESCRIPTION = """\
Trading signals in; orders decided, risk checked, placed and followed to their end.

Everything here runs on a dry-run exchange. Start with `order-manager demo`.
"""
EPILOGUE = "Exit codes: " + ", ".join(f"{int(c)} {c.name.lower()}" for c in ExitCode)
PLAIN_FLAGS = Parameter(negative=())
"""No `--no-json` beside `--json`."""


def build_app(words: Sequence[str] = (), *, complete: bool = False) -> App:
    """Make the command tree; no command's module is imported yet.

    Args:
        words: The command line. The command it names is described by its own page, all others by
            their line in the table, for which nothing must be imported.
        complete: Every command is described by its own page.
    """
    app = App(
        name="order-manager",
        help=DESCRIPTION,
        help_epilogue=EPILOGUE,
        version=_version,
        default_parameter=PLAIN_FLAGS,
    )
    nested: dict[str, App] = {}
    for order, (title, entries) in enumerate(COMMANDS.items()):
        group = Group(title, sort_key=order)
        for entry in entries:
            names = entry.name.split()
            options: dict[str, object] = {"name": names[-1]}
            if not complete and names != list(words[: len(names)]):
                options["help"] = entry.help
            if len(names) == 1:
                app.command(entry.target, group=group, **options)  # type: ignore[call-overload]
                continue
            head = names[0]
            if head not in nested:
                nested[head] = App(
                    name=head, help=GROUPS[head], group=group, default_parameter=PLAIN_FLAGS
                )
                app.command(nested[head])
            nested[head].command(entry.target, **options)  # type: ignore[call-overload]
    return app


def main(argv: Sequence[str] | None = None) -> None:
    """Run one command and leave with its exit code."""
    from order_service.heap import look_for_cycles_rarely  # noqa: PLC0415 -- the tree needs none

    look_for_cycles_rarely()
    sys.exit(run(sys.argv[1:] if argv is None else argv))


def run(argv: Sequence[str]) -> int:
    """Run one command; return its exit code."""
    try:
        code = build_app(argv)(
            argv, exit_on_error=False, print_error=True, result_action="return_value"
        )
    except CycloptsError:
        return ExitCode.USAGE
    except CommandError as error:
        return _told(error)
    except OrderManagerError as error:
        return _told(as_command_error(error))
    except BrokenPipeError:
        # The reader has seen enough; without this the interpreter complains while it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.DONE
    except OSError as error:
        return _told(CommandError(ExitCode.USAGE, f"{error.filename}: {error.strerror}"))
    except KeyboardInterrupt:
        return _told(CommandError(ExitCode.INTERRUPTED, "stopped; what was committed stands"))
    return int(code or 0)


def _told(error: CommandError) -> int:
    print(f"order-manager: {error}", file=sys.stderr)
    if error.hint:
        print(f"               {error.hint}", file=sys.stderr)
    return error.code


def _version() -> str:
    from importlib.metadata import version  # noqa: PLC0415 -- only `--version` pays for it

    return version("order-cli")


if __name__ == "__main__":
    main()
