"""What comes back from `fit`: a law and its doubts, which predicts, prints and is saved."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from losslaw.curves.curve import after_numbers, shared_unit
from losslaw.drawing import Plotted
from losslaw.errors import InputError
from losslaw.files.atomic import write_text
from losslaw.fitting.fitted_law import FittedLaw, SizeFit
from losslaw.fitting.ground import Ground
from losslaw.fitting.mixture import Member, Mixture, Tested
from losslaw.fitting.prediction import FittedCurve, Prediction, predict
from losslaw.fitting.saved import (
    SavedFit,
    SavedGround,
    SavedMember,
    SavedMixture,
    SavedSize,
    SavedTest,
    law_of,
    read_curve,
    read_saved,
    read_uncertainty,
    saved_curve,
    saved_uncertainty,
)
from losslaw.fitting.status import Note, Status
from losslaw.fitting.trust import Trust, trust_of
from losslaw.fitting.uncertainty import Uncertainty
from losslaw.laws import Law, Query, law_named
from losslaw.numerics.arrays import FloatArray
from losslaw.numerics.magnitudes import LOSS, MODEL_SIZE
from losslaw.schedules import Schedule, ScheduleLike, schedule_of
from losslaw.text import Report, rounded, size_words

# Blocks on which the ends of the fitted runs are worked out when a fit is read.
BLOCKS = 600
# Factor between the level of the fitted losses and the end of a run beyond which a file is damaged.
FAR_OFF = 1000.0


@dataclass(frozen=True, kw_only=True, repr=False)
class Fit(Report, Plotted, FittedLaw):
    """A law fitted to curves.

    Attributes:
        objective: Sum of Huber losses (delta 1e-3) of the log residuals; priors not counted.
        status: How the fit ended, in words.
        curves: What was fitted, and how well.
        notes: What was assumed or left out.
        skip: Points before this step were left out.
        mixture: All laws that answer together, where ``auto`` was asked for; the law of the fit is
            then the one with most weight. ``None``: the law answers alone.
    """

    objective: float
    status: Status
    curves: tuple[FittedCurve, ...]
    notes: tuple[Note, ...] = ()
    skip: int = 0
    mixture: Mixture | None = None

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
    def unit(self) -> str:
        """What losses are measured in, as in `LossCurve`; "loss" if not all fitted ones alike."""
        return shared_unit(self.curves)

    @cached_property
    def usual_weight_decay(self) -> float | None:
        """Weight decay of the fitted runs, if it is known and the same in all."""
        return _usual([curve.schedule.weight_decay for curve in self.curves])

    @cached_property
    def usual_batch(self) -> float | None:
        """Batch size of the fitted runs, if it is known and the same in all."""
        return _usual([curve.schedule.batch for curve in self.curves])

    def settled(
        self, schedule: ScheduleLike, model_size: float | None = None, *, blocks: int | None = None
    ) -> "Fit":
        """The fit whose laws count in all answers what they count at the end of this schedule.

        What each law counts depends on the question, so answers to several are comparable (gains,
        endings of one run) only with the weights of one of them.
        """
        if self.mixture is None:
            return self
        schedule = self.completed(schedule)
        query = Query.of(schedule, [schedule.horizon]).coarser(blocks)
        weights = replace(self.mixture, settled=None).question(query, model_size).weights
        return replace(self, mixture=replace(self.mixture, settled=tuple(weights.tolist())))

    def for_new_data(self) -> "Fit":
        """The fit for questions about other data, or another order of them, than were fitted.

        Its intervals are wider (`losslaw.fitting.mixture.OTHER_DATA`), its predictions the same.

        Raises:
            InputError: one law answers alone, of whose errors on other data nothing is known.
        """
        if self.mixture is None:
            raise InputError(
                f"what other data cost is known of the mixture only, and {self.law.name!r} was"
                " fitted alone: fit without naming a law"
            )
        return replace(self, mixture=replace(self.mixture, other_data=True))

    def predict(
        self,
        schedule: ScheduleLike,
        steps: ArrayLike | None = None,
        level: float = 0.9,
        model_size: float | None = None,
        *,
        window: ArrayLike | None = None,
        blocks: int | None = None,
    ) -> Prediction:
        """Loss curve of a schedule, with an interval.

        Args:
            schedule: Any schedule, or its text; it need not have been run. What it leaves open is
                `completed`.
            steps: Steps to predict; ``None`` for all.
            level: Share of runs the interval is meant to hold, in (0, 1).
            model_size: Parameters of the model; it counts where several sizes were fitted. A size
                between or beyond them gets amplitudes along their trend, and a wider interval.
            window: Predict means over so many updates up to each step, as `LossCurve.window` has
                them; ``None``: the loss at each step.
            blocks: Take updates together in about so many blocks, for a fast answer
                (`Query.coarser`); ``None``: each counts by itself.

        Raises:
            InputError: steps outside the schedule, a level outside (0, 1), or a batch or model size
                left open where the fitted runs have several.
        """
        schedule = self.completed(schedule)
        if model_size is not None:
            MODEL_SIZE.check("model size", model_size)
        law, uncertainty = self.of_size(model_size)
        return predict(
            law,
            uncertainty,
            schedule,
            steps,
            level,
            model_size,
            self.curves,
            self.skip,
            self.mixture,
            window=window,
            blocks=blocks,
        )

    def which(self, model_size: float | None) -> str:
        """The words for a model of this size, behind a name; none unless several were fitted."""
        if not self.sizes or model_size is None:
            return ""
        return f" of the model of {size_words(model_size)}"

    def of_size(self, model_size: float | None) -> tuple[Law, Uncertainty | None]:
        """The same as `at_size`, of a size that has to be said where several were fitted.

        Raises:
            InputError: several were, and none is said.
        """
        if self.sizes and model_size is None:
            raise InputError(
                "the fitted runs are of several model sizes: say which to predict (model_size=,"
                " --model-size)"
            )
        return self.at_size(model_size)

    @property
    def trust(self) -> Trust | None:
        """What stands behind its answers; ``None`` where one law answers alone."""
        return None if self.mixture is None else trust_of(self.mixture)

    def completed(self, schedule: ScheduleLike) -> Schedule:
        """The schedule with the weight decay and batch size of the fitted runs where it has none.

        It has a batch size if and only if all fitted runs have one, if the law has a use for it.

        Raises:
            InputError: a batch size is left open, and the fitted runs have several.
        """
        schedule = schedule_of(schedule)
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
            misfit=self.status.misfit,
            notes=tuple(str(note) for note in self.notes),
            skip=self.skip,
            errors=self.parameter_errors,
            curves=[saved_curve(curve) for curve in self.curves],
            recipe=self.recipe,
            uncertainty=saved_uncertainty(self.uncertainty),
            sizes=_saved_sizes(self.sizes),
            mixture=None if self.mixture is None else _saved_mixture(self.mixture),
        )
        trust = self.trust
        return {**asdict(saved), "trust": None if trust is None else trust.as_dict()}

    def save(self, path: str | Path) -> None:
        """Write the fit to one JSON file, in one step; see `losslaw.load_fit`.

        Raises:
            InputError: the file cannot be written.
        """
        write_text(path, json.dumps(self.as_dict(), indent=1) + "\n")

    def __str__(self) -> str:
        """What to doubt first, then parameters with their errors, then curves."""
        count = "1 curve" if len(self.curves) == 1 else f"{len(self.curves)} curves"
        ended = self.status.ended if self.status.converged else "DID NOT CONVERGE, ran out of steps"
        lines = [
            *([] if self.trust is None else [str(self.trust)]),
            f"{self.law.title} ({self.law.name}), fitted to {count}",
            *self._member_lines(),
            f"status: {ended}",
            *[f"  doubt: {sentence}" for sentence in self.status.doubts],
            *[f"  {'warning' if note.guessed else 'note'}: {note}" for note in self.notes],
            "",
            *self._parameter_lines(),
            "",
            f"objective {self.objective:.4g} (sum of Huber losses of the log residuals)",
        ]
        wide = max(len(curve.label) for curve in self.curves)
        lines += [f"  {curve.label:<{wide}}  {curve}" for curve in self.curves]
        if self.uncertainty is not None:
            error, unit = self.uncertainty.tau, after_numbers(self.unit)
            lines.append(f"error of the law on schedules left out: about {error:.4f}{unit}")
        return "\n".join(lines)

    def _member_lines(self) -> list[str]:
        trust = self.trust
        if trust is None:
            return []
        shares = [f"{name} {weight:.0%}" for name, _, weight in trust.members if weight >= 0.005]
        return [f"  answers are a mixture of laws: {', '.join(shares)}"]

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
    if saved.mixture is not None:
        own = [size.model_size for size in saved.sizes]
        if [size.model_size for size in saved.mixture.members[0].sizes] != own:
            raise InputError("the laws of the mixture are not of the model sizes of the fit")
    if set(saved.free) - set(law.shapes()):
        raise InputError(f"free is {', '.join(saved.free)}, expected shapes of {law.name!r}")
    labels = [curve.label for curve in saved.curves]
    fit = Fit(
        law=law_of(saved.parameters, saved.settings, law),
        free=saved.free,
        objective=saved.objective,
        status=Status(converged=saved.converged, sentences=saved.doubts, misfit=saved.misfit),
        curves=tuple(read_curve(curve, i) for i, curve in enumerate(saved.curves)),
        notes=tuple(Note.read(text, labels) for text in saved.notes),
        uncertainty=read_uncertainty(saved, law),
        skip=saved.skip,
        recipe=saved.recipe,
        sizes=_read_sizes(saved, law),
        mixture=None if saved.mixture is None else _read_mixture(saved.mixture),
    )
    _check_losses(fit)
    return fit


def _check_losses(fit: Fit) -> None:
    """Refuse amplitudes that no curve can have: the ends of the fitted runs tell.

    A law that answers alone may miss its curves by any amount, and is only asked for a number.
    """
    level = LOSS if fit.mixture is None else LOSS.around(fit.mixture.ground.level, FAR_OFF)
    for curve in fit.curves:
        law, _ = fit.at_size(curve.model_size)
        end = min(curve.last_step, curve.schedule.horizon)
        query = Query(curve.schedule, np.array([end]), 1 + end // BLOCKS)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            loss = law.loss(query)
        if not np.isfinite(loss).all():
            raise InputError(f"the loss of {curve.label} is not finite by these parameters")
        seen = np.abs(loss) if fit.mixture is None else loss
        level.check(f"the loss of {curve.label} by these parameters", seen)


def _saved_sizes(sizes: Sequence[SizeFit]) -> tuple[SavedSize, ...]:
    return tuple(
        SavedSize(
            model_size=item.model_size,
            parameters=item.law.parameters,
            uncertainty=saved_uncertainty(item.uncertainty),
        )
        for item in sizes
    )


def _read_sizes(saved: SavedFit | SavedMember, law: type[Law]) -> tuple[SizeFit, ...]:
    return tuple(
        SizeFit(
            model_size=part.model_size,
            law=law_of(part.parameters, saved.settings, law),
            uncertainty=read_uncertainty(part, law),
        )
        for part in saved.sizes
    )


def _saved_mixture(mixture: Mixture) -> SavedMixture:
    members = [
        SavedMember(
            name=member.name,
            prior=member.prior,
            by_peak=member.by_peak,
            adamw=member.adamw,
            law=member.law.name,
            parameters=member.law.parameters,
            settings={name: getattr(member.law, name) for name in member.law.settings()},
            free=member.free,
            recipe=member.recipe,
            uncertainty=saved_uncertainty(member.known),
            sizes=_saved_sizes(member.sizes),
        )
        for member in mixture.members
    ]
    return SavedMixture(
        members=members,
        tests=[SavedTest(**vars(test)) for test in mixture.tests],
        ground=SavedGround(**vars(mixture.ground)),
        noise=mixture.noise,
        other_data=mixture.other_data,
        missed=mixture.missed,
    )


def _read_mixture(saved: SavedMixture) -> Mixture:
    members: list[Member] = []
    for part in saved.members:
        law = law_named(part.law)
        members.append(
            Member(
                name=part.name,
                prior=part.prior,
                by_peak=part.by_peak,
                adamw=part.adamw,
                law=law_of(part.parameters, part.settings, law),
                free=part.free,
                recipe=part.recipe,
                uncertainty=read_uncertainty(part, law),
                sizes=_read_sizes(part, law),
            )
        )
    return Mixture(
        members=tuple(members),
        tests=tuple(Tested(**vars(test)) for test in saved.tests),
        ground=Ground(**vars(saved.ground)),
        noise=saved.noise,
        other_data=saved.other_data,
        missed=saved.missed,
    )
