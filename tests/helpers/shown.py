"""What the pages show, run: commands and Python of README and docs, and what they print.

A page is a story in one folder. Its ``console`` blocks hold commands after ``$`` and, where the
page shows it, what they print; its ``python`` blocks share one namespace, and a ``text`` block
directly below one is what it prints. A comment ``<!-- not run: reason -->`` before a block leaves
it out. Every story begins with the files that the first ``console`` block of docs/guides/fit.md
makes.

`losslaw` runs in this process, which saves its start; the shell runs what has redirections, and all
behind a pipe.
"""

import contextlib
import io
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from losslaw.cli.main import run
from losslaw.laws import LAWS

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
FILES = ROOT / "docs" / "guides" / "fit.md"
NOT_RUN = re.compile(r"<!-- not run: (.+) -->")
SHELL = re.compile(r"[|<>{}$]|&&|^(?!losslaw )")


@dataclass(kw_only=True)
class Piece:
    """A command, or a block of Python.

    Attributes:
        kind: ``console`` or ``python``.
        code: What is run.
        shown: What the page says it prints; ``None``: it does not say.
        lines: Where that stands in the page, for the renewal: first and one past the last line.
        reason: Why it is not run, if it is not.
    """

    kind: str
    code: str
    lines: tuple[int, int]
    shown: str | None = None
    reason: str | None = None


def pieces(page: Path) -> list[Piece]:
    """All that a page shows, in order."""
    text = page.read_text(encoding="utf-8").splitlines()
    out: list[Piece] = []
    for kind, first, last in _blocks(text):
        before = [line for line in text[: first - 1] if line]
        excused = NOT_RUN.fullmatch(before[-1]) if before else None
        reason = excused[1] if excused else None
        if kind == "console":
            out += [
                Piece(kind=kind, reason=reason, **found) for found in _commands(text, first, last)
            ]
        elif kind == "python":
            code = "\n".join(text[first:last])
            out.append(Piece(kind=kind, code=code, lines=(last, last), reason=reason))
        elif (
            kind == "text"
            and out
            and out[-1].kind == "python"
            and not any(text[out[-1].lines[1] + 1 : first - 1])
        ):
            out[-1].shown, out[-1].lines = "\n".join(text[first:last]), (first, last)
    return out


def _blocks(text: list[str]) -> Iterator[tuple[str, int, int]]:
    """Language, first line and one past the last line of what is between fences."""
    first: int | None = None
    kind = ""
    for i, line in enumerate(text):
        if not line.startswith("```"):
            continue
        if first is None:
            kind, first = line[3:].strip(), i + 1
        else:
            yield kind, first, i
            first = None


def _commands(text: list[str], first: int, last: int) -> list[dict[str, Any]]:
    """The commands between two lines, each with what is printed below it."""
    out: list[dict[str, Any]] = []
    i = first
    while i < last:
        assert text[i].startswith("$ "), f"a console block begins with a command: {text[i]}"
        code = text[i][2:]
        while code.endswith("\\"):
            i += 1
            code = code[:-1] + text[i].strip()
        begun = i = i + 1
        while i < last and not text[i].startswith("$ "):
            i += 1
        shown = "\n".join(text[begun:i]) if i > begun else None
        out.append({"code": code, "lines": (begun, i), "shown": shown})
    return out


@dataclass
class Story:
    """One page being run: the folder is the current one, Python remembers its names.

    Used with ``with``, laws that a page adds are gone afterwards.
    """

    names: dict[str, Any] = field(default_factory=dict)

    def __enter__(self) -> "Story":
        self._laws = mock.patch.dict(LAWS)
        self._laws.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._laws.stop()

    def run(self, piece: Piece) -> str:
        """What a piece prints.

        Raises:
            AssertionError: a status other than 0.
        """
        if piece.kind == "python":
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(piece.code, "<page>", "exec"), self.names)
            return _stripped(printed.getvalue())
        command, pipe, rest = piece.code.partition(" | ")
        if SHELL.search(command):
            return _stripped(_shell(piece.code, None))
        printed, complaints = io.StringIO(), io.StringIO()
        arguments = [name for word in shlex.split(command, comments=True) for name in _named(word)]
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(complaints):
            status = run(arguments[1:])
        assert status == 0, f"{piece.code}: {complaints.getvalue()}"
        answer = printed.getvalue()
        return _stripped(_shell(rest, answer) if pipe else answer)


def _stripped(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines())


