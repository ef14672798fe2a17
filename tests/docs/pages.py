"""Reads the blocks of our pages, and makes one script of each page that a test can run.

A `console` or `python` block runs as it stands, the blocks of one page in one folder and one shell.
A comment in front of a block changes that:

    <!-- try: background -->            left running; whoever runs the script ends its group
    <!-- try: exit 3 -->                ends with this code
    <!-- try: tests/unit/test_x.py -->  shown to be right by that test, which must exist
"""

import re
from pathlib import Path
from typing import Final

import attrs

ROOT: Final = Path(__file__).resolve().parents[2]
RUN: Final = ("console", "python")
WORDS: Final = frozenset(
    {"console", "python", "json", "text", "", "mermaid", "toml", "yaml", "csv"}
)
_FENCE: Final = re.compile(r"^(?P<ticks>`{3,})(?P<word>[\w{}-]*)\s*$")
_TRY: Final = re.compile(r"^<!-- try: (?P<how>.+) -->$")


@attrs.frozen(slots=True)
class Block:
    """One fenced block: its language, its text, its first line, and what the comment asks."""

    word: str
    text: str
    line: int
    how: str

    @property
    def is_background(self) -> bool:
        return self.how == "background"

    @property
    def exit_code(self) -> int:
        return int(self.how.removeprefix("exit ")) if self.how.startswith("exit ") else 0

    @property
    def elsewhere(self) -> str | None:
        return self.how if self.how.startswith(("tests/", "Makefile")) else None


def written() -> list[Path]:
    """Pages that people wrote; the generated ones are compared with the code elsewhere."""
    docs = sorted((ROOT / "docs").rglob("*.md"))
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *docs]
    return [page for page in pages if not _is_generated(page)]


def _is_generated(page: Path) -> bool:
    return page.name == "index.md" or "Made by `make docs`" in page.read_text(encoding="utf-8")


def blocks(page: Path) -> list[Block]:
    """Every fenced block of a page."""
    found: list[Block] = []
    lines = page.read_text(encoding="utf-8").splitlines()
    opened: tuple[str, str, int, str] | None = None
    inside: list[str] = []
    for number, line in enumerate(lines, start=1):
        fence = _FENCE.match(line)
        if opened is None and fence:
            asked = _TRY.match(lines[number - 2]) if number > 1 else None
            opened = (fence["ticks"], fence["word"], number + 1, asked["how"] if asked else "")
            inside = []
        elif opened is not None and line == opened[0]:
            found.append(Block(opened[1], "\n".join(inside) + "\n", opened[2], opened[3]))
            opened = None
        elif opened is not None:
            inside.append(line)
    if opened is not None:
        raise ValueError(f"{page}: the block of line {opened[2]} does not end")
    return found


def script(page: Path, port: int) -> str | None:
    """A bash script of the blocks that run; None when none does."""
    parts = [_part(block) for block in blocks(page) if block.word in RUN and not block.elsewhere]
    if not parts:
        return None
    return (_PRELUDE + "".join(parts)).replace("127.0.0.1:4600", f"127.0.0.1:{port}")


def _part(block: Block) -> str:
    text = block.text
    if block.word == "python":
        text = f"python - <<'END_OF_BLOCK'\n{text}END_OF_BLOCK\n"
    said = f"echo '--- line {block.line}' >&2\n"
    if block.is_background:
        return f"{said}{{\n{text}}} & started+=($!)\nuntil_it_answers\n"
    if block.exit_code:
        return f"{said}code=0\n(\n{text}) || code=$?\n[ $code -eq {block.exit_code} ]\n"
    return said + text


_PRELUDE: Final = """\
set -euo pipefail
started=()
uv() { [ "$1" = run ] && shift; "$@"; }
make() { command make --no-print-directory -C "$REPOSITORY" "$@"; }
until_it_answers() {
    for _ in $(seq 300); do
        curl -fsS -o /dev/null http://127.0.0.1:4600/live 2>/dev/null && return
        kill -0 "${started[-1]}" || return 1
        sleep 0.1
    done
    return 1
}
"""
