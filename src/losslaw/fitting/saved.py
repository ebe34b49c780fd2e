"""One JSON file for a fit, versioned, and checked field by field when it is read back.

Schedules are kept as knots between straight pieces, which is exact for schedules read from logs
and to a millionth of the peak for others. A file is data: nothing in it is ever executed.
"""

import json
import math
from pathlib import Path
from typing import Any, cast

import numpy as np

from losslaw.errors import InputError
from losslaw.files import write_text
from losslaw.files.tables import read_text
from losslaw.fitting.fit import Fit, FittedCurve, SizeFit
from losslaw.fitting.status import Status
from losslaw.fitting.uncertainty import Uncertainty
from losslaw.laws import Law, law_named
from losslaw.numerics.arrays import FloatArray
from losslaw.schedules import Schedule, knots
from losslaw.schedules.families import LONGEST

FORMAT = "losslaw.fit"
VERSION = 1
LARGEST_ERROR = 1e6  # nats: beyond it is damage


def fit_as_dict(fit: Fit) -> dict[str, Any]:
    """The JSON form of a fit."""
    law = fit.law
    return {
        "format": FORMAT,
        "version": VERSION,
        "law": law.name,
        "parameters": law.parameters,
        "settings": {name: getattr(law, name) for name in law.settings()},
        "free": list(fit.free),
        "objective": fit.objective,
        "status": str(fit.status),
        "converged": fit.status.converged,
        "doubts": list(fit.status.sentences),
        "notes": list(fit.notes),
        "skip": fit.skip,
        "errors": {}
        if fit.uncertainty is None
        else {
            name: error
            for name, error in fit.uncertainty.parameter_errors(law).items()
            if name in fit.free or name in law.amplitudes()
        },
        "curves": [_curve_as_dict(curve) for curve in fit.curves],
        "choice": list(fit.choice),
        "uncertainty": _uncertainty_as_dict(fit.uncertainty),
        "sizes": [
            {
                "model_size": item.model_size,
                "parameters": item.law.parameters,
                "uncertainty": _uncertainty_as_dict(item.uncertainty),
            }
            for item in fit.sizes
        ],
    }


def _uncertainty_as_dict(uncertainty: Uncertainty | None) -> dict[str, Any] | None:
    if uncertainty is None:
        return None
    return {
        "names": list(uncertainty.names),
        "covariance": uncertainty.covariance.tolist(),
        "tau": uncertainty.tau,
        "peak_error": uncertainty.peak_error,
        "peaks": list(uncertainty.peaks),
        "misfit": uncertainty.misfit,
        "farthest": uncertainty.farthest,
        "unknown": list(uncertainty.unknown),
        "noise": uncertainty.noise,
    }


def save_fit(fit: Fit, path: str | Path) -> None:
    """Write a fit to one JSON file, in one step.

    Raises:
        InputError: the file cannot be written.
    """
    write_text(path, json.dumps(fit_as_dict(fit), indent=1) + "\n")


def load_fit(path: str | Path) -> Fit:
    """Read a fit that `Fit.save` or ``losslaw fit -o`` wrote; ``-`` is standard input.

    Raises:
        InputError: missing, damaged, of another kind, or from a newer version.
    """
    source = "standard input" if str(path) == "-" else str(path)
    text = read_text(path)
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(
            f"{source}: damaged: not JSON at line {error.lineno} ({error.msg});"
            " fit again and save with 'losslaw fit ... -o fit.json'"
        ) from None
    except (RecursionError, ValueError) as error:  # nested too deeply, or a number of many digits
        raise InputError(f"{source}: damaged: not a fit ({error})") from None
    if not isinstance(data, dict) or cast(dict[str, Any], data).get("format") != FORMAT:
        raise InputError(f"{source}: not a saved fit (no 'format': '{FORMAT}')")
    record = Record(source, cast(dict[str, Any], data))
    version = record.data.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise InputError(f"{source}: damaged: version is {version!r}, expected {VERSION}")
    if version > VERSION:
        raise InputError(
            f"{source}: written by a newer losslaw (format version {version}, this one reads"
            f" {VERSION}): upgrade losslaw"
        )
    return _fit(record)


