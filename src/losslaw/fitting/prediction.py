"""A prediction: the loss of a schedule at some steps, with an interval."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from losslaw.curves import LossCurve
from losslaw.errors import InputError
from losslaw.fitting.intervals import Uncertainty
from losslaw.laws import Law, Question, ask
from losslaw.numerics.arrays import FloatArray, IntArray
from losslaw.schedules import Schedule


@dataclass(frozen=True)
class Prediction:
    """Predicted losses of one schedule.

    Attributes:
        schedule: What was asked about.
        steps: Steps. Shape ``(m,)``.
        loss: Predicted loss in nats per token. Shape ``(m,)``.
        lower: Lower end of the interval; ``None`` if the fit carries no uncertainty.
        upper: Upper end.
        level: Share of runs the interval is meant to hold.
        warnings: Sentences: why this prediction deserves less trust than others.
    """

    schedule: Schedule
    steps: IntArray
    loss: FloatArray
    lower: FloatArray | None
    upper: FloatArray | None
    level: float
    warnings: tuple[str, ...] = ()

    @property
    def final(self) -> float:
        """Predicted loss at the last step asked about."""
        return float(self.loss[-1])

    def curve(self, label: str = "predicted") -> LossCurve:
        """The prediction as a `LossCurve`."""
        return LossCurve(self.schedule, self.steps, self.loss, label)

    def as_dict(self) -> dict[str, object]:
        """The JSON form: step, loss, lower, upper, level."""
        return {
            "step": self.steps,
            "loss": self.loss,
            "lower": self.lower,
            "upper": self.upper,
            "level": self.level,
        }

    def csv(self) -> str:
        """A table with columns step, lr, loss and, where known, lower and upper."""
        bounded = self.lower is not None and self.upper is not None
        lines = ["step,lr,loss" + (",lower,upper" if bounded else "")]
        for i, step in enumerate(self.steps):
            cells = [str(step), f"{self.schedule.lr[step - 1]:.10g}", f"{self.loss[i]:.6f}"]
            if self.lower is not None and self.upper is not None:
                cells += [f"{self.lower[i]:.6f}", f"{self.upper[i]:.6f}"]
            lines.append(",".join(cells))
        return "\n".join(lines) + "\n"


def predict(
    law: Law,
    uncertainty: Uncertainty | None,
    schedule: Schedule,
    steps: ArrayLike | None,
    level: float,
    model_size: float | None = None,
) -> Prediction:
    """Losses of a law, with the interval that ``uncertainty`` gives at ``level``."""
    if not 0 < level < 1:
        raise InputError(f"level is {level:g}, expected a share between 0 and 1, such as 0.9")
    question = ask(schedule, steps, model_size)
    with np.errstate(over="ignore", invalid="ignore"):
        columns = law.columns(question)
        loss = np.sum([getattr(law, name) * column for name, column in columns.items()], axis=0)
    if not np.isfinite(loss).all():
        step = int(question.steps[int(np.argmax(~np.isfinite(loss)))])
        raise InputError(
            f"the predicted loss is not finite at step {step}: learning rates up to"
            f" {question.lr.max():g} are out of reach of this fit"
        )
    if uncertainty is None:
        return Prediction(schedule, question.steps, loss, None, None, level)
    half = uncertainty.factor(level) * uncertainty.deviation(law, question)
    warnings = _warnings(law, uncertainty, question)
    return Prediction(schedule, question.steps, loss, loss - half, loss + half, level, warnings)


def _warnings(law: Law, uncertainty: Uncertainty, question: Question) -> tuple[str, ...]:
    """Why this prediction deserves less trust than one close to the fitted curves."""
    sentences: list[str] = []
    touched = uncertainty.touched(law, question)
    if touched.any():
        names = ", ".join(uncertainty.unknown)
        sentences.append(
            f"from step {question.steps[int(np.argmax(touched))]} on the answer depends on {names},"
            " which nothing in the fitted curves shows: fit a run whose learning rate falls, or"
            " use a law with a prior (effective)"
        )
    peak, low, high = question.lr.max(), min(uncertainty.peaks), max(uncertainty.peaks)
    if not low / 1.01 <= peak <= high * 1.01:
        fitted = f"{low:g}" if low == high else f"{low:g}..{high:g}"
        sentences.append(f"the peak learning rate {peak:g} is outside the fitted {fitted}")
    return tuple(sentences)
