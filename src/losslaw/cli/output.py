"""What commands print: tables for people, JSON for programs, one artefact with ``-o``."""

import json
import shutil
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the help page does without numpy
    from losslaw.drawing import Plotted
    from losslaw.schedules import Schedule

# What the name of a table ends in: its rows, or its JSON form.
TABLES = (".csv", ".json")


# The command that is being run.
RUNNING: ContextVar[str] = ContextVar("RUNNING", default="")
# Versions of the answers that have changed such that programs which read them break; others: 1.
VERSIONS: dict[str, int] = {}


def schema_name(command: str) -> str:
    """Which schema the answer of a command has.

    >>> schema_name("lab train")
    'losslaw/lab-train/1'
    """
    return f"losslaw/{command.replace(' ', '-')}/{VERSIONS.get(command, 1)}"


def answer_of(value: Mapping[str, Any]) -> dict[str, Any]:
    """What the running command answers, with the name of its schema."""
    return {"schema": schema_name(RUNNING.get()), **value}


def json_of(value: Any) -> str:
    """One JSON document."""
    from losslaw.files.json_text import plain

    return json.dumps(plain(value), indent=1) + "\n"


def print_json(value: Mapping[str, Any]) -> None:
    """The answer of a command as one JSON document on standard output."""
    sys.stdout.write(json_of(answer_of(value)))


def save_json(path: str | None, value: Mapping[str, Any]) -> None:
    """The same in a file, if one is named."""
    from losslaw.files import write_text

    if path is not None:
        write_text(path, json_of(answer_of(value)))


def save_table(path: str | None, result: Any) -> None:
    """A result in a file, if one is named: its JSON form, or its table where the name says so.

    Args:
        path: Where it goes; one that ends in .json gets ``as_dict()``, any other ``csv()``.
        result: Something that has both.
    """
    from losslaw.files import write_text

    if path is None:
        return
    if path.lower().endswith(".json"):
        save_json(path, result.as_dict())
    else:
        write_text(path, result.csv())


def check_drawn(path: str | None) -> None:
    """Check that a name is one of a table, a JSON form or a picture, if there is one.

    Raises:
        InputError: it is not.
    """
    from losslaw.files.endings import PICTURES, check_ending

    if path is not None:
        check_ending(path, (*TABLES, *PICTURES))


def is_picture(path: str | None) -> bool:
    """Whether the name of a file says that it is a picture."""
    from losslaw.files.endings import PICTURES

    return path is not None and path.lower().endswith(PICTURES)


def save_picture(
    path: str | None, result: "Plotted", *, height: float | None = None, **options: Any
) -> bool:
    """A result as a picture, where the name of the file says that it is one; whether it does.

    Args:
        path: Where it goes; ``None``: nowhere.
        result: What is drawn.
        height: Inches; ``None``: as usual for such a result.
        options: Of ``result.plot``.
    """
    if path is None or not is_picture(path):
        return False
    from losslaw.files.pictures import write_picture
    from losslaw.views.figures import Panel, panel_height, stacked

    high = panel_height(result) if height is None else height
    write_picture(path, stacked([Panel(draw=partial(result.plot, **options), height=high)]))
    return True


def save_schedule(path: str | None, schedule: "Schedule") -> None:
    """A schedule as a table step,lr,... in a file, if one is named."""
    from losslaw.files import write_text
    from losslaw.schedules import schedule_csv

    if path is not None:
        write_text(path, schedule_csv(schedule))


def show(*parts: object) -> None:
    """Text for people on standard output; what labels hold cannot steer the terminal.

    On a terminal sentences are as wide as that; in pipes and files a line is a line.
    """
    from losslaw.text import on_terminal, printable, reflowed

    width = shutil.get_terminal_size().columns if on_terminal() else None
    for part in parts:
        text = printable(str(part))
        print(text if width is None else reflowed(text, width))


def say_saved(path: str | None, next_command: str = "") -> None:
    """Say where the artefact of a command is, if there is one, and what to run on it."""
    from losslaw.text import escaped

    if path is not None:
        next_command = next_command and f"; next: {next_command}"
        show("", escaped(f"saved to {path}{next_command}"))


def aside(text: str) -> None:
    """One line on standard error, beside what a command prints."""
    from losslaw.text import escaped

    print(f"losslaw: {escaped(text)}", file=sys.stderr, flush=True)


def show_schedule(result: Any, path: str | None, as_json: bool, *, next_command: str) -> None:
    """A result that has a schedule: the schedule in a file, if one is named, the rest printed.

    Args:
        result: A design or the like, with ``schedule`` and ``as_dict``.
        path: Where the schedule goes; ``None``: nowhere.
        as_json: Whether it is printed for programs.
        next_command: What to run on the file, for people.
    """
    save_schedule(path, result.schedule)
    if as_json:
        print_json(result.as_dict())
        return
    show(result)
    say_saved(path, next_command)


@contextmanager
def activity(title: str) -> Generator[Callable[[str], None]]:
    """A spinner on standard error, for work of a few seconds; silent where nobody watches."""
    from rich.console import Console

    with Console(stderr=True).status(title) as status:
        yield lambda words: status.update(f"{title}: {words}")


@contextmanager
def counter(
    title: str, total: int | None = None, *, least: int = 0
) -> Generator[Callable[..., None]]:
    """A bar with counts on standard error; silent where nobody watches.

    Gives a function that moves it: ``advance=`` parts more, or ``completed=`` of ``total=``. With
    ``least`` the bar is there from the first time that there are so many parts in all, and goes
    away at the end.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield _unseen
        return
    with ExitStack() as stack:
        bar: Callable[..., None] | None = None

        def move(**moved: Any) -> None:
            nonlocal bar
            if bar is None and (moved.get("total") or 0) >= least:
                bar = stack.enter_context(_bar(title, total, transient=least > 0))
            if bar is not None:
                bar(**moved)

        if not least:
            move()
        yield move


def _unseen(**moved: Any) -> None:
    pass


@contextmanager
def _bar(title: str, total: int | None, *, transient: bool) -> Generator[Callable[..., None]]:
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn

    columns = (*Progress.get_default_columns(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=transient) as bar:
        yield partial(bar.update, bar.add_task(title, total=total))
