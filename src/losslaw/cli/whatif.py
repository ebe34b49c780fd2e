"""``losslaw whatif``: a live page on which a schedule is moved and its loss follows."""

from typing import Annotated

import typer

from losslaw.cli import options
from losslaw.cli.output import activity, aside, say_saved, show


def register(app: typer.Typer) -> None:
    """Add the command."""
    options.add(app, "whatif", whatif_command)


def whatif_command(
    fit: options.FitFile,
    port: Annotated[
        int, typer.Option("--port", metavar="N", help="Where on this computer; 0: any free port.")
    ] = 0,
    opened: Annotated[
        bool, typer.Option("--open", help="Also open the address in the usual browser.")
    ] = False,
    start: Annotated[
        str,
        typer.Option(
            "--start",
            metavar="QUERY",
            help="What the page begins with, as in its address: shape=wsd&peak=3e-3&...",
        ),
    ] = "",
    model_size: options.RunSize = None,
    level: options.Level = 0.9,
    new_data: options.NewData = False,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="PAGE",
            help="Write one .html file of the usual schedules instead, to be sent to others.",
        ),
    ] = None,
) -> None:
    """A live page: move a schedule, and its predicted loss and interval follow.

    The page is served on this computer alone, under an address that holds a secret; Ctrl-C ends
    it. It needs the package bokeh (extra: page).

    \b
    Examples:
      losslaw whatif fit.json
      losslaw whatif fit.json --start "shape=cosine&horizon=12000" -o page.html
    """
    from losslaw.errors import InputError
    from losslaw.files import write_text
    from losslaw.files.endings import PAGES, check_ending
    from losslaw.numerics.interval import Level
    from losslaw.views.whatif.page import Subject, check_installed
    from losslaw.views.whatif.state import Room, State

    if output is not None:
        check_ending(output, PAGES, "page")
    check_installed()
    Level(level)
    found = options.fit_from(fit, new_data=new_data)
    if found.sizes and model_size is None:
        raise InputError("the fitted runs are of several model sizes: say which (--model-size)")
    name = "standard input" if fit == "-" else fit
    subject = Subject(fit=found, name=name, level=level, model_size=model_size)
    state = State.read(start.removeprefix("?"), Room.of(found), State.usual(found))
    subject.along(state)
    if output is not None:
        from losslaw.views.whatif.static_page import static_page

        with activity("designing"):
            text = static_page(subject, state)
        write_text(output, text)
        say_saved(output)
        return

    from losslaw.views.whatif.server import serve

    def ready(address: str) -> None:
        show(address)
        aside("only this computer can open it; Ctrl-C ends it")
        if opened:
            import webbrowser

            webbrowser.open(address)

    serve(subject, state, port, ready)
    aside("the page has ended")