class Record:
    """A JSON object whose fields are asked for by name and kind, with errors that say where."""

    def __init__(self, where: str, data: dict[str, Any]):
        self.where = where
        self.data = data

    def fail(self, what: str) -> InputError:
        """The error for something damaged here."""
        return InputError(f"{self.where}: damaged: {what}")

    def _get(self, name: str, kinds: tuple[type, ...], word: str) -> Any:
        if name not in self.data:
            raise self.fail(f"{name!r} is missing")
        value = self.data[name]
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise self.fail(f"{name!r} is {value!r:.40}, expected {word}")
        return value

    def text(self, name: str) -> str:
        """A string."""
        return str(self._get(name, (str,), "a text"))

    def flag(self, name: str) -> bool:
        """True or false."""
        return bool(self._get(name, (bool,), "true or false"))

    def number(self, name: str) -> float:
        """A finite number."""
        value = self._get(name, (int, float), "a number")
        try:
            value = float(value)
        except OverflowError:
            value = math.inf
        if not math.isfinite(value):
            raise self.fail(f"{name!r} is {value}, expected a finite number")
        return value

    def whole(self, name: str) -> int:
        """A whole number."""
        return int(self._get(name, (int,), "a whole number"))

    def optional(self, name: str) -> float | None:
        """A number or nothing."""
        return None if self.data.get(name) is None else self.number(name)

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings."""
        items = self._get(name, (list,), "a list of texts")
        if not all(isinstance(item, str) for item in items):
            raise self.fail(f"{name!r} has an entry that is not a text")
        return tuple(items)

    def record(self, name: str) -> "Record":
        """An object."""
        return Record(f"{self.where}: {name}", self._get(name, (dict,), "an object"))

    def records(self, name: str) -> list["Record"]:
        """A list of objects."""
        items = self._get(name, (list,), "a list")
        if not all(isinstance(item, dict) for item in items):
            raise self.fail(f"{name!r} has an entry that is not an object")
        return [Record(f"{self.where}: {name}[{i}]", item) for i, item in enumerate(items)]

    def array(self, name: str, dimensions: int = 1) -> FloatArray:
        """Finite numbers."""
        try:
            array = np.array(self._get(name, (list,), "a list of numbers"))
        except ValueError:  # rows of different lengths
            raise self.fail(f"{name!r} is not a list of numbers") from None
        if array.dtype.kind not in "if":  # text, true or false, whole numbers beyond 64 bits
            raise self.fail(f"{name!r} is not a list of numbers")
        array = array.astype(np.float64)
        if array.ndim != dimensions or not np.isfinite(array).all():
            raise self.fail(f"{name!r} is not a list of finite numbers")
        return array


def _fit(record: Record) -> Fit:
    try:
        law_class = law_named(record.text("law"))
    except InputError as error:
        raise InputError(f"{record.where}: {error}") from None
    settings = record.record("settings")
    choices = {name: settings.flag(name) for name in law_class.settings()}
    law = _law(record, law_class, choices)
    free = record.texts("free")
    if any(name not in law_class.shapes() for name in free):
        raise record.fail(f"'free' names {free}, expected shapes of {law_class.name!r}")
    curves = record.records("curves")
    if not curves:
        raise record.fail("no curves")
    return Fit(
        law,
        free,
        record.number("objective"),
        Status(record.flag("converged"), record.texts("doubts")),
        tuple(_curve(curve) for curve in curves),
        record.texts("notes"),
        None if record.data.get("uncertainty") is None else _uncertainty(record, law_class),
        record.whole("skip"),
        record.texts("choice") if "choice" in record.data else (),
        tuple(
            SizeFit(
                part.number("model_size"),
                _law(part, law_class, choices),
                None if part.data.get("uncertainty") is None else _uncertainty(part, law_class),
            )
            for part in (record.records("sizes") if "sizes" in record.data else [])
        ),
    )


def _law(record: Record, law_class: type[Law], choices: dict[str, bool]) -> Law:
    values = record.record("parameters")
    known = [*law_class.shapes(), *law_class.amplitudes()]
    parameters = {name: values.number(name) for name in known}
    strangers = set(values.data) - set(known)
    if strangers:
        raise values.fail(f"{law_class.name!r} has no parameter {sorted(strangers)[0]!r}")
    try:
        law = law_class(**parameters, **choices)
    except InputError as error:
        raise record.fail(str(error)) from None
    for name, spec in law_class.shapes().items():
        if not spec.holds(parameters[name]):
            raise values.fail(
                f"{name!r} is {parameters[name]:g}, expected {spec.low:g}..{spec.high:g}"
            )
    return law


def _uncertainty(record: Record, law: type[Law]) -> Uncertainty:
    part = record.record("uncertainty")
    known = [*law.shapes(), *law.amplitudes()]
    names = part.texts("names")
    covariance = part.array("covariance", 2)
    if covariance.shape != (len(names), len(names)) or any(name not in known for name in names):
        raise part.fail(f"covariance of shape {covariance.shape} for {len(names)} parameters")
    if (np.diag(covariance) < 0).any():
        raise part.fail("'covariance' has a negative variance")
    peaks = part.array("peaks")
    if peaks.size == 0 or (peaks <= 0).any():
        raise part.fail("'peaks' are not positive numbers")
    unknown = part.texts("unknown")
    if any(name not in law.amplitudes() for name in unknown):
        raise part.fail(f"'unknown' names {', '.join(unknown)}, expected amplitudes of the law")
    errors = [part.number(name) for name in ("tau", "peak_error", "misfit")]
    errors.append(part.number("noise") if "noise" in part.data else 0.0)
    if not all(0 <= error < LARGEST_ERROR for error in errors):
        raise part.fail(f"'tau', 'peak_error', 'misfit', 'noise' are {errors} nats")
    farthest = part.number("farthest")
    if farthest <= 0:
        raise part.fail(f"'farthest' is {farthest:g}, expected above 0")
    return Uncertainty(
        names,
        covariance,
        errors[0],
        errors[1],
        tuple(peaks.tolist()),
        errors[2],
        farthest,
        unknown,
        errors[3],
    )


def _curve_as_dict(curve: FittedCurve) -> dict[str, Any]:
    schedule = curve.schedule
    at = knots(schedule.lr)
    return {
        "label": curve.label,
        "points": curve.points,
        "first_step": curve.first_step,
        "last_step": curve.last_step,
        "rmse": curve.rmse,
        "final_error": curve.final_error,
        "model_size": curve.model_size,
        "schedule": {
            "step": at.tolist(),
            "lr": schedule.lr[at - 1].tolist(),
            "warmup": schedule.warmup,
            "weight_decay": _along(schedule.weight_decay),
            "batch": _along(schedule.batch),
        },
    }


def _curve(record: Record) -> FittedCurve:
    part = record.record("schedule")
    at, rates = part.array("step"), part.array("lr")
    whole = at.size > 0 and (at == np.round(at)).all()
    if not whole or at.size != rates.size or at[0] != 1 or (np.diff(at) <= 0).any():
        raise part.fail("'step' and 'lr' are not knots from update 1 upward")
    if at[-1] > LONGEST:
        raise part.fail(f"a schedule of {at[-1]:g} updates, expected at most {LONGEST:g}")
    n = int(at[-1])
    batch, weight_decay = _read_along(part, "batch", n), _read_along(part, "weight_decay", n)
    warmup = part.whole("warmup")
    try:
        schedule = Schedule(np.interp(np.arange(1, n + 1), at, rates), batch, weight_decay, warmup)
    except InputError as error:
        raise part.fail(str(error)) from None
    return FittedCurve(
        record.text("label"),
        schedule,
        record.whole("first_step"),
        record.whole("last_step"),
        record.whole("points"),
        record.number("rmse"),
        record.number("final_error"),
        record.optional("model_size"),
    )


def _along(values: FloatArray | None) -> float | dict[str, list[float]] | None:
    """A batch size or weight decay: one number, or knots if it changes along the run."""
    if values is None:
        return None
    if (values == values[0]).all():
        return float(values[0])
    at = knots(values)
    return {"step": at.tolist(), "value": values[at - 1].tolist()}


def _read_along(record: Record, name: str, n: int) -> FloatArray | float | None:
    """The inverse of `_along`, for ``n`` updates."""
    if not isinstance(record.data.get(name), dict):
        return record.optional(name)
    part = record.record(name)
    at, values = part.array("step"), part.array("value")
    if at.size == 0 or at.size != values.size or (np.diff(at) <= 0).any():
        raise part.fail("'step' and 'value' are not knots")
    return np.interp(np.arange(1, n + 1), at, values)
