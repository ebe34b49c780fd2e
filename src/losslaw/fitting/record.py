"""What comes back from `fit`: a law and its doubts, which predicts, prints and is saved."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from numpy.typing import ArrayLike

from losslaw.errors import InputError
from losslaw.files.atomic import write_text
from losslaw.fitting.model_sizes import law_between
from losslaw.fitting.prediction import FittedCurve, Prediction, predict
from losslaw.fitting.saved import (
    SavedFit,
    SavedSize,
    law_of,
    read_curve,
    read_saved,
    read_uncertainty,
    saved_curve,
    saved_uncertainty,
)
from losslaw.fitting.status import Note, Status
from losslaw.fitting.uncertainty import Uncertainty
from losslaw.laws import Law, law_named
from losslaw.numerics.arrays import FloatArray
from losslaw.schedules import Schedule
from losslaw.text import rounded


@dataclass(frozen=True, kw_only=True)
class SizeFit:
    """The law of one model size among several that were fitted together.

    Attributes:
        model_size: Parameters of the model.
        law: The law with this size's amplitudes.
        uncertainty: What the intervals are made of; ``None`` if it was not worked out.
    """

    model_size: float
    law: Law
    uncertainty: Uncertainty | None


@dataclass(frozen=True, kw_only=True)
class Fit:
    """A law fitted to curves.

    Attributes:
        law: The law with its fitted parameters; of several model sizes, that of the largest.
        free: Shapes that were searched.
        objective: Sum of Huber losses (delta 1e-3) of the log residuals; priors not counted.
        status: How the fit ended, in words.
        curves: What was fitted, and how well.
        notes: What was assumed or left out.
        uncertainty: What the intervals are made of; ``None`` if it was not worked out.
        skip: Points before this step were left out.
        choice: Two sentences on how the law was chosen; empty where the user named it.
        sizes: Laws of all model sizes, smallest first, where several were fitted.
        recipe: Name of the law's recipe (`Law.recipes`) that ``auto`` chose; empty where the law
            was fitted as it is by itself, or as the user said.
    """

    law: Law
    free: tuple[str, ...]
    objective: float
    status: Status
    curves: tuple[FittedCurve, ...]
    notes: tuple[Note, ...] = ()
    uncertainty: Uncertainty | None = None
    skip: int = 0
    choice: tuple[str, ...] = ()
    sizes: tuple[SizeFit, ...] = ()
    recipe: str = ""

    @property
    def parameters(self) -> dict[str, float]:
        """Fitted and fixed parameters by name."""
        return self.law.parameters

    @property
    def parameter_errors(self) -> dict[str, float]:
        """Standard deviations of the fitted parameters, in their own units."""
        if self.uncertainty is None:
            return {}
        errors = self.uncertainty.parameter_errors(self.law)
        return {name: errors[name] for name in errors if self._fitted(name)}

    def _fitted(self, name: str) -> bool:
        """Whether a parameter is not fixed."""
        return name in self.free or name in self.law.amplitudes()

    @property
    def usual_weight_decay(self) -> float | None:
        """Weight decay of the fitted runs, if it is known and the same in all."""
        return _usual([curve.schedule.weight_decay for curve in self.curves])

    @property
    def usual_batch(self) -> float | None:
        """Batch size of the fitted runs, if it is known and the same in all."""
        return _usual([curve.schedule.batch for curve in self.curves])

    def predict(
        self,
        schedule: Schedule,
        steps: ArrayLike | None = None,
        level: float = 0.9,
        model_size: float | None = None,
    ) -> Prediction:
        """Loss curve of a schedule, with an interval.

        Args:
            schedule: Any schedule; it need not have been run. What it leaves open is `completed`.
            steps: Steps to predict; ``None`` for all.
            level: Share of runs the interval is meant to hold, in (0, 1).
            model_size: Parameters of the model; it counts where several sizes were fitted. A size
                between or beyond them gets amplitudes along their trend, and a wider interval.

        Raises:
            InputError: steps outside the schedule, a level outside (0, 1), or a batch or model size
                left open where the fitted runs have several.
        """
        schedule = self.completed(schedule)
        if model_size is not None and model_size <= 0:
            raise InputError(f"model size is {model_size:g}, expected above 0")
        if self.sizes and model_size is None:
            raise InputError(
                "the fitted runs are of several model sizes: say which to predict (model_size=,"
                " --model-size)"
            )
        law, uncertainty = self.law, self.uncertainty
        if self.sizes and model_size is not None:
            law, uncertainty = self.at_size(model_size)
        return predict(law, uncertainty, schedule, steps, level, model_size, self.curves, self.skip)

    def at_size(self, model_size: float) -> tuple[Law, Uncertainty | None]:
        """The law for a model size among several fitted, between them or beyond."""
        for item in self.sizes:
            if abs(item.model_size / model_size - 1) < 0.01:
                return item.law, item.uncertainty
        return law_between(
            [(item.model_size, item.law, item.uncertainty) for item in self.sizes], model_size
        )

    def completed(self, schedule: Schedule) -> Schedule:
        """The schedule with the weight decay and batch size of the fitted runs where it has none.

        It has a batch size if and only if all fitted runs have one, if the law has a use for it.

        Raises:
            InputError: a batch size is left open, and the fitted runs have several.
        """
        if schedule.weight_decay is None and self.usual_weight_decay is not None:
            schedule = schedule.with_(weight_decay=self.usual_weight_decay)
        if not self.law.uses_batch:
            return schedule
        if any(curve.schedule.batch is None for curve in self.curves):
            return schedule if schedule.batch is None else schedule.with_(batch=None)
        if schedule.batch is not None or not self.curves:
            return schedule
        if self.usual_batch is None:
            raise InputError(
                "the fitted runs have several batch sizes: say which to predict, as in"
                " cosine:peak=3e-4,horizon=24000,batch=64"
            )
        return schedule.with_(batch=self.usual_batch)

    def as_dict(self) -> dict[str, object]:
        """The JSON form, which `load_fit` reads."""
        saved = SavedFit(
            law=self.law.name,
            parameters=self.law.parameters,
            settings={name: getattr(self.law, name) for name in self.law.settings()},
            free=self.free,
            objective=self.objective,
            status=str(self.status),
            converged=self.status.converged,
            doubts=self.status.sentences,
            notes=tuple(str(note) for note in self.notes),
            skip=self.skip,
            errors=self.parameter_errors,
            curves=[saved_curve(curve) for curve in self.curves],
            choice=self.choice,
            recipe=self.recipe,
            uncertainty=saved_uncertainty(self.uncertainty),
            sizes=tuple(
                SavedSize(
                    model_size=item.model_size,
                    parameters=item.law.parameters,
                    uncertainty=saved_uncertainty(item.uncertainty),
                )
                for item in self.sizes
            ),
        )
        return asdict(saved)

    def save(self, path: str | Path) -> None:
        """Write the fit to one JSON file, in one step; see `losslaw.load_fit`.

        Raises:
            InputError: the file cannot be written.
        """
        write_text(path, json.dumps(self.as_dict(), indent=1) + "\n")

    def __str__(self) -> str:
        """What to doubt first, then parameters with their errors, then curves."""
        count = "1 curve" if len(self.curves) == 1 else f"{len(self.curves)} curves"
        ended = "converged" if self.status.converged else "DID NOT CONVERGE, ran out of steps"
        lines = [
            f"{self.law.title} ({self.law.name}), fitted to {count}",
            *[f"  {sentence}" for sentence in self.choice],
            f"status: {ended}",
            *[f"  doubt: {sentence}" for sentence in self.status.sentences],
            *[f"  note: {note}" for note in self.notes],
            "",
            *self._parameter_lines(),
            "",
            f"objective {self.objective:.4g} (sum of Huber losses of the log residuals)",
        ]
        wide = max(len(curve.label) for curve in self.curves)
        lines += [f"  {curve.label:<{wide}}  {curve}" for curve in self.curves]
        if self.uncertainty is not None:
            error = self.uncertainty.tau
            lines.append(f"error of the law on schedules left out: about {error:.4f} nats")
        return "\n".join(lines)

    def _parameter_lines(self) -> list[str]:
        law, errors = self.law, self.parameter_errors
        unknown = () if self.uncertainty is None else self.uncertainty.unknown
        largest = f" at {self.sizes[-1].model_size:.4g} parameters" if self.sizes else ""
        lines = [f"parameters{largest}"]
        specs = {**law.shapes(), **law.amplitudes()}
        width = max(len(name) for name in specs)
        for name, spec in specs.items():
            value = rounded(getattr(law, name), errors.get(name))
            if name in unknown:
                value = "not determined"
            fixed = "" if self._fitted(name) else " (fixed)"
            lines.append(f"  {name:<{width}}  {value}{fixed}  {spec.meaning}")
        for name, default in law.settings().items():
            if getattr(law, name) != default:
                lines.append(f"  {name} = {getattr(law, name)}")
        if self.sizes:
            lines += ["", "amplitudes of each model size (shapes follow the law's trends)"]
        for item in self.sizes:
            values = [f"{name} {getattr(item.law, name):.4g}" for name in law.amplitudes()]
            lines.append(f"  {item.model_size:.4g}: {', '.join(values)}")
        return lines


def _usual(along: Sequence[FloatArray | None]) -> float | None:
    """The one value that all of these have throughout, if there is one."""
    values: set[float] = set()
    for array in along:
        if array is None:
            return None
        values |= {float(array.min()), float(array.max())}
    return values.pop() if len(values) == 1 else None


def load_fit(path: str | Path) -> Fit:
    """Read a fit that `Fit.save` or ``losslaw fit -o`` wrote; ``-`` is standard input.

    Raises:
        InputError: missing, damaged, of another kind, or from a newer version.
    """
    return read_saved(path, _fit)


def _fit(saved: SavedFit) -> Fit:
    law = law_named(saved.law)
    if set(saved.free) - set(law.shapes()):
        raise InputError(f"free is {', '.join(saved.free)}, expected shapes of {law.name!r}")
    labels = [curve.label for curve in saved.curves]
    return Fit(
        law=law_of(saved.parameters, saved.settings, law),
        free=saved.free,
        objective=saved.objective,
        status=Status(converged=saved.converged, sentences=saved.doubts),
        curves=tuple(read_curve(curve, i) for i, curve in enumerate(saved.curves)),
        notes=tuple(Note.read(text, labels) for text in saved.notes),
        uncertainty=read_uncertainty(saved, law),
        skip=saved.skip,
        choice=saved.choice,
        recipe=saved.recipe,
        sizes=tuple(
            SizeFit(
                model_size=part.model_size,
                law=law_of(part.parameters, saved.settings, law),
                uncertainty=read_uncertainty(part, law),
            )
            for part in saved.sizes
        ),
    )
