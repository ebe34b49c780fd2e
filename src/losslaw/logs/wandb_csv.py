"""Tables that W&B exports: the history of a run, and what a panel shows of several.

The history (``run.history().to_csv``, or the API's scan) has a column ``_step`` beside those of
the trainer. A panel ("Export CSV") has ``Step`` and for each run ``RUN - METRIC`` with its lowest
and highest value, ``__MIN`` and ``__MAX``, which are of no use here. A panel shows one metric, so
the rate of the runs is in a second file: panels that are read together are joined by run and step.
"""

import csv
from collections.abc import Iterable, Sequence

from losslaw.errors import InputError
from losslaw.files import number_in
from losslaw.logs.log import Log
from losslaw.logs.metrics import STEPS, Point, kind_of, log_from_points, log_from_rows
from losslaw.logs.source import Source

HISTORY = "W&B history (CSV)"
PANEL = "W&B panel (CSV)"
RUN = " - "  # between run and metric
RANGES = ("__MIN", "__MAX")


def claims_history(source: Source) -> bool:
    """A first line with the names that every W&B history has."""
    names = _header(source)
    return "_step" in names and len(names) > 1


def read_history(source: Source) -> list[Log]:
    """The one run of a history.

    Raises:
        InputError: no losses in it.
    """
    names, lines, broken = _cells(source)
    kept = [i for i, name in enumerate(names) if kind_of(name) or name.lower() in STEPS]
    rows: list[dict[str, object]] = []
    for cells in lines:
        try:
            rows.append({names[i]: number_in(cells[i]) for i in kept if cells[i]})
        except ValueError:
            broken += 1
    return [log_from_rows(source.name, HISTORY, rows, skipped=[_unreadable(broken)])]


def claims_panel(source: Source) -> bool:
    """A first line with a count and ``RUN - METRIC`` in all other columns."""
    first, *others = _header(source) or [""]
    return bool(others) and RUN not in first and all(RUN in name for name in others)


def read_panel(source: Source) -> list[Log]:
    """The runs of one panel.

    Raises:
        InputError: it is not over steps, or shows no loss.
    """
    return read_panels([source])


def read_panels(sources: Sequence[Source]) -> list[Log]:
    """The runs of several panels, joined by run and step; see `read_panel`."""
    runs: dict[str, list[Point]] = {}
    name = sources[0].name
    broken = 0
    for source in sources:
        names, lines, unreadable = _cells(source)
        broken += unreadable
        if names[0].lower() not in STEPS:
            raise InputError(
                f"{source.name}: a W&B panel over {names[0]!r}, expected one over 'Step';"
                " choose Step as its x-axis and export it again"
            )
        metrics = [
            (i, *name.rsplit(RUN, 1))
            for i, name in enumerate(names)
            if i and not name.endswith(RANGES) and kind_of(name.rsplit(RUN, 1)[-1])
        ]
        for cells in lines:
            try:
                step = number_in(cells[0])
                found = [
                    (run, metric, number_in(cells[i])) for i, run, metric in metrics if cells[i]
                ]
            except ValueError:
                broken += 1
                continue
            if not 0 <= step < 2**53 or step != int(step):
                broken += 1
                continue
            for run, metric, value in found:
                runs.setdefault(run, []).append((metric, int(step), value))
    with_loss = [
        run
        for run, points in runs.items()
        if any(kind_of(metric) in ("train", "validation") for metric, _, _ in points)
    ]
    if not with_loss:
        raise InputError(
            f"{name}: no loss in this W&B panel; give it together with the panel of the loss"
        )
    notes = [f"{len(sources)} panels are joined by run and step"] if len(sources) > 1 else []
    return [
        log_from_points(
            name,
            PANEL,
            runs[run],
            label=run,
            notes=notes,
            skipped=[_unreadable(broken)],
        )
        for run in with_loss
    ]


def _header(source: Source) -> list[str]:
    """Cells of the first line."""
    line = source.start.lstrip().partition("\n")[0]
    if "\0" in line or "," not in line:
        return []
    try:
        return [name.strip() for name in next(csv.reader([line]))]
    except csv.Error:
        return []


def _cells(source: Source) -> tuple[list[str], Iterable[list[str]], int]:
    """Names of the columns, the cells of each line below, and how many lines were left out."""
    lines = [line for line in source.lines if line.strip()]
    names = [name.strip() for name in next(csv.reader(lines[:1]))]
    rows: list[list[str]] = []
    broken = 0
    for line in lines[1:]:
        try:
            cells = [cell.strip() for cell in next(csv.reader([line], strict=True))]
        except csv.Error:
            broken += 1
            continue
        if len(cells) == len(names):
            rows.append(cells)
        else:
            broken += 1
    if rows and len(names) > 1 and not source.text.endswith(("\n", '"', ",")):
        rows[-1][-1] = ""  # the last number has no end: it may be half of one
    return names, rows, broken


def _unreadable(count: int) -> tuple[str, int]:
    return "lines that cannot be read", count
