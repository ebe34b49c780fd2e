"""Options that several commands share, said once, and the reading of what they are about.

Help texts name what there is in braces, as in ``{LAWS}``; a `Command` puts the names in when its
help is asked for, so that nothing is loaded before.
"""

import importlib
import inspect
import re
from collections.abc import Callable
from functools import partial, wraps
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from losslaw.cli.output import RUNNING, aside, counter
from losslaw.text import expanded

if TYPE_CHECKING:  # the help page does without numpy
    from losslaw.curves import LossCurve
    from losslaw.fitting import Fit
    from losslaw.schedules import Schedule

# Where the names in braces are.
NAMES = {
    "LAWS": "losslaw.laws",
    "OPTIMIZERS": "losslaw.logs.optimizer",
    "FAMILIES": "losslaw.designing",
    "USUAL": "losslaw.designing",
    "TARGETS": "losslaw.exporting",
    "STUDIES": "losslaw.kernel.figures",
    "METHODS": "losslaw.kernel.methods",
    "WEIGHTS": "losslaw.schedules.averages",
}
IN_BRACES = r"\{([A-Z]+)\}"


class Command(TyperCommand):
    """A command whose help names what there is to choose from, and whose numbers may be ``24k``."""

    def __init__(self, *arguments: Any, **more: Any):
        super().__init__(*arguments, **more)
        for each in self.params:
            if {int, float} & {*_kinds(each)}:
                each.process_value = partial(_number, each.process_value)
            if named := re.search(IN_BRACES, getattr(each, "help", None) or ""):
                auto = ["auto"] * ("auto" in each.help)  # pyright: ignore
                each._custom_shell_complete = partial(_completed, named, auto)  # pyright: ignore

    def invoke(self, ctx: Any) -> Any:
        """Run it; answers say of which command they are."""
        RUNNING.set(ctx.command_path.partition(" ")[2])
        return super().invoke(ctx)

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """What a shell may put here; help texts stand beside it, where it shows them."""
        for each in self.params:
            if getattr(each, "help", None):
                each.help = re.sub(IN_BRACES + r"\.?", "...", each.help)  # pyright: ignore
        return super().shell_complete(ctx, incomplete)  # pyright: ignore[reportUnknownVariableType]

    def get_help(self, ctx: Any) -> str:
        """The help page, with the names that stand in braces in its texts."""
        for each in (self, *self.params):
            if getattr(each, "help", None):
                each.help = re.sub(IN_BRACES, _listed, each.help)  # pyright: ignore
        # A paragraph is as wide as the page; examples stay as they are written.
        paragraphs = inspect.cleandoc(self.help or "").split("\n\n")
        self.help = "\n\n".join(
            text if text.startswith("\b") else " ".join(text.split()) for text in paragraphs
        )
        return super().get_help(ctx)


def _kinds(parameter: Any) -> tuple[type, ...]:
    kind = parameter.type_descriptor.annotation
    return getattr(kind, "__args__", (kind,))


def _number(process: Callable[[Any, Any], Any], ctx: Any, value: Any) -> Any:
    return process(ctx, expanded(value) if isinstance(value, str) else value)


def _names(match: re.Match[str]) -> list[str]:
    return list(getattr(importlib.import_module(NAMES[match[1]]), match[1]))


def _listed(match: re.Match[str]) -> str:
    return ", ".join(_names(match))


def _completed(
    named: re.Match[str], more: list[str], ctx: Any, parameter: Any, incomplete: str
) -> list[str]:
    # Of a list with commas, the last name.
    before, comma, last = incomplete.rpartition(",")
    return [before + comma + each for each in [*more, *_names(named)] if each.startswith(last)]


def no_picture(path: str | None) -> str | None:
    """A name of a file that gets numbers or text, refused before any work if a picture's."""
    from losslaw.files.endings import check_numbers

    return check_numbers(path)


