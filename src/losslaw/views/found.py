"""What a file is, by what stands in it: a log, a schedule, a saved fit, or an answer of a command.

Answers are recognised by the keys of their JSON form, or the columns of their table, whatever the
file is called. What nothing else claims is a log.
"""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from losslaw.errors import InputError
from losslaw.files import read_table, read_text
from losslaw.files.json_text import command_of, parse_json
from losslaw.fitting import load_fit
from losslaw.kernel.sweeps.grid import is_sweep, read_grid
from losslaw.schedules import Schedule, parse_schedule, read_schedule
from losslaw.views.annealed import AnnealedForm, plot_annealed
from losslaw.views.designs import (
    BatchDesignForm,
    DesignForm,
    RatesForm,
    plot_batch_design,
    plot_design,
    plot_gains,
)
from losslaw.views.dots import ContinuedForm, FleetForm, plot_continued, plot_fleet
from losslaw.views.forecasts import ForecastForm
from losslaw.views.forms import Along, read_form
from losslaw.views.kernel import SimulatedForm, plot_evaluation
from losslaw.views.profiles import (
    AdviceForm,
    ProfileForm,
    ProfilesForm,
    plot_advice,
    plot_profile,
)
from losslaw.views.scores import ComparisonForm, ScoresForm, plot_comparison, plot_scores
from losslaw.views.sizes import LadderForm, MergeForecastForm, plot_ladder, plot_merge_forecast

if TYPE_CHECKING:
    from matplotlib.axes import Axes

T = TypeVar("T")
Draw = Callable[[Any, "Axes"], "Axes"]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """An answer of a command: which one, its keys in JSON, its form, what draws it."""

    name: str
    keys: frozenset[str]
    form: type[Any]
    draws: tuple[Draw, ...] = ()


def _kind(name: str, keys: str, form: type[Any], *draws: Draw) -> Kind:
    return Kind(name=name, keys=frozenset(keys.split()), form=form, draws=draws)


KINDS = (
    _kind("forecast", "endings plan step", ForecastForm),
    _kind("design", "gains schedule baselines", DesignForm, plot_design, plot_gains),
    _kind("design-batches", "begins constant schedule", BatchDesignForm, plot_batch_design),
    _kind("annealed", "runs pairs cooldown", AnnealedForm, plot_annealed),
    _kind("profile", "parameter value rise", ProfileForm, plot_profile),
    _kind("profile", "profiles", ProfilesForm),
    _kind("simulate", "step excess irreducible method", SimulatedForm, plot_evaluation),
    _kind("advice", "options goal half_width", AdviceForm, plot_advice),
    _kind("ladder", "rungs before after", LadderForm, plot_ladder),
    _kind("merge", "merges raw weights", MergeForecastForm, plot_merge_forecast),
    _kind("continue", "ways against verdict", ContinuedForm, plot_continued),
    _kind("fleet", "groups cooldown left_out", FleetForm, plot_fleet),
    _kind("scores", "curves mean unseen", ScoresForm, plot_scores),
    _kind("comparison", "laws curves notes", ComparisonForm, plot_comparison),
    _kind("prediction", "step loss lower upper level", Along),
    _kind("run-length", "updates shortest family lr", RatesForm),
)
"""Answers, the more particular ones first."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a file is, and what was read of it.

    Attributes:
        name: The file.
        kind: In a word: log, schedule, fit, or the name of the answer.
        value: The schedule, the fit, the form of the answer; ``None`` for a log, yet to be read.
        draws: What draws an answer that has a picture of its own.
    """

    name: str
    kind: str
    value: Any = None
    draws: tuple[Draw, ...] = ()

    def of(self, kind: type[T]) -> T | None:
        """The value, if it is one of these."""
        return self.value if isinstance(self.value, kind) else None


def found(path: str) -> Found:
    """What a file is.

    Args:
        path: The file; or the text of a schedule, such as ``wsd:peak=...``.

    Raises:
        InputError: it is damaged, in one line.
    """
    if path != "-" and not Path(path).exists() and ":" in path and "*" not in path:
        return Found(name=path, kind="schedule", value=parse_schedule(path))
    if not Path(path).is_file():
        return Found(name=path, kind="log")
    with Path(path).open("rb") as file:
        begin = file.read(4096)
    first = begin.lstrip(b"\xef\xbb\xbf \t\r\n")
    if first.startswith(b"{"):
        return _of_json(path)
    columns = _columns(begin)
    return _of_table(path, columns) if columns else Found(name=path, kind="log")


