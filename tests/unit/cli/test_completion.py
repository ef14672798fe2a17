"""Shell completion: the script knows the whole command tree, and bash completes by it."""

import subprocess
from pathlib import Path

import pytest

from order_cli.__main__ import run
from order_cli.commands import COMMANDS

ASK = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
"$(complete -p order-manager | sed 's/.*-F \\([^ ]*\\).*/\\1/')" "$1" "${@: -1}" "${@: -2:1}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_every_shell_knows_every_command(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(["completion", shell])
    script = capsys.readouterr().out

    assert code == 0
    for entries in COMMANDS.values():
        for entry in entries:
            assert entry.name.split()[-1] in script


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["conf"], {"config"}),
        (["db", ""], {"migrate", "status", "rollback", "export"}),
        (["config", "show", "--s"], {"--set"}),
        (["nonsense"], {""}),
    ],
)
def test_bash_completes_commands_and_options(
    words: list[str], offered: set[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["completion", "bash"])
    script = tmp_path / "order-manager.bash"
    script.write_text(capsys.readouterr().out)
    told = subprocess.run(
        ["bash", "-c", ASK, "bash", str(script), "order-manager", *words],
        capture_output=True,
        text=True,
        check=True,
    )

    assert set(told.stdout.removesuffix("\n").split("\n")) == offered


def test_another_shell_is_refused() -> None:
    assert run(["completion", "csh"]) == 2