def no_page(path: str | None) -> str | None:
    """The same, where the name of a picture gets one."""
    from losslaw.files.endings import PICTURES, check_numbers

    return check_numbers(path, PICTURES)


Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of a table.")]
Files = Annotated[
    list[str],
    typer.Argument(metavar="FILE...", help="Logs, or folders of them; '-' reads standard input."),
]
FitFile = Annotated[
    str, typer.Argument(metavar="fit.json", help="A saved fit; '-' reads standard input.")
]
FitOrProblem = Annotated[
    str | None,
    typer.Argument(
        metavar="[fit.json]",
        help="A saved fit; '-' reads standard input. Or a problem of the kernel world, below.",
    ),
]
JsonFile = Annotated[
    str | None,
    typer.Option("-o", "--output", callback=no_picture, help="Write the JSON form to this file."),
]
DrawnFile = Annotated[
    str | None,
    typer.Option(
        "-o",
        "--output",
        callback=no_page,
        help="The answer: a picture (.png, .pdf, .svg), or JSON by any other name.",
    ),
]
ScheduleFile = Annotated[
    str | None,
    typer.Option(
        "-o", "--output", callback=no_picture, help="Write the schedule here: step,lr,..."
    ),
]
Level = Annotated[
    float, typer.Option("--level", help="Share of runs the interval is meant to hold.")
]
Skip = Annotated[
    int | None,
    typer.Option(
        "--skip",
        help="Leave out points before this step; default: four warm-ups, at most 10 % of a run.",
    ),
]
KeepAll = Annotated[
    bool,
    typer.Option(
        "--keep-all",
        help="Fit spikes, a divergence and all points of dense logs as they are.",
    ),
]
Law = Annotated[
    str,
    typer.Option(
        "--law",
        metavar="NAME",
        help="auto (a mixture of laws, weighed by what they foretell) or one of: {LAWS}.",
    ),
]

NewData = Annotated[
    bool,
    typer.Option(
        "--new-data",
        help="Other data, or another order of them, than were fitted: wider intervals.",
    ),
]
AllowLong = Annotated[
    bool,
    typer.Option(
        "--allow-long",
        help="Runs may have more than 10,000,000 updates, in arrays of up to 0.8 GB.",
    ),
]

# Of one run in progress.
Log = Annotated[
    str,
    typer.Argument(metavar="LOG", help="Log or folder of one run; '-' reads standard input."),
]
EarlierFit = Annotated[
    str | None,
    typer.Option("--fit", metavar="fit.json", help="An earlier fit; the run updates it."),
]
FitInstead = Annotated[
    str | None,
    typer.Option("--fit", metavar="fit.json", help="A saved fit of such runs answers instead."),
]
EarlierRuns = Annotated[
    list[str] | None,
    typer.Option(
        "--with", metavar="FILE", help="Log of an earlier run of the model; may be repeated."
    ),
]
LawToFit = Annotated[
    str | None,
    typer.Option(
        "--law",
        metavar="NAME",
        help="Law to fit: auto (a mixture, the default) or one of: {LAWS}.",
    ),
]
SkipOf = Annotated[int | None, typer.Option("--skip", help="Leave out points before this step.")]

# Parts of reading, two for each file, from which on a bar shows how many are done.
MANY_PARTS = 40

# Share of the updates below which nobody chooses the length of a cooldown.
IMPLAUSIBLE = 0.01

# Of the runs that are designed.
Peak = Annotated[
    float | None,
    typer.Option("--peak", metavar="LR", help="Largest rate; default: that of the fitted runs."),
]
RunWarmup = Annotated[
    float | None,
    typer.Option(
        "--warmup",
        metavar="K",
        help="Updates of warm-up, or a share of the run; default: that of the fitted runs.",
    ),
]
RunBatch = Annotated[
    float | None,
    typer.Option("--batch", help="Sequences in each update; default: that of the fitted runs."),
]
RunDecay = Annotated[
    float | None,
    typer.Option(
        "--weight-decay", "--wd", help="Decoupled weight decay; default: as in the fitted runs."
    ),
]
RunSize = Annotated[
    float | None,
    typer.Option("--model-size", help="Parameters of the model, where several sizes were fitted."),
]
UsualSchedule = Annotated[
    str, typer.Option("--family", metavar="NAME", help="The schedule, one of: {USUAL}.")
]

