"""The `order-manager` command: the command tree, and an exit code for every end."""

import os
import sys
from collections.abc import Iterable, Sequence

from cyclopts import App, CycloptsError, Group, Parameter

from order_cli.commands import COMMANDS, GROUPS, LOCAL, REMOTE
from order_cli.errors import CommandError, as_command_error
from order_cli.exit_codes import ExitCode
from order_domain.errors import OrderManagerError

DESCRIPTION = """\
Trading signals in; orders decided, risk checked, placed and followed to their end.

Start with `order-manager demo`. Commands work on a local store, or, with `--url URL` or `--profile
NAME` (and ORDERMANAGER_API_KEY), on a running service.
"""
EPILOGUE = "Exit codes: " + ", ".join(f"{int(c)} {c.name.lower()}" for c in ExitCode)
PLAIN_FLAGS = Parameter(negative=())
"""No `--no-json` beside `--json`."""


def build_app(words: Sequence[str] = (), *, complete: bool = False, is_remote: bool = False) -> App:
    """Make the command tree; no command's module is imported yet.

    Args:
        words: The command line. The command it names is described by its own page, all others by
            their line in the table, for which nothing must be imported.
        complete: Every command is described by its own page.
        is_remote: Commands speak to a running service where they can.
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
            target = REMOTE.get(entry.name, entry.target) if is_remote else entry.target
            options: dict[str, object] = {"name": names[-1]}
            if not complete and names != list(words[: len(names)]):
                options["help"] = entry.help
            if len(names) == 1:
                app.command(target, group=group, **options)  # type: ignore[call-overload]
                continue
            head = names[0]
            if head not in nested:
                nested[head] = App(
                    name=head, help=GROUPS[head], group=group, default_parameter=PLAIN_FLAGS
                )
                app.command(nested[head])
            nested[head].command(target, **options)  # type: ignore[call-overload]
    return app


def main(argv: Sequence[str] | None = None) -> None:
    """Run one command and leave with its exit code."""
    from order_service.heap import look_for_cycles_rarely  # noqa: PLC0415 -- the tree needs none

    look_for_cycles_rarely()
    sys.exit(run(sys.argv[1:] if argv is None else argv))


def run(argv: Sequence[str]) -> int:
    """Run one command; return its exit code."""
    try:
        words, url, profile = _place(argv)
        is_remote = bool(url or profile)
        if is_remote:
            from order_cli.speaking import choose  # noqa: PLC0415 -- HTTP is slow to import

            _insist(words)
            choose(url, profile)
        code = build_app(words, is_remote=is_remote)(
            words, exit_on_error=False, print_error=True, result_action="return_value"
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


def _place(argv: Sequence[str]) -> tuple[list[str], str, str]:
    """Take `--url` and `--profile` off the words; ORDERMANAGER_URL counts without `--store`."""
    words, given = [], {"--url": "", "--profile": ""}
    rest = iter(argv)
    for word in rest:
        name, equals, value = word.partition("=")
        if name in given:
            given[name] = value if equals else next(rest, "")
        else:
            words.append(word)
    from_environment = os.environ.get("ORDERMANAGER_URL", "")
    if from_environment and not any(given.values()) and "--store" not in words:
        given["--url"] = from_environment if _entry(words) else ""
    return words, given["--url"], given["--profile"]


def _entry(words: Sequence[str]) -> bool:
    """Whether these words name a command that a running service can carry out."""
    return _is_one_of(words, REMOTE)


def _is_one_of(words: Sequence[str], names: Iterable[str]) -> bool:
    return any(name.split() == list(words[: len(name.split())]) for name in names)


def _insist(words: Sequence[str]) -> None:
    """Raises CommandError for a command that no service carries out."""
    if {"--help", "-h"} & set(words):
        return
    for name, reason in LOCAL.items():
        if _is_one_of(words, [name]):
            told = f"{name} does not work on a running service"
            raise CommandError(ExitCode.USAGE, told, reason)


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
