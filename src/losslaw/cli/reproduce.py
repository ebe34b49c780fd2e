"""``losslaw reproduce``: the papers' figures, made again with their numbers."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from losslaw.cli.options import Command, Json
from losslaw.cli.output import aside
from losslaw.cli.output import show as say
from losslaw.text import escaped

if TYPE_CHECKING:
    from losslaw.kernel.figures import Work

# Finished sampled runs, in the folder of the results.
RUNS = "runs"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("reproduce", cls=Command)(reproduce)


def reproduce(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="One of: {STUDIES}.",
        ),
    ] = None,
    output: Annotated[
        str, typer.Option("-o", "--output", help="Folder for figure, tables and paragraph.")
    ] = "losslaw-reproduce",
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Another choice of the study, such as problems=1,2;0.5,4 or runs=50; repeatable.",
        ),
    ] = None,
    picture: Annotated[
        str, typer.Option("--picture", help="Kind of the figure: .png, .pdf or .svg.")
    ] = ".png",
    show: Annotated[bool, typer.Option("--list", help="Say what there is, and stop.")] = False,
    json: Json = False,
) -> None:
    """Make a figure of the papers again: NAME.png, NAME.csv, and a paragraph of what is seen.

    Minutes at most. Ctrl-C leaves nothing half-written; sampled runs are kept,
    and used by the same command.

    \b
    Examples:
      losslaw reproduce --list
      losslaw reproduce optimal-schedule -o figures
    """
    import time

    from losslaw.cli.output import print_json
    from losslaw.errors import InputError
    from losslaw.files.pictures import check_picture
    from losslaw.kernel.figures import STUDIES, find_study, write_result
    from losslaw.kernel.figures.study import changed, made

    if show:
        if json:
            print_json({study.name: study.title for study in STUDIES.values()})
        else:
            width = max(map(len, STUDIES))
            for study in STUDIES.values():
                say(f"{study.name:{width}}  {study.title}")
        return
    if name is None:
        raise InputError(f"name a study: one of {', '.join(STUDIES)}")
    study = changed(find_study(name), settings or ())
    check_picture(name + picture)
    folder = made(output)  # before the work, so that a bad folder costs nothing
    begun = time.perf_counter()
    with _progress(name) as work:
        from dataclasses import replace

        result = study.run(replace(work, saved=folder / RUNS))
    about = "; ".join([study.title, *(settings or ())])
    files = write_result(result, name, folder, picture=picture, about=about)
    seconds = time.perf_counter() - begun
    if json:
        print_json(
            {
                "name": name,
                "paragraph": result.paragraph,
                "numbers": result.numbers,
                "files": files,
                "seconds": seconds,
            }
        )
        return
    typer.echo(_wrapped(result.paragraph) + "\n")
    for path in files:
        typer.echo(escaped(f"wrote {path}"))
    typer.echo(f"done in {seconds:.1f} s")


def _wrapped(paragraph: str) -> str:
    import textwrap

    return textwrap.fill(paragraph, width=96, break_long_words=False, break_on_hyphens=False)


@contextmanager
def _progress(name: str) -> "Generator[Work]":
    """A bar on standard error; where nobody watches, silence."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from losslaw.kernel.figures import Work

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.percentage:>3.0f}%"),
        BarColumn(bar_width=30),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    bar = Progress(*columns, console=console, disable=not console.is_terminal)
    task = bar.add_task(name, total=None)
    work = Work(
        expect=lambda parts: bar.update(task, total=parts),
        tick=lambda parts: bar.update(task, advance=parts),
        say=lambda words: bar.update(task, description=words),
    )
    try:
        with bar:
            yield work
    except KeyboardInterrupt:
        aside(
            f"{name} was stopped; nothing was written but finished sampled runs,"
            " which the same command finds again"
        )
        raise
