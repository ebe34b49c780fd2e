"""Every command and block of Python in README and docs runs, and prints what the page shows."""

import contextlib
import re

import pytest
import typer
from helpers import shown
from helpers.shown import PAGES, ROOT, Story, differs, pieces

from losslaw.cli.main import build
from losslaw.laws import LAWS

# Blocks that cannot run here: they need torch, a trainer's model, a browser, or many minutes.
EXCUSED = 21


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    shown.make_files(folder)
    return folder


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_runs_as_shown(page, files, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    shown.begin(page, files, tmp_path)
    with contextlib.chdir(tmp_path), Story() as story:
        for piece in pieces(page):
            if piece.reason is None:
                printed = story.run(piece)
                if piece.shown is not None:
                    what = differs(printed, piece.shown)
                    assert what is None, f"{piece.code}\n{what}\nrenew it: make docs"


def test_few_blocks_are_not_run():
    reasons = [piece.reason for page in PAGES for piece in pieces(page) if piece.reason]
    assert len(reasons) <= EXCUSED, reasons


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_errors_of_the_laws_are_those_measured_last(page):
    assert page.read_text(encoding="utf-8") == shown.measured(page.read_text(encoding="utf-8"))


def test_the_page_of_the_laws_has_all_of_them():
    text = (ROOT / "docs" / "background" / "laws.md").read_text(encoding="utf-8")
    assert text == shown.listed(text)
    assert [name for name in LAWS if f"## `{name}`" not in text] == []


def commands():
    """Names on the command line, with their options."""

    def options(command):
        own = {name for each in command.params for name in each.opts}
        for part in getattr(command, "commands", {}).values():
            own |= options(part)
        return own | {"--help", "-h"}

    top = typer.main.get_command(build()).commands
    return {name: options(command) for name, command in top.items()}


def test_every_command_has_its_line():
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^\| `losslaw ([\w-]+)", text, re.M)) == sorted(commands())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_in_the_text_are_real(page):
    real = commands()
    for name, rest in re.findall(r"`losslaw ([a-z][\w-]*)([^`]*)`", page.read_text("utf-8")):
        assert name in real, f"losslaw {name}"
        unknown = set(re.findall(r"(?<=\s)--?[a-z][\w-]*", rest)) - real[name]
        assert not unknown, f"losslaw {name} {unknown}"
