"""`completion`: the script that lets a shell complete our commands and options."""

from typing import Literal

from order_cli.exit_codes import ExitCode


def completion(shell: Literal["bash", "zsh", "fish"], /) -> int:
    """Print the completion script of a shell.

    bash: `order-manager completion bash > ~/.local/share/bash-completion/completions/order-manager`
    zsh: `order-manager completion zsh > FOLDER/_order-manager`, with FOLDER in $fpath.
    fish: `order-manager completion fish > ~/.config/fish/completions/order-manager.fish`

    Args:
        shell: bash, zsh or fish.
    """
    from order_cli.__main__ import build_app  # noqa: PLC0415 -- it names this module

    # every option must be known, so every command's module is imported
    print(build_app(complete=True).generate_completion(prog_name="order-manager", shell=shell))
    return ExitCode.DONE
