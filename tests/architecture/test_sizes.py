"""A file owns one noun and a function one thought: both stay small enough to read at once."""

from pathlib import Path

from tests.architecture.sizes import function_lengths

ROOT = Path(__file__).resolve().parents[2]
LINES_PER_FILE = 400
LINES_PER_FUNCTION = 50
LINES_OF_NINE_FUNCTIONS_IN_TEN = 25


def source_files() -> list[Path]:
    return sorted(path for folder in ("apps", "packages") for path in (ROOT / folder).rglob("*.py"))


def test_no_file_is_longer_than_400_lines() -> None:
    too_long = {
        str(path.relative_to(ROOT)): lines
        for path in source_files()
        if (lines := len(path.read_text().splitlines())) > LINES_PER_FILE
    }

    assert too_long == {}


def test_no_function_is_longer_than_50_lines() -> None:
    too_long = {
        f"{path.relative_to(ROOT)}:{name}": lines
        for path in source_files()
        for name, lines in function_lengths(path.read_text())
        if lines > LINES_PER_FUNCTION
    }

    assert too_long == {}


def test_nine_functions_in_ten_have_at_most_25_lines() -> None:
    lengths = [lines for path in source_files() for _, lines in function_lengths(path.read_text())]
    short = [lines for lines in lengths if lines <= LINES_OF_NINE_FUNCTIONS_IN_TEN]

    assert 10 * len(short) >= 9 * len(lengths)


def test_a_function_is_measured_from_its_def_to_its_last_line() -> None:
    source = (
        "@decorated\ndef outer():\n    'Doc.'\n    async def inner():\n        pass\n    return 2"
    )

    assert dict(function_lengths(source)) == {"outer": 5, "inner": 2}