def _shell(code: str, given: str | None) -> str:
    head = f'losslaw() {{ "{sys.executable}" -m losslaw "$@"; }}; set -e -o pipefail\n'
    done = subprocess.run(
        ["bash", "-c", head + code], input=given, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{code}: {done.stderr}"
    return done.stdout


def _named(word: str) -> list[str]:
    """The files that a pattern stands for, as a shell would put them."""
    return sorted(map(str, Path().glob(word))) or [word] if "*" in word else [word]


def make_files(folder: Path) -> None:
    """Make the files with which every page begins."""
    begin(FILES, folder, folder)
    first = next(iter(_blocks(FILES.read_text(encoding="utf-8").splitlines())))
    story = Story()
    with contextlib.chdir(folder):
        for piece in pieces(FILES):
            if piece.lines[1] <= first[2]:
                story.run(piece)


def begin(page: Path, files: Path, folder: Path) -> None:
    """Put into a folder what a page begins with; the page that makes the files begins with none."""
    if page == FILES:
        for name in ("src", "validation", "examples"):
            (folder / name).symlink_to(ROOT / name)
    else:
        shutil.copytree(files, folder, symlinks=True, dirs_exist_ok=True)


WORDS = re.compile(r"-?\d[\d,]*\.?\d*(?:e[-+]?\d+)?|-?\.\d+|[^\s\d]+")


def differs(printed: str, shown: str) -> str | None:
    """What is printed now that the page does not show, if anything.

    Columns may be wider, seconds and times of day are not compared, and a number may be off by two
    units of its last digit: another processor rounds differently.
    """
    ours, theirs = printed.splitlines(), shown.splitlines()
    for now, then in zip(ours, theirs, strict=False):
        if not _alike(now, then):
            return f"printed: {now}\nshown:   {then}"
    if len(ours) != len(theirs):
        return f"{len(ours)} lines are printed, {len(theirs)} are shown"
    return None


def _alike(now: str, then: str) -> bool:
    timeless = [
        re.sub(r"\d+(\.\d+)? (s|seconds)\b|\d\d:\d\d:\d\d", "TIME", line) for line in (now, then)
    ]
    a, b = (WORDS.findall(line) for line in timeless)
    return len(a) == len(b) and all(_close(x, y) for x, y in zip(a, b, strict=True))


def _close(x: str, y: str) -> bool:
    if x == y:
        return True
    try:
        values = float(x.replace(",", "")), float(y.replace(",", ""))
    except ValueError:
        return False
    mantissa, _, exponent = y.replace(",", "").partition("e")
    unit = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    return abs(values[0] - values[1]) <= 2.01 * unit


LAWS_HEAD = "| `--law` | law | searched by default | source |"
MEASURED = ROOT / "validation" / "results" / "accuracy.md"


def measured(text: str) -> str:
    """The text of a page with the errors of its accuracy table as they were last measured.

    The table is known by ``(protocol)`` in its head; the name of a protocol ends each first cell.
    """
    lines, laws = text.splitlines(), None
    for i, line in enumerate(lines):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if "(protocol)" in cells[0]:
            laws = [cell.strip("`") for cell in cells[1:]]
        elif laws and not line.startswith("|"):
            laws = None
        elif laws and (protocol := re.search(r"\(([^()]+)\)$", cells[0])):
            lines[i] = f"| {' | '.join([cells[0], *_errors(protocol[1], laws)])} |"
    return "\n".join(lines) + "\n"


def listed(text: str) -> str:
    """The text of a page with its table of the laws, known by its head, made from ``LAWS``."""
    lines = text.splitlines()
    if LAWS_HEAD not in lines:
        return text
    first = lines.index(LAWS_HEAD) + 2
    last = next((i for i in range(first, len(lines)) if not lines[i].startswith("|")), len(lines))
    rows = [
        f"| `{law.name}` | {law.title} |"
        f" {', '.join(name for name, spec in law.shapes().items() if spec.free)} |"
        f" {law.reference} |"
        for law in LAWS.values()
    ]
    return "\n".join([*lines[:first], *rows, *lines[last:]]) + "\n"


def _errors(protocol: str, laws: list[str]) -> list[str]:
    section = MEASURED.read_text(encoding="utf-8").partition(f"\n## {protocol}\n")[2]
    section = section.partition("\n## ")[0]
    return [re.search(rf"^\| {law} \| ([\d.]+) \|", section, re.M)[1] for law in laws]  # pyright: ignore


def renew(page: Path, files: Path, folder: Path) -> bool:
    """Write into a page what its commands print now; whether that changed anything."""
    folder.mkdir(exist_ok=True)
    begin(page, files, folder)
    text = page.read_text(encoding="utf-8").splitlines()
    found: list[tuple[Piece, str]] = []
    with contextlib.chdir(folder), Story() as story:
        for piece in pieces(page):
            if piece.reason is None:
                found.append((piece, story.run(piece)))
    changed = False
    for piece, printed in reversed(found):
        if piece.shown is not None and differs(printed, piece.shown):
            text[slice(*piece.lines)] = printed.splitlines()
            changed = True
    new = listed(measured("\n".join(text)))
    if changed or new != page.read_text(encoding="utf-8"):
        page.write_text(new, encoding="utf-8")
        return True
    return False
