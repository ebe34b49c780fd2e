"""A sweep file: every combination of what its lists hold.

    [problem]
    source = [0.5, 1.0]               # or difficulty, source times capacity
    capacity = 4.0
    modes = [1000, inf]               # the default is inf
    noise = 1.0
    ambient = inf                     # all features there are; the default is inf
    # spectrum = "eigenvalues.csv"    # measured, in place of source and capacity

    [run]
    schedule = "cosine:peak={peak},horizon={horizon}"
    relative = false                  # true: rates are fractions of the largest stable one
    method = "quadrature"             # or exact, sde, volterra, fsl; integrator: any horizon
    batch = [1, 8]                    # the default is what the schedule says, or 1
    momentum = [0, 0.9]               # heavy ball's, or with nesterov = true Nesterov's
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
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, cast

import msgspec
from msgspec import Meta

from losslaw.errors import InputError
from losslaw.files.checked import Finite, convert
from losslaw.files.tables import read_text
from losslaw.kernel.measured import read_spectrum
from losslaw.kernel.methods import MOVED
from losslaw.kernel.problem import Distribution, Features
from losslaw.kernel.simulate.draws import check_runs
from losslaw.kernel.sweeps.kernel_job import KernelJob, NamedSpectrum, SweepMethod
from losslaw.kernel.theory import source_at
from losslaw.schedules import format_schedule, parse_long_schedule, parse_schedule

# Parts of a dotted key, far more than any has.
DEEP = 50

MOST_JOBS = 10**6
NAME = re.compile(r"\{([^{}]*)\}")

T = TypeVar("T")
Several = T | Annotated[list[T], Meta(min_length=1, description="a list of at least one")]
Modes = Annotated[float | Literal["inf"], Meta(description="a whole number or inf")]
# 1e3 is a float to TOML, and a whole number to who writes it.
Whole = Annotated[
    Annotated[int, Meta(ge=0)] | Annotated[float, Meta(ge=0, multiple_of=1)],
    Meta(description="a whole number of at least 0"),
]
Value = Annotated[int | Finite | str, Meta(description="a number or a text")]


class ProblemSection(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What a kernel problem is; the order of the fields is that of the loops."""

    source: Several[Finite] | None = None
    capacity: Several[Finite] | None = None
    modes: Several[Modes] = math.inf
    noise: Several[Finite] = 1.0
    features: Several[Features] = "top"
    distribution: Several[Distribution] = "gaussian"
    ambient: Several[Modes] = math.inf
    spectrum: Several[str] | None = None
    tolerance: Finite = 1e-12
    difficulty: Several[Finite] | None = None


class RunSection(msgspec.Struct, forbid_unknown_fields=True):
    """What is run on it."""

    schedule: Several[str]
    batch: Several[Finite] | None = None
    runs: Several[Whole] = 0
    seed: Several[Whole] = 0
    relative: bool = False
    method: Several[SweepMethod] = "quadrature"
    momentum: Several[Finite] | None = None
    nesterov: bool = False


class SweepFile(msgspec.Struct, forbid_unknown_fields=True):
    """A sweep file as it is written."""

    problem: Annotated[ProblemSection, Meta(description="a section [problem]")]
    run: Annotated[RunSection, Meta(description="a section [run]")]
    values: Annotated[dict[str, Several[Value]], Meta(description="a section [values]")] = {}


def read_sweep(path: str | Path) -> list[KernelJob]:
    """The jobs of a sweep file (TOML), or of standard input for ``-``.

    Raises:
        InputError: the file cannot be read, is not TOML, has unknown or missing keys, values of the
            wrong type, empty lists, or a combination that makes no sense; the line says where.
    """
    source = "standard input" if str(path) == "-" else str(path)
    text = read_text(path)
    # A key of n parts takes memory as n^2 to read; here keys have two.
    for line in text.splitlines():
        key = line.partition("=")[0]
        if key.count(".") > DEEP and "," not in key:
            raise InputError(f"{source}: a key has more than {DEEP} parts, expected at most two")
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{source}: not TOML: {error}") from None
    except RecursionError:
        raise InputError(
            f"{source}: brackets are too deep in one another, expected values, or lists of values"
        ) from None
    return jobs_of(document, source)


def jobs_of(document: dict[str, Any], source: str = "sweep") -> list[KernelJob]:
    """The jobs of a sweep file that was read.

    Args:
        document: Its sections.
        source: What it is, for messages.

    Raises:
        InputError: as `read_sweep`.

    >>> jobs = jobs_of({
    ...     "problem": {"source": [0.5, 1], "capacity": 2.0, "modes": 10},
    ...     "run": {"schedule": "constant:peak={peak},horizon=9"},
    ...     "values": {"peak": [0.1, 0.2]}})
    >>> [(job.source, job.schedule) for job in jobs][:2]
    [(0.5, 'constant:peak=0.1,horizon=9'), (0.5, 'constant:peak=0.2,horizon=9')]
    """
    written = convert(document, SweepFile, source)
    try:
        return _jobs(written)
    except InputError as error:
        raise InputError(f"{source}: {error}") from None