# The other options are about how logs are read.
READING = "How logs are read"
Warmup = Annotated[
    float | None,
    typer.Option(
        "--warmup",
        metavar="K",
        help="Updates of warm-up, or a share of the run, also when the log starts after it.",
        rich_help_panel=READING,
    ),
]
LrIs = Annotated[
    str | None,
    typer.Option(
        "--lr-is",
        help="Whether the logged rate is of the update done ('used') or 'next'.",
        rich_help_panel=READING,
    ),
]
LossIs = Annotated[
    str | None,
    typer.Option(
        "--loss-is",
        help="Whether a loss is 'instant' or the 'mean' since the row before it.",
        rich_help_panel=READING,
    ),
]
WeightDecay = Annotated[
    float | None,
    typer.Option(
        "--weight-decay",
        "--wd",
        help="Decoupled weight decay of the runs.",
        rich_help_panel=READING,
    ),
]
Batch = Annotated[
    float | None,
    typer.Option("--batch", help="Sequences in each update.", rich_help_panel=READING),
]
ModelSize = Annotated[
    float | None,
    typer.Option("--model-size", help="Parameters of the model.", rich_help_panel=READING),
]
Optimizer = Annotated[
    str | None,
    typer.Option(
        "--optimizer",
        metavar="NAME",
        help="What trained the model: {OPTIMIZERS}; default: what the log says.",
        rich_help_panel=READING,
    ),
]
ScheduleOf = Annotated[
    str | None,
    typer.Option(
        "--schedule",
        metavar="SPEC",
        help="What the runs did, for logs without learning rates: wsd:peak=3e-4,... or file:FILE.",
        rich_help_panel=READING,
    ),
]
LossColumn = Annotated[
    str | None,
    typer.Option(
        "--loss-column",
        help="Name of the loss column, if not a usual one.",
        rich_help_panel=READING,
    ),
]
LrColumn = Annotated[
    str | None,
    typer.Option(
        "--lr-column",
        help="Name of the learning-rate column, if not a usual one.",
        rich_help_panel=READING,
    ),
]
StepColumn = Annotated[
    str | None,
    typer.Option(
        "--step-column",
        help="Name of the column with the updates done, if not a usual one.",
        rich_help_panel=READING,
    ),
]
StepsPerEpoch = Annotated[
    int | None,
    typer.Option(
        "--steps-per-epoch",
        metavar="N",
        help="Updates in an epoch, for logs with a row an epoch.",
        rich_help_panel=READING,
    ),
]
StepDivisor = Annotated[
    float | None,
    typer.Option(
        "--step-divisor",
        metavar="N",
        help="What an update adds to the step column, if that counts tokens or samples.",
        rich_help_panel=READING,
    ),
]
PeakOf = Annotated[
    float | None,
    typer.Option(
        "--peak",
        metavar="LR",
        help="Largest rate, for logs that have multiples of it.",
        rich_help_panel=READING,
    ),
]
DropNan = Annotated[
    bool,
    typer.Option(
        "--drop-nan", help="Leave out losses written as nan or inf.", rich_help_panel=READING
    ),
]


def read(
    files: Files,
    *,
    warmup: Warmup = None,
    lr_is: LrIs = None,
    loss_is: LossIs = None,
    weight_decay: WeightDecay = None,
    batch: Batch = None,
    model_size: ModelSize = None,
    optimizer: Optimizer = None,
    schedule: ScheduleOf = None,
    peak: PeakOf = None,
    loss_column: LossColumn = None,
    lr_column: LrColumn = None,
    step_column: StepColumn = None,
    steps_per_epoch: StepsPerEpoch = None,
    step_divisor: StepDivisor = None,
    drop_nan: DropNan = False,
) -> "list[LossCurve]":
    """The curves of the files that a command was given; a bar shows how many of them are read."""
    return _read(
        files,
        None,
        warmup=warmup,
        lr_is=lr_is,
        loss_is=loss_is,
        weight_decay=weight_decay,
        batch=batch,
        model_size=model_size,
        optimizer=optimizer,
        schedule=schedule,
        peak=peak,
        loss_column=loss_column,
        lr_column=lr_column,
        step_column=step_column,
        steps_per_epoch=steps_per_epoch,
        step_divisor=step_divisor,
        drop_nan=drop_nan,
    )


def read_usable(
    files: list[str], reading: dict[str, Any]
) -> "tuple[list[LossCurve], dict[str, str]]":
    """The curves of the logs that can be read, and why the others cannot."""
    left_out: dict[str, str] = {}
    return _read(files, left_out, **reading), left_out


def read_losses(files: list[str], reading: dict[str, Any]) -> "list[LossCurve]":
    """The curves of logs with rates or without, of which only the losses are looked at."""
    return _read(files, None, without_rates=True, **reading)


def _read(
    files: list[str], left_out: dict[str, str] | None, *, drop_nan: bool, **reading: Any
) -> "list[LossCurve]":
    from losslaw.curves import read_curves

    with counter("reading logs", least=MANY_PARTS) as show:
        return read_curves(
            files,
            **reading,
            on_nan="drop" if drop_nan else "error",
            progress=lambda done, total: show(completed=done, total=total),
            left_out=left_out,
        )


