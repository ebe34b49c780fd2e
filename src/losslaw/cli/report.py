"""``losslaw report``: one page of HTML with all that is known of runs."""

import shlex
from typing import Annotated, Any

import typer

from losslaw.cli import options
from losslaw.cli.output import activity, print_json, say_saved, show

# Where a report goes that nobody named a place for.
DEFAULT = "losslaw-report.html"


def register(app: typer.Typer) -> None:
    """Add the command."""
    options.add(app, "report", report_command)


@options.with_reading
def report_command(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="Logs, or folders of them; or a saved fit, and logs beside it.",
            show_default=False,
        ),
    ],
    reading: dict[str, Any],
    horizon: Annotated[
        int | None,
        typer.Option(
            "--horizon",
            help="Updates of the schedule to design, and of runs under way that do not say theirs;"
            " default: those of the longest run, as planned.",
        ),
    ] = None,
    law: options.LawToFit = None,
    skip: options.Skip = None,
    level: options.Level = 0.9,
    title: Annotated[str | None, typer.Option("--title", help="What the report is about.")] = None,
    output: Annotated[
        str, typer.Option("-o", "--output", help="A name that ends in .html.")
    ] = DEFAULT,
    json: options.Json = False,
) -> None:
    """A report of runs as one page of HTML: doubts first, fit, errors, decays, a design.

    The page is one file that needs no network and runs no script. Logs beside a saved fit that
    were not fitted are held out: the fit is scored on them.

    \b
    Examples:
      losslaw report runs/*T4000.csv -o report.html
      losslaw report fit.json runs/*.csv --horizon 12000 -o report.html
    """
    from losslaw.errors import InputError
    from losslaw.files.endings import PAGES, check_ending
    from losslaw.fitting import Fit
    from losslaw.reporting import report
    from losslaw.views.found import found, only

    check_ending(output, PAGES, "report")
    known = [found(file) for file in files]
    fit, logs = only(known, Fit, "saved fits"), [each.name for each in known if each.kind == "log"]
    for each in known:
        if each.kind not in ("log", "fit"):
            raise InputError(f"{each.name} is a {each.kind}, expected logs or a saved fit")
    if fit is not None and law is not None:
        raise InputError("--law is of a fit to be made, and a saved fit is given")
    curves = options.read(logs, **reading) if logs else []
    asked: dict[str, Any] = {"horizon": horizon, "law": law, "skip": skip, "title": title}
    sizes = {each.model_size for each in (curves if fit is None else fit.sizes)}
    several = len(sizes) > 1 and None not in sizes
    size = reading["model_size"] or (max(filter(None, sizes)) if several else None)
    asked |= {"level": None if level == 0.9 else level, "output": output}
    with activity("report") as say:
        made = report(
            curves if fit is None else fit,
            () if fit is None else curves,
            horizon=horizon,
            model_size=reading["model_size"],
            law=law or "auto",
            skip=skip,
            level=level,
            title=title,
            again=commands(files, logs, reading, asked, size),
            progress=say,
        )
        say("writing")
        made = made.save(output)
    if json:
        print_json(made.as_dict())
        return
    show(made)
    say_saved(output)


def commands(
    files: list[str],
    logs: list[str],
    reading: dict[str, Any],
    asked: dict[str, Any],
    size: float | None,
) -> list[str]:
    """The command line of a report, and those of its parts.

    Args:
        files: What was named.
        logs: The logs among it.
        reading: How logs are read.
        asked: The other options.
        size: The model size of the design, where there are several.
    """
    fits, read = [each for each in files if each not in logs], options.words(reading)
    lines = [["report", *files, *read, *options.words(asked)]]
    fit = fits[0] if fits else "fit.json"
    if logs:
        lines.append(["inspect", *logs, *read])
    if not fits:
        chosen = {name: asked[name] for name in ("law", "skip")}
        lines.append(["fit", *logs, *read, *options.words(chosen), "-o", fit])
    if logs:
        lines.append(["annealed", *logs, *read, "--fit", fit])
    if asked["horizon"] is not None:
        chosen = options.words({"horizon": asked["horizon"], "model_size": size})
        lines.append(["design", fit, *chosen, "-o", "schedule.csv"])
    return [shlex.join(["losslaw", *line]) for line in lines]
