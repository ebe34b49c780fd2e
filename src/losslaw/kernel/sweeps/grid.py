"""A sweep file: every combination of what its lists hold.

    [problem]
    source = [0.5, 1.0]
    capacity = 4.0
    modes = [1000, inf]               # the default is inf
    noise = 1.0

    [run]
    schedule = "cosine:peak={peak},horizon={horizon}"
    batch = [1, 8]                    # the default is what the schedule says, or 1
    runs = 100                        # sampled runs beside the exact mean; the default is 0
    seed = 0

    [values]                          # names in braces in the schedules
    peak = [0.1, 0.3]
    horizon = [1000, 10000]

A value stands for a list of one. The order of the jobs is that of nested loops, the last key
running fastest. Whatever can be seen to be wrong without running a job is an error here.
"""

import itertools
import math
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from losslaw.errors import InputError
from losslaw.files.tables import read_text
from losslaw.kernel.sweeps.kernel import KernelJob
from losslaw.schedules import format_schedule, parse_schedule

MOST_JOBS = 10**6
NAME = re.compile(r"\{([^{}]*)\}")


def read_sweep(path: str | Path) -> list[KernelJob]:
    """The jobs of a sweep file (TOML), or of standard input for ``-``.

    Raises:
        InputError: the file cannot be read, is not TOML, has unknown or missing keys, values of the
            wrong type, empty lists, or a combination that makes no sense; the line says where.
    """
    source = "standard input" if str(path) == "-" else str(path)
    try:
        document = tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{source}: not TOML: {error}") from None
    try:
        return jobs_of(document)
    except InputError as error:
        raise InputError(f"{source}: {error}") from None


def jobs_of(document: Mapping[str, Any]) -> list[KernelJob]:
    """The jobs of a sweep file that was read.

    Raises:
        InputError: as `read_sweep`.

    >>> jobs = jobs_of({
    ...     "problem": {"source": [0.5, 1], "capacity": 2.0, "modes": 10},
    ...     "run": {"schedule": "constant:peak={peak},horizon=9"},
    ...     "values": {"peak": [0.1, 0.2]}})
    >>> [(job.source, job.schedule) for job in jobs][:2]
    [(0.5, 'constant:peak=0.1,horizon=9'), (0.5, 'constant:peak=0.2,horizon=9')]
    """
    known = {"problem", "run", "values"}
    for name, section in document.items():
        if name not in known:
            raise InputError(f"unknown section [{name}], expected [problem], [run] and [values]")
        if not isinstance(section, dict):
            raise InputError(f"{name} is {section!r}, expected a section [{name}]")
    problem = _lists("problem", document, PROBLEM)
    run = _lists("run", document, RUN)
    for section, lists, needed in (
        ("problem", problem, ("source", "capacity")),
        ("run", run, ("schedule",)),
    ):
        for key in needed:
            if key not in lists:
                raise InputError(f"[{section}] has no {key}: expected a value or a list of them")
    run["schedule"] = _schedules(run["schedule"], document.get("values", {}))
    lists = problem | run
    count = math.prod(map(len, lists.values()))
    if count > MOST_JOBS:
        raise InputError(f"{count} jobs, expected at most {MOST_JOBS}: split the sweep")
    jobs = [
        KernelJob(**dict(zip(lists, combination, strict=True)))
        for combination in itertools.product(*lists.values())
    ]
    for job in jobs:
        _check(job)
    return list(dict.fromkeys(jobs))


# -- values ---------------------------------------------------------------------------------------


def _number(value: Any) -> float | None:
    good = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if good and not math.isnan(value) else None


def _modes(value: Any) -> float | None:
    return math.inf if value == "inf" else _number(value)


def _whole(value: Any) -> int | None:
    number = _number(value)
    good = number is not None and number.is_integer() and number >= 0
    return int(value) if good else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


Reader = tuple[Callable[[Any], Any], str]
NUMBER: Reader = (_number, "a number")
WHOLE: Reader = (_whole, "a whole number, 0 or above")
TEXT: Reader = (_text, "a text")
# Key to how its values are read; the order is that of the loops.
PROBLEM: dict[str, Reader] = {
    "source": NUMBER,
    "capacity": NUMBER,
    "modes": (_modes, "a whole number or inf"),
    "noise": NUMBER,
    "features": TEXT,
    "distribution": TEXT,
}
RUN: dict[str, Reader] = {"schedule": TEXT, "batch": NUMBER, "runs": WHOLE, "seed": WHOLE}


def _lists(
    section: str, document: Mapping[str, Any], readers: Mapping[str, Reader]
) -> dict[str, list[Any]]:
    given = cast(Mapping[str, Any], document.get(section, {}))
    for key in given:
        if key not in readers:
            raise InputError(
                f"[{section}] {key}: unknown key, expected one of: {', '.join(readers)}"
            )
    return {
        key: _list(f"[{section}] {key}", given[key], reader)
        for key, reader in readers.items()
        if key in given
    }


def _list(where: str, value: Any, reader: Reader) -> list[Any]:
    read, expected = reader
    values = cast(list[Any], value) if isinstance(value, list) else [value]
    if not values:
        raise InputError(f"{where} is an empty list, expected at least one value")
    out = [read(item) for item in values]
    if None in out:
        bad = values[out.index(None)]
        raise InputError(f"{where} is {bad!r}, expected {expected} or a list of them")
    return list(dict.fromkeys(out))


def _schedules(templates: list[str], values: Mapping[str, Any]) -> list[str]:
    """Schedules with every combination of the values that each of them names."""
    lists = {
        name: _list(
            f"[values] {name}",
            value,
            (lambda item: item if _plain(item) else None, "a number or a text"),
        )
        for name, value in values.items()
    }
    used: set[str] = set()
    out: list[str] = []
    for template in templates:
        names = list(dict.fromkeys(NAME.findall(template)))
        for name in names:
            if name not in lists:
                raise InputError(f"schedule {template!r}: [values] has no {name!r}")
        used.update(names)
        for combination in itertools.product(*(lists[name] for name in names)):
            chosen = dict(zip(names, combination, strict=True))
            text = NAME.sub(lambda match: str(chosen[match[1]]), template)  # noqa: B023
            out.append(_standalone(text))
    for name in lists:
        if name not in used:
            raise InputError(f"[values] {name}: no schedule has {{{name}}}")
    return list(dict.fromkeys(out))


def _plain(value: Any) -> bool:
    return isinstance(value, int | float | str) and not isinstance(value, bool)


def _standalone(text: str) -> str:
    """The text of a schedule that says everything: a worker elsewhere has no file to read."""
    try:
        schedule = parse_schedule(text)
        if text.strip().startswith("file:") or ":" not in text:
            return format_schedule(schedule.with_(spec=None))
    except InputError as error:
        raise InputError(f"[run] schedule {text!r}: {error}") from None
    return text.strip()


def _check(job: KernelJob) -> None:
    job.problem()
    if job.batch is not None and not (math.isfinite(job.batch) and job.batch > 0):
        raise InputError(f"[run] batch is {job.batch:g}, expected above 0")
    if job.runs:
        if math.isinf(job.modes):
            raise InputError(
                f"[run] runs is {job.runs}, and sampled runs need finite modes: set [problem] modes"
            )
        if job.batch is not None and not job.batch.is_integer():
            raise InputError(
                f"[run] batch is {job.batch:g}, and sampled runs need whole numbers of samples"
            )