def _jobs(written: SweepFile) -> list[KernelJob]:
    """Every combination, checked."""
    lists: dict[str, list[Any]] = {
        name: _list(value)
        for section in (written.problem, written.run)
        for name, value in msgspec.structs.asdict(section).items()
    }
    for name in ("runs", "seed"):
        lists[name] = [int(number) for number in lists[name]]
    for name in ("modes", "ambient"):
        lists[name] = [math.inf if number == "inf" else number for number in lists[name]]
    difficult = _law(lists)
    lists["schedule"] = _schedules(lists["schedule"], written.values, set(lists["method"]))
    count = math.prod(map(len, lists.values()))
    if count > MOST_JOBS:
        raise InputError(f"{count} jobs, expected at most {MOST_JOBS}: split the sweep")
    jobs = [
        KernelJob(**dict(zip(lists, combination, strict=True)))
        for combination in itertools.product(*lists.values())
    ]
    if difficult:
        jobs = [
            replace(job, source=source_at(job.source or 0.0, job.capacity or 0.0)) for job in jobs
        ]
    for job in jobs:
        _check(job)
    return list(dict.fromkeys(jobs))


def _law(lists: dict[str, list[Any]]) -> bool:
    """Settle where the law of a problem comes from; whether its sources are difficulties."""
    difficulties, (tolerance,) = lists.pop("difficulty"), lists.pop("tolerance")
    given = {
        "source": lists["source"],
        "difficulty": difficulties,
        "capacity": lists["capacity"],
        "spectrum": lists["spectrum"],
    }
    given = {name for name, values in given.items() if values != [None]}
    if "spectrum" in given:
        if others := given - {"spectrum"}:
            raise InputError(f"problem has spectrum, which takes the place of {min(others)}")
        if lists["ambient"] != [math.inf]:
            raise InputError("problem has ambient, but a spectrum says itself how long it is")
        lists["spectrum"] = [
            NamedSpectrum(name, read_spectrum(name, tolerance)) for name in lists["spectrum"]
        ]
        return False
    if "capacity" not in given:
        raise InputError("problem.capacity is missing, or spectrum in its place")
    if given >= {"source", "difficulty"}:
        raise InputError("problem has source and difficulty, which is source times capacity")
    if not given & {"source", "difficulty"}:
        raise InputError("problem.source is missing, or difficulty in its place")
    if "difficulty" in given:
        lists["source"] = difficulties
    return "difficulty" in given


def _list(value: Any) -> list[Any]:
    """The value, or the values without repetitions."""
    return list(dict.fromkeys(cast(list[Any], value))) if isinstance(value, list) else [value]


def _schedules(templates: list[str], values: dict[str, Any], methods: set[str]) -> list[str]:
    """Schedules with every combination of the values that each of them names."""
    used: set[str] = set()
    texts: list[str] = []
    for template in templates:
        names = list(dict.fromkeys(NAME.findall(template)))
        for name in names:
            if name not in values:
                raise InputError(f"schedule {template!r}: [values] has no {name!r}")
        used.update(names)
        for combination in itertools.product(*(_list(values[name]) for name in names)):
            chosen = dict(zip(names, combination, strict=True))
            text = NAME.sub(lambda match: str(chosen[match[1]]), template)  # noqa: B023
            texts.append(_standalone(text, methods))
    for name in values:
        if name not in used:
            raise InputError(f"[values] {name}: no schedule has {{{name}}}")
    return list(dict.fromkeys(texts))


def _standalone(text: str, methods: set[str]) -> str:
    """The text of a schedule that says everything: a worker elsewhere has no file to read."""
    try:
        if "integrator" in methods:
            parse_long_schedule(text)
            if len(methods) == 1:
                return text.strip()
        schedule = parse_schedule(text)
        if text.strip().startswith("file:") or ":" not in text:
            return format_schedule(schedule.with_(spec=None))
    except InputError as error:
        raise InputError(f"[run] schedule {text!r}: {error}") from None
    return text.strip()


def _check(job: KernelJob) -> None:
    world = job.problem()
    if job.momentum is None:
        if job.nesterov:
            raise InputError("[run] nesterov without momentum: set momentum, 0.9 say")
    elif job.method not in MOVED:
        raise InputError(f"[run] method {job.method} knows no momentum: {', '.join(MOVED)} do")
    elif not 0 <= job.momentum < 1:
        raise InputError(f"[run] momentum is {job.momentum:g}, expected from 0 to below 1")
    if job.batch is not None and not (math.isfinite(job.batch) and job.batch > 0):
        raise InputError(f"[run] batch is {job.batch:g}, expected above 0")
    if job.runs:
        check_runs(job.runs)
        if job.method == "integrator":
            raise InputError(
                f"[run] runs is {job.runs}, and sampled runs have no integrator: leave one out"
            )
        if math.isinf(world.modes):
            raise InputError(
                f"[run] runs is {job.runs}, and sampled runs need finite modes: set [problem] modes"
            )
        if job.batch is not None and not job.batch.is_integer():
            raise InputError(
                f"[run] batch is {job.batch:g}, and sampled runs need whole numbers of samples"
            )
