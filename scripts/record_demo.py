"""Records the demo as a picture: its real output on a terminal, drawn as SVG for the README.

The demo is seeded and its time virtual, so the same code draws the same bytes.
"""

import io
import os
import pty
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

ROOT: Final = Path(__file__).resolve().parents[1]
PICTURE: Final = ROOT / "docs/images/demo.svg"
COLUMNS: Final = 108
FROM: Final = "Positions"
"""The line the picture begins with: what came out of it, and not yet how often what happened."""
THEME: Final = TerminalTheme(
    (17, 22, 29),
    (208, 215, 222),
    [
        (72, 79, 88),
        (255, 123, 114),
        (63, 185, 80),
        (210, 153, 34),
        (88, 166, 255),
        (188, 140, 255),
        (57, 197, 207),
        (177, 186, 196),
    ],
)


def said_on_a_terminal(*command: str) -> str:
    """Run a command on a terminal of its own and in a folder of its own; return what it wrote."""
    here, there = pty.openpty()
    # nothing of the caller's terminal: its colours and its width would be drawn
    environment = {
        "COLUMNS": str(COLUMNS),
        "LANG": "C.UTF-8",
        "PATH": os.environ["PATH"],
        "TERM": "xterm-256color",
    }
    with tempfile.TemporaryDirectory() as folder, io.BytesIO() as said:
        run = subprocess.Popen(  # noqa: S603 -- our own command
            [sys.executable, "-m", "order_cli", *command],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=there,
            stderr=subprocess.DEVNULL,
        )
        os.close(there)
        while piece := _read(here):
            said.write(piece)
        os.close(here)
        if run.wait():
            raise SystemExit(f"{' '.join(command)} ended with {run.returncode}")
        return said.getvalue().decode().replace("\r\n", "\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # Linux says so when the other end is closed
        return b""


def picture(said: str) -> str:
    """Draw it."""
    console = Console(
        record=True,
        width=COLUMNS,
        file=io.StringIO(),
        color_system="truecolor",
        force_terminal=True,
    )
    lines = Text.from_ansi(said).split("\n", allow_blank=True)
    first = next(number for number, line in enumerate(lines) if line.plain.strip() == FROM)
    console.print(Text("$ ", style="green") + Text("make demo", style="bold"))
    console.print(Text("...\n", style="dim"))
    for line in lines[first:]:
        line.rstrip()
        console.print(line, no_wrap=True, overflow="crop")
    drawn = console.export_svg(title="order manager", theme=THEME, unique_id="demo")
    # no font is fetched from anywhere: whoever has none of that name gets his own
    return re.sub(r"@font-face \{.*?\}\n\s*", "", drawn, flags=re.DOTALL)


def main() -> None:
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_text(picture(said_on_a_terminal("demo")), encoding="utf-8")
    sys.stdout.write(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main()