def _of_json(path: str) -> Found:
    """A fit, or an answer; a log where it is neither."""
    try:
        value = parse_json(read_text(path))
    except ValueError:  # lines of JSON, or damaged: who reads logs will say it
        return Found(name=path, kind="log")
    if not isinstance(value, dict):
        return Found(name=path, kind="log")
    record = cast(dict[str, Any], value)
    if record.get("format") == "losslaw.fit":
        return Found(name=path, kind="fit", value=load_fit(path))
    for kind in KINDS:
        if kind.keys <= record.keys():
            form = read_form(kind.form, record, path)
            if kind.form is RatesForm:
                return Found(name=path, kind="schedule", value=Schedule(form.lr))
            draws = kind.draws
            if isinstance(form, ProfilesForm):  # one picture below the other
                draws = tuple(_of_profile(each) for each in form.profiles)
            return Found(name=path, kind=kind.name, value=form, draws=draws)
    command = command_of(record)
    if command is not None:
        raise InputError(f"{path}: an answer of losslaw {command}, which has no picture")
    return Found(name=path, kind="log")


def _of_profile(form: ProfileForm) -> Draw:
    return lambda _, ax: plot_profile(form, ax)


def _columns(begin: bytes) -> list[str]:
    """The columns of a table with commas, below lines of remarks."""
    lines = begin.decode("utf-8", "replace").lstrip("\ufeff").splitlines()
    head = next((line for line in lines if line.strip() and not line.startswith("#")), "")
    return [each.strip() for each in head.split(",")] if "," in head else []


def _of_table(path: str, columns: list[str]) -> Found:
    names = set(columns)
    if is_sweep(columns):
        return Found(name=path, kind="sweep", value=read_grid(path))
    if {"step", "lr"} <= names <= {"step", "lr", "batch", "weight_decay"}:
        return Found(name=path, kind="schedule", value=read_schedule(path))
    if {"step", "loss", "lower", "upper"} <= names:
        table = read_table(path)
        values = {name: table.numbers(name).tolist() for name in ("loss", "lower", "upper")}
        steps = [int(each) for each in table.numbers("step")]
        form = read_form(Along, {"step": steps, **values}, path)
        return Found(name=path, kind="prediction", value=form)
    rows = _rows(path) if names & {"label", "run"} and "lower" in names else []
    if {"label", "at", "loss", "raw"} <= names and rows:
        form = read_form(AnnealedForm, {"runs": _annealed(rows), "level": None}, path)
        return Found(name=path, kind="annealed", value=form, draws=(plot_annealed,))
    if {"group", "run", "annealed", "verdict"} <= names and rows:
        form = read_form(FleetForm, {"groups": _fleet(rows), "level": None}, path)
        return Found(name=path, kind="fleet", value=form, draws=(plot_fleet,))
    if {"model_size", "ended", "corrected"} <= names and rows:
        form = read_form(LadderForm, {"rungs": rows}, path)
        return Found(name=path, kind="ladder", value=form, draws=(plot_ladder,))
    return Found(name=path, kind="log")


def _rows(path: str) -> list[dict[str, Any]]:
    """The rows of a table of a command; numbers as numbers, nothing as ``None``."""
    rows = csv.DictReader(io.StringIO(read_text(path)))
    return [{name: _cell(name, cell) for name, cell in row.items()} for row in rows]


def _cell(name: str, cell: Any) -> Any:
    if name in ("label", "run", "group", "verdict"):
        return cell
    try:
        return int(cell) if name == "at" else float(cell)
    except (TypeError, ValueError):
        return None


def _annealed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The runs of a table that has the loss along each."""
    runs: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        runs.setdefault(row["label"], []).append(row)
    names = ("at", "loss", "lower", "upper", "raw")
    return [
        {**each[-1], "path": {name: [row[name] for row in each] for name in names}}
        for each in runs.values()
    ]


def _fleet(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The groups of a table of a fleet; what was left out has no loss."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if row["annealed"] is not None:
            run = {**row, "label": row["run"], "loss": row["annealed"]}
            groups.setdefault(row["group"], []).append(run)
    return [{"name": name, "runs": runs} for name, runs in groups.items()]


def only(found: Sequence[Found], kind: type[T], words: str) -> T | None:
    """The one value of a type among what was found.

    Raises:
        InputError: there are several.
    """
    values = [(each.name, value) for each in found if (value := each.of(kind)) is not None]
    if len(values) > 1:
        names = ", ".join(name for name, _ in values[:4])
        raise InputError(f"{len(values)} {words} ({names}), expected one")
    return values[0][1] if values else None
