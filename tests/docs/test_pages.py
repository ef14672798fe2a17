"""What our pages tell people to type, typed."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, RUN, WORDS, Block, blocks, script, written

PAGES = {str(page.relative_to(ROOT)): page for page in written()}
RUNNABLE = sorted(name for name, page in PAGES.items() if script(page, 4600))


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.mark.parametrize("name", RUNNABLE)
def test_every_command_of_a_page_works_as_it_is_written(name, tmp_path):
    port = free_port()
    environment = {
        "HOME": str(tmp_path),
        "LANG": "C.UTF-8",
        "ORDERMANAGER_PORT": str(port),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "REPOSITORY": str(ROOT),
    }
    with (tmp_path / "said").open("w+") as said:
        shell = subprocess.Popen(
            ["bash", "-c", script(PAGES[name], port)],
            cwd=tmp_path,
            env=environment,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
        try:
            code = shell.wait(timeout=100)
        finally:
            # What the page left running goes with it.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
        said.seek(0)
        assert code == 0, said.read()[-4000:]


@pytest.mark.parametrize("name", sorted(PAGES))
def test_every_block_of_a_page_says_what_it_is(name):
    for block in blocks(PAGES[name]):
        assert block.word in WORDS, f"{name}:{block.line}"
        if block.how:
            assert block.word in RUN, f"{name}:{block.line}: nothing here is run"
            assert block.is_background or block.exit_code or block.elsewhere, f"{name}:{block.line}"


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_block_shown_right_elsewhere_names_a_test_that_is_there(name):
    for block in blocks(PAGES[name]):
        if block.elsewhere:
            assert (ROOT / block.elsewhere.split("::")[0]).exists(), f"{name}:{block.line}"


@pytest.mark.parametrize("name", sorted(PAGES))
def test_every_link_to_a_file_leads_to_one(name):
    text = PAGES[name].read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (PAGES[name].parent / target).exists(), f"{name}: {target}"


def test_a_command_that_fails_fails_its_page(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```console\nfalse\necho on\n```\n")
    ran = subprocess.run(["bash", "-c", script(page, 1)], check=False, capture_output=True)
    assert ran.returncode != 0


def test_a_block_that_must_be_refused_and_is_not_fails_its_page(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("<!-- try: exit 3 -->\n```console\nexit 0\n```\n")
    ran = subprocess.run(["bash", "-c", script(page, 1)], check=False, capture_output=True)
    assert ran.returncode != 0


def test_a_block_knows_its_language_its_line_and_its_comment(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# T\n\n<!-- try: background -->\n```console\na\nb\n```\n\n```json\n{}\n```\n")
    assert blocks(page) == [
        Block("console", "a\nb\n", 5, "background"),
        Block("json", "{}\n", 10, ""),
    ]
