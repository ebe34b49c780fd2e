"""One JSON file for a fit, versioned, and checked field by field when it is read back.

Schedules are kept as knots between straight pieces, which is exact for schedules read from logs
and to a millionth of the peak for others. A file is data: nothing in it is ever executed.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, cast, overload

import numpy as np
from msgspec import Meta

from losslaw.curves.curve import ASSUMED, NATS
from losslaw.errors import InputError
from losslaw.files.checked import Finite, NotNegative, Positive, convert, decode_json
from losslaw.files.tables import read_text
from losslaw.fitting.prediction import FittedCurve
from losslaw.fitting.uncertainty import Uncertainty
from losslaw.laws import Law
from losslaw.numerics.arrays import FloatArray
from losslaw.numerics.horizon import LONGEST_ALLOWED, check_horizon
from losslaw.numerics.magnitudes import MODEL_SIZE
from losslaw.schedules import Schedule, knots

T = TypeVar("T")

FORMAT = "losslaw.fit"
VERSION = 1
WAY_OUT = "fit again and save with 'losslaw fit ... -o fit.json'"

# Nats: a larger error, or level of the loss, is damage.
Error = Annotated[float, Meta(ge=0, lt=1e6)]
Level = Annotated[float, Meta(gt=0, lt=1e6)]
Size = Annotated[float, Meta(ge=MODEL_SIZE.low, le=MODEL_SIZE.high)]
Count = Annotated[int, Meta(ge=0, le=2**53)]
Update = Annotated[int, Meta(ge=1, le=LONGEST_ALLOWED)]


@dataclass(frozen=True, kw_only=True)
class SavedKnots:
    """A batch size or weight decay that changes along the run."""

    step: Annotated[list[Update], Meta(min_length=1)]
    value: list[Finite]

    def __post_init__(self) -> None:
        _check_knots(self.step, self.value)


@dataclass(frozen=True, kw_only=True)
class SavedSchedule:
    """A schedule by its corners."""

    step: Annotated[list[Update], Meta(min_length=1)]
    lr: list[NotNegative]
    warmup: Count
    weight_decay: Finite | SavedKnots | None = None
    batch: Finite | SavedKnots | None = None

    def __post_init__(self) -> None:
        _check_knots(self.step, self.lr)
        if self.step[0] != 1:
            raise InputError(f"the first knot is at update {self.step[0]}, expected 1")


@dataclass(frozen=True, kw_only=True)
class SavedCurve:
    """What a fit remembers of a curve."""

    label: str
    points: Count
    first_step: Count
    last_step: Count
    rmse: Finite
    final_error: Finite
    model_size: Size | None = None
    left_out: tuple[tuple[Count, Count], ...] = ()
    averaged: Count = 0
    unit: str = ASSUMED
    schedule: SavedSchedule


@dataclass(frozen=True, kw_only=True)
class SavedUncertainty:
    """What intervals are made of."""

    names: tuple[str, ...]
    covariance: list[list[Finite]]
    tau: Error
    peak_error: Error
    peaks: Annotated[tuple[Positive, ...], Meta(min_length=1)]
    misfit: Error
    farthest: Positive
    unknown: tuple[str, ...]
    noise: Error = 0.0
    size_error: Error = 0.0

    def __post_init__(self) -> None:
        count = len(self.names)
        if len(self.covariance) != count or any(len(row) != count for row in self.covariance):
            raise InputError(f"covariance is not {count} x {count}, as 'names' asks for")
        if any(row[i] < 0 for i, row in enumerate(self.covariance)):
            raise InputError("covariance has a negative variance")


@dataclass(frozen=True, kw_only=True)
class SavedSize:
    """The law of one of several model sizes."""

    model_size: Size
    parameters: dict[str, Finite]
    uncertainty: SavedUncertainty | None = None


@dataclass(frozen=True, kw_only=True)
class SavedMember:
    """One law of a mixture."""

    name: str
    prior: Annotated[float, Meta(gt=0, le=1)]
    by_peak: Error
    adamw: bool
    law: str
    parameters: dict[str, Finite]
    settings: dict[str, bool]
    free: tuple[str, ...]
    recipe: str
    uncertainty: SavedUncertainty
    sizes: tuple[SavedSize, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SavedTest:
    """How the laws of a mixture foretold a part of the logs."""

    what: str
    gain: NotNegative
    distance: NotNegative = 0.0
    squares: tuple[NotNegative | None, ...]
    surprises: tuple[NotNegative | None, ...]


@dataclass(frozen=True, kw_only=True)
class SavedGround:
    """Where the fitted runs stand."""

    runs: Annotated[int, Meta(ge=1, le=2**53)]
    level: Level
    peaks: Annotated[tuple[Positive, ...], Meta(min_length=1)]
    updates: Count
    farthest: Positive
    farthest_decay: NotNegative
    warmup_known: bool
    optimizer: Literal["adamw", "other"] | None = None
    decayed: tuple[Positive, ...] = ()
    losses: Annotated[int, Meta(ge=0, le=2**53)] = 0
    unit: str = NATS


@dataclass(frozen=True, kw_only=True)
class SavedMixture:
    """Laws that answer together."""

    members: Annotated[list[SavedMember], Meta(min_length=1)]
    tests: list[SavedTest]
    ground: SavedGround
    noise: Error
    other_data: bool = False
    missed: str = ""

    def __post_init__(self) -> None:
        count = len(self.members)
        for member in self.members:
            if any(size.uncertainty is None for size in member.sizes):
                raise InputError(f"members: a size of {member.name!r} has no uncertainty")
            if [each.model_size for each in member.sizes] != [
                each.model_size for each in self.members[0].sizes
            ]:
                raise InputError("members are not of the same model sizes")
        for i, test in enumerate(self.tests):
            if len(test.squares) != count or len(test.surprises) != count:
                raise InputError(f"tests[{i}] is not of {count} laws, as 'members' asks for")


@dataclass(frozen=True, kw_only=True)
class SavedFit:
    """The whole file, in its order; what has the type ``Any`` is for readers, and not read."""

    format: str = FORMAT
    version: int = VERSION
    law: str
    parameters: dict[str, Finite]
    settings: dict[str, bool]
    free: tuple[str, ...]
    objective: Finite
    status: Any = None
    converged: bool
    doubts: tuple[str, ...]
    misfit: str = ""
    notes: tuple[str, ...]
    skip: Count
    errors: Any = None
    curves: Annotated[list[SavedCurve], Meta(min_length=1)]
    choice: Any = None
    recipe: str = ""
    uncertainty: SavedUncertainty | None = None
    sizes: tuple[SavedSize, ...] = ()
    mixture: SavedMixture | None = None
    trust: Any = None


def read_saved(path: str | Path, restored: Callable[[SavedFit], T]) -> T:
    """What ``restored`` makes of a file that a fit was written to; ``-`` is standard input.

    Raises:
        InputError: missing, damaged, of another kind, or from a newer version.
    """
    source = "standard input" if str(path) == "-" else str(path)
    data = decode_json(read_text(path), object, source, WAY_OUT)
    if not isinstance(data, dict) or cast(dict[str, Any], data).get("format") != FORMAT:
        raise InputError(f"{source}: not a saved fit (no 'format': '{FORMAT}')")
    where = f"{source}: damaged"
    version = convert(cast(object, data), _Version, where, WAY_OUT).version
    if version > VERSION:
        raise InputError(
            f"{source}: written by a newer losslaw (format version {version}, this one reads"
            f" {VERSION}): upgrade losslaw"
        )
    saved = convert(cast(object, data), SavedFit, where, WAY_OUT)
    try:
        return restored(saved)
    except InputError as error:
        raise InputError(f"{where}: {error}; {WAY_OUT}") from None


@dataclass(frozen=True, kw_only=True)
class _Version:
    version: Annotated[int, Meta(ge=1)]


# What is written.


@overload
def saved_uncertainty(uncertainty: Uncertainty) -> SavedUncertainty: ...
@overload
def saved_uncertainty(uncertainty: Uncertainty | None) -> SavedUncertainty | None: ...
def saved_uncertainty(uncertainty: Uncertainty | None) -> SavedUncertainty | None:
    """What intervals are made of, as it is written."""
    if uncertainty is None:
        return None
    return SavedUncertainty(**_fields(uncertainty, covariance=uncertainty.covariance.tolist()))


def saved_curve(curve: FittedCurve) -> SavedCurve:
    """What a fit remembers of a curve, as it is written: the schedule by its corners."""
    schedule = curve.schedule
    at = knots(schedule.lr)
    saved = SavedSchedule(
        step=at.tolist(),
        lr=schedule.lr[at - 1].tolist(),
        warmup=schedule.warmup,
        weight_decay=_saved_along(schedule.weight_decay),
        batch=_saved_along(schedule.batch),
    )
    return SavedCurve(**_fields(curve, schedule=saved))


def _saved_along(values: FloatArray | None) -> float | SavedKnots | None:
    """A batch size or weight decay: one number, or knots if it changes along the run."""
    if values is None:
        return None
    if (values == values[0]).all():
        return float(values[0])
    at = knots(values)
    return SavedKnots(step=at.tolist(), value=values[at - 1].tolist())


# What is read.


def law_of(parameters: dict[str, float], settings: dict[str, bool], law: type[Law]) -> Law:
    """The law with its parameters, if they are all there and in range."""
    parameters = law.accepted(parameters)
    _check_names("parameters", parameters, [*law.shapes(), *law.amplitudes()], every=True)
    _check_names("settings", settings, law.settings(), every=True)
    for name, spec in law.shapes().items():
        if not spec.holds(parameters[name]):
            raise InputError(
                f"parameters.{name} is {parameters[name]:g}, expected a number in"
                f" {spec.low:g}..{spec.high:g}"
            )
    return law(**parameters, **settings)


def read_uncertainty(
    part: SavedFit | SavedSize | SavedMember, law: type[Law]
) -> Uncertainty | None:
    """The inverse of `saved_uncertainty`."""
    saved = part.uncertainty
    if saved is None:
        return None
    retired = set(part.parameters) - set(law.accepted(part.parameters))
    unknown = tuple(name for name in saved.unknown if name not in retired)
    _check_names("uncertainty.names", saved.names, [*law.shapes(), *law.amplitudes()])
    _check_names("uncertainty.unknown", unknown, law.amplitudes())
    covariance = np.array(saved.covariance, dtype=np.float64).reshape(len(saved.names), -1)
    return Uncertainty(**_fields(saved, covariance=covariance, unknown=unknown))


def _check_names(
    where: str, names: Collection[str], known: Collection[str], *, every: bool = False
) -> None:
    """That all names are known, and, for ``every``, that all known ones are there."""
    strangers = [name for name in names if name not in known]
    if strangers:
        raise InputError(f"{where} has {strangers[0]!r}, expected {', '.join(known) or 'none'}")
    missing = [name for name in known if every and name not in names]
    if missing:
        raise InputError(f"{where}.{missing[0]} is missing")


def read_curve(saved: SavedCurve, i: int) -> FittedCurve:
    """The inverse of `saved_curve`, for the curve in place ``i``."""
    part = saved.schedule
    n = part.step[-1]
    try:
        check_horizon(n)
        schedule = Schedule(
            np.interp(np.arange(1, n + 1), part.step, part.lr),
            _along(part.batch, n),
            _along(part.weight_decay, n),
            part.warmup,
        )
    except InputError as error:
        raise InputError(f"curves[{i}].schedule: {error}") from None
    return FittedCurve(**_fields(saved, schedule=schedule))


def _along(saved: float | SavedKnots | None, n: int) -> FloatArray | float | None:
    """The inverse of `_saved_along`, for ``n`` updates."""
    if not isinstance(saved, SavedKnots):
        return saved
    return np.interp(np.arange(1, n + 1), saved.step, saved.value)


def _fields(record: object, **other: object) -> dict[str, Any]:
    """The fields of a record, some of them in another form."""
    return vars(record) | other


def _check_knots(step: list[int], values: list[float]) -> None:
    if len(step) != len(values):
        raise InputError(f"{len(step)} steps and {len(values)} values, expected as many")
    if any(second <= first for first, second in pairwise(step)):
        raise InputError("step does not increase, expected knots from update 1 upward")