def with_curves(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command that takes ``curves`` the files and options by which curves are read.

    The command line sees the parameters of `read` in the place of ``curves``: files first, and the
    options after the command's own.
    """
    own, reading = inspect.signature(command).parameters, inspect.signature(read).parameters
    shown: list[inspect.Parameter] = []
    for parameter in own.values():
        shown.append(reading["files"] if parameter.name == "curves" else parameter)
    shown += [parameter for name, parameter in reading.items() if name != "files"]
    shown = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in shown]

    @wraps(command)
    def run(**arguments: Any) -> None:
        given = {name: arguments.pop(name) for name in reading}
        command(curves=read(**given), **arguments)

    run.__signature__ = inspect.Signature(shown)  # pyright: ignore[reportAttributeAccessIssue]
    run.__annotations__ = {each.name: each.annotation for each in shown}
    return run


def add(app: typer.Typer, name: str, command: Callable[..., None]) -> None:
    """Add a command about runs, which may be very long if that is confirmed."""
    named = inspect.Parameter.KEYWORD_ONLY
    own = [each.replace(kind=named) for each in inspect.signature(command).parameters.values()]
    shown = [*own, inspect.Parameter("allow_long", named, default=False, annotation=AllowLong)]

    @wraps(command)
    def run(*, allow_long: bool, **arguments: Any) -> None:
        if not allow_long:
            return command(**arguments)
        from losslaw.numerics import horizon

        with horizon.allow_long():
            command(**arguments)

    run.__signature__ = inspect.Signature(shown)  # pyright: ignore[reportAttributeAccessIssue]
    run.__annotations__ = {each.name: each.annotation for each in shown}
    app.command(name, cls=Command)(run)


def with_reading(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command that takes ``reading`` the options by which logs are read, but its own.

    Unlike `with_curves`, nothing is read yet: a log that grows is read again and again, and earlier
    runs are read like the others.
    """
    own, reading = inspect.signature(command).parameters, inspect.signature(read).parameters
    names = [name for name in reading if name != "files" and name not in own]
    shown = [parameter for name, parameter in own.items() if name != "reading"]
    shown += [reading[name] for name in names]
    shown = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in shown]

    @wraps(command)
    def run(**arguments: Any) -> None:
        given = {name: arguments.pop(name) for name in names}
        command(reading=given, **arguments)

    run.__signature__ = inspect.Signature(shown)  # pyright: ignore[reportAttributeAccessIssue]
    run.__annotations__ = {each.name: each.annotation for each in shown}
    return run


def warnings_of(curves: "list[LossCurve]") -> list[str]:
    """What readers warn of, once each."""
    return [f"warning: {text}" for text in dict.fromkeys(s for c in curves for s in c.warnings)]


def fit_from(path: str, *, new_data: bool = False) -> "Fit":
    """The saved fit at a path, for questions about the data that were fitted or about others."""
    from losslaw.fitting import load_fit

    fit = load_fit(path)
    return fit.for_new_data() if new_data else fit


def schedule_from(text: str) -> "Schedule":
    """The schedule that a command-line text names: SPEC, ``file:PATH``, a path, or ``-``."""
    from pathlib import Path

    from losslaw.schedules import parse_schedule, read_schedule

    if text == "-" or (text.strip() and ":" not in text and Path(text).exists()):
        return read_schedule(text)
    return parse_schedule(text)


def words(given: dict[str, Any]) -> list[str]:
    """Options as a command line has them; those without a value are left out.

    >>> words({"warmup": 100.0, "drop_nan": True, "batch": None})
    ['--warmup', '100', '--drop-nan']
    """
    out: list[str] = []
    for name, value in given.items():
        if value is not None and value is not False:
            option = f"--{name.replace('_', '-')}"
            text = f"{value:.12g}" if isinstance(value, float) else str(value)
            out += [option] if value is True else [option, text]
    return out


def names(text: str) -> list[str]:
    """The parts of a list with commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def numbers(text: str, option: str, expected: str, *, whole: bool = False) -> list[float]:
    """The numbers above 0 in a list with commas.

    Args:
        text: What was given.
        option: For which option.
        expected: What it takes, with an example, for messages.
        whole: Whether the numbers are whole.

    Raises:
        InputError: something else, or nothing.
    """
    from losslaw.errors import InputError

    values: list[float] = []
    for part in names(text) or [text]:
        try:
            value = float(expanded(part))
        except ValueError:
            value = 0.0
        if not 0 < value < float("inf") or (whole and not value.is_integer()):
            raise InputError(f"{option} {part!r}: expected {expected}")
        values.append(value)
    return values


def cooldown(text: str, curves: "list[LossCurve]") -> float:
    """The length that ``--over`` gives; where a percentage seems to be meant, that is said."""
    over = length(text, "--over")
    updates = max((int(curve.steps[-1]) for curve in curves), default=0)
    if isinstance(over, int) and 0 < over <= 100 and over < IMPLAUSIBLE * updates:
        aside(f"--over {over} is {over} of {updates:,} updates; a share of them is --over {over}%")
    return over


def length(text: str, option: str) -> float:
    """Updates, a whole number; or a share, a number with a point or a percentage.

    Raises:
        InputError: something else.
    """
    from losslaw.errors import InputError

    try:
        number = expanded(text)
        return float(number) if text.endswith("%") or set(number) & set(".eE") else int(number)
    except (ValueError, OverflowError):
        raise InputError(
            f"{option} {text!r}: expected updates, as 2000, or a share of the updates, as 0.2 or"
            " 20%"
        ) from None
