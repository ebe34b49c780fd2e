"""What comes back from a forecast: where the run is, what decays would give, where it will end."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from losslaw.curves.curve import NATS, after_numbers
from losslaw.drawing import Plotted
from losslaw.fitting.prediction import ADVISE, NO_DECAY, Prediction
from losslaw.fitting.trust import USELESS, Trust
from losslaw.fitting.uncertainty import REPEAT
from losslaw.forecasting.band import Band
from losslaw.forecasting.continuation import Plan
from losslaw.numerics.interval import Interval, Level, ends
from losslaw.text import Report, sentences, table, wrapped

# Correlation of the errors of two endings of one run. Seen on constant runs of three peaks asked
# about 13 decays each: errors of the endings differed by .0015 to .004 (standard deviation) where
# the 90 % interval of each was +-.06.
SHARED_BY_ENDINGS = 0.995

# Spikes that a report names one by one: the latest.
SPIKES_SHOWN = 3
# Holding the rate is said to end lower than the best decay from this difference on.
LOWER = 5e-5
# Endings that a report names as no worse than the best.
TIES_SHOWN = 3

# What is said in the place of a table of decays.
REFUSAL = (
    f"Decays are not compared: half the interval is more than {USELESS:.0%} of the loss.",
    f"A short run that decays would tell; the cheapest one: {ADVISE}",
)


def _back_to(diverged: int) -> tuple[str, str]:
    return (
        f"The run has diverged from step {diverged:,} on: no decay now is worth what this says.",
        "The forecast is of the run without that, from a checkpoint before it.",
    )


When = Literal["now", "later"]


@dataclass(frozen=True, kw_only=True)
class Ending:
    """One way to end the run: hold the rate of now, then decay.

    Attributes:
        when: ``now``, or ``later``: the decay that ends at the horizon.
        start: Step after which the rate begins to fall.
        over: Updates of the decay.
        steps: Updates in all.
        loss: Predicted final loss.
        interval: Its interval; ``None`` if the fit carries no uncertainty.
        gain: What holding on for the same steps would leave, minus ``loss``.
        within: Whether it ends within the horizon; ``None``: there is none.
    """

    when: When
    start: int
    over: int
    steps: int
    loss: float
    interval: Interval | None
    gain: float
    within: bool | None

    def as_dict(self) -> dict[str, object]:
        """The JSON form."""
        return {
            "when": self.when,
            "start": self.start,
            "over": self.over,
            "steps": self.steps,
            "loss": self.loss,
            **ends(self.interval),
            "gain": self.gain,
            "within": self.within,
        }

    def __str__(self) -> str:
        if self.when == "now":
            return f"decay now over {self.over:,}"
        return f"hold to step {self.start:,}, decay over {self.over:,}"


@dataclass(frozen=True, kw_only=True, repr=False)
class Forecast(Report, Plotted):
    """What is to be expected of a run in progress. Its text is the report.

    Attributes:
        label: Name of the run.
        step: Last step with a loss.
        loss: Loss there: mean of the last three logged; in a dense log of more.
        averaged: Of how many.
        plan: The whole schedule, and what was assumed of its rest.
        level: Level of the intervals.
        path: Predicted losses from now to the horizon; ``None``: there is none.
        band: Whether the run is where it was predicted to be.
        usual: Length of the decay that is answered first; 0: none is asked about.
        endings: Endings: decays now and later.
        decay: The decays in words.
        basis: What the forecast is based on, in words.
        law: Name of the law.
        trust: What stands behind it: behind the plan's end if the plan decays, else behind a decay
            now; ``None`` where one law answers alone. Where it is ``refused`` there are no endings.
        changes: What would change the answer, beyond what its trust and its warnings say.
        notes: What was assumed.
        warnings: Why the forecast deserves less trust than others.
        diverged: Step from which on the run has left its course for good; ``None``: it has not.
            Then there are no endings either, and what is forecast is the run without that.
        unit: What losses are measured in, as in `LossCurve`.
    """

    label: str
    step: int
    loss: float
    averaged: int
    plan: Plan
    level: float
    path: Prediction | None
    band: Band
    usual: int
    endings: tuple[Ending, ...]
    decay: str
    basis: str
    law: str
    trust: Trust | None = None
    changes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    diverged: int | None = None
    unit: str = NATS

    @property
    def horizon(self) -> int | None:
        """Updates of the whole run; ``None``: not known."""
        return self.plan.horizon

    @property
    def final(self) -> float | None:
        """Predicted loss at the horizon, on the plan; ``None``: there is none."""
        return None if self.path is None else self.path.final

    @property
    def interval(self) -> Interval | None:
        """Interval of the final loss; ``None`` if the fit carries no uncertainty."""
        return None if self.path is None else self.path.interval

    @property
    def now(self) -> Ending | None:
        """The decay that is answered first: one of usual length that begins now."""
        asked = (each for each in self.endings if (each.when, each.over) == ("now", self.usual))
        return next(asked, None)

    @property
    def refused(self) -> bool:
        """Whether decays are not compared, since the intervals are too wide."""
        return self.trust is not None and self.trust.refused

    @property
    def confirmed(self) -> bool:
        """Whether nothing speaks against believing it; one law alone is believed."""
        return self.trust is None or self.trust.status == "confirmed"

    @property
    def best(self) -> Ending | None:
        """The ending with the lowest predicted loss, within the horizon if there is one.

        ``None``: the plan's, or endings are not compared.
        """
        lowest = min(self._within, key=lambda ending: ending.loss, default=None)
        if lowest is None or self.final is None or lowest.loss < self.final:
            return lowest
        return None

    @property
    def _within(self) -> list[Ending]:
        return [ending for ending in self.endings if ending.within is not False]

    @property
    def ties(self) -> tuple[Ending, ...]:
        """Other such endings that do not differ from the best significantly, shortest decay first.

        Two endings of one run share most of their error (`SHARED_BY_ENDINGS`), so they can be told
        apart where their intervals cannot.
        """
        best = self.best
        first = self.path if best is None else best
        return tuple(
            each
            for each in self._within
            if first is not None and each is not best and self._tie(each, first)
        )

    @property
    def plan_ties(self) -> bool | None:
        """Whether the plan's own ending does not differ from the best significantly."""
        if self.path is None:
            return None
        return self.best is None or self._tie(self.best, self.path)

    def _tie(self, one: Ending, other: Ending | Prediction) -> bool:
        """Whether two endings, or one and the plan's, differ by no more than their errors explain.

        ``sd^2 = (sd1 - sd2)^2 + 2 (1 - SHARED_BY_ENDINGS) sd1 sd2 + 2 REPEAT^2``
        """
        loss = other.final if isinstance(other, Prediction) else other.loss
        z = Level(self.level).quantile
        first, second = (
            0.0 if each.interval is None else each.interval.half_width / z for each in (one, other)
        )
        if not np.isfinite([first, second]).all():
            return True
        apart = 2 * (1 - SHARED_BY_ENDINGS) * first * second
        variance = (first - second) ** 2 + apart + 2 * REPEAT**2
        return bool(abs(one.loss - loss) <= z * np.sqrt(variance))

    def as_dict(self) -> dict[str, object]:
        """The JSON form; its keys are documented in docs/guides/forecast.md."""
        best = self.best
        return {
            "label": self.label,
            "trust": None if self.trust is None else self.trust.as_dict(),
            "step": self.step,
            "loss": self.loss,
            "averaged": self.averaged,
            "lr": self.plan.rate,
            "horizon": self.horizon,
            "level": self.level,
            "unit": self.unit,
            "law": self.law,
            "knowledge": self.basis,
            "plan": self.plan.sentence,
            "final": {
                "loss": self.final,
                **ends(self.interval),
                "lr": None if self.path is None else self.plan.schedule.final_lr,
            },
            "band": asdict(self.band),
            "decay": self.decay,
            "endings": [ending.as_dict() for ending in self.endings],
            "best": None if best is None else best.as_dict(),
            "ties": [ending.as_dict() for ending in self.ties],
            "plan_ties": self.plan_ties,
            "path": None if self.path is None else self.path.as_dict(),
            "now": None if self.now is None else self.now.as_dict(),
            "changes": self.changes,
            "notes": self.notes,
            "warnings": self.warnings,
            "diverged": self.diverged,
        }

    def __str__(self) -> str:
        lines = [] if self.trust is None else wrapped(str(self.trust))
        lines += self._headline()
        if self.endings:
            title = f"Decays ({self.decay}, from {self.plan.rate:.4g}) begun now"
            later = "" if self.horizon is None else ", or in time to end at the horizon"
            lines += ["", *wrapped(title + later), ""]
            lines += _endings_table(self.endings, self.level)
            lines += ["", *self._verdict()]
        if self.diverged is not None:
            lines += ["", *_back_to(self.diverged)]
        elif self.refused:
            lines += ["", *REFUSAL]
        lines += ["", *self._ground()]
        if self.changes:
            lines += ["", "What would change the answer, besides other losses to come:"]
            lines += [line for each in self.changes for line in wrapped(each, "  * ")]
        # Where laws are mixed the first line says so.
        told = [each for each in self.warnings if not (self.trust and each.startswith(NO_DECAY))]
        lines += sentences("warning", told) + sentences("note", self.notes)
        return "\n".join(lines)

    def _headline(self) -> list[str]:
        """Where the run is, what a decay now would give, and where its plan ends."""
        count = "three" if self.averaged == 3 else f"{self.averaged:,}"
        lines = wrapped(
            f"{self.label} at step {self.step:,}: loss {_loss(self.loss)}, the mean of the last"
            f" {count} logged"
        )
        answers: list[tuple[str, float, Interval | None]] = []
        if self.now is not None:
            answers.append((str(self.now), self.now.loss, self.now.interval))
        if self.path is not None:
            answers.append((f"plan to step {self.horizon:,}", self.path.final, self.interval))
        wide = max((len(name) for name, _, _ in answers), default=0)
        return lines + [
            f"  {name:<{wide}}  {_loss(loss)}, {self.level:.0%} interval {_words(interval)}"
            for name, loss, interval in answers
        ]

    def _ground(self) -> list[str]:
        """What the answers rest on, and whether the run is where it was predicted to be."""
        rows = [
            ("plan", self.plan.sentence),
            ("based on", f"{self.basis} ({self.law})"),
            ("band", str(self.band)),
        ]
        if self.band.state == "on" and not self.confirmed:
            rows.append(("", "(this confirms what came so far, not the end: see above)"))
        unit = after_numbers(self.unit)
        for spike in self.band.spikes[-SPIKES_SHOWN:]:
            at_end = spike.last == self.step
            back = "at the last loss" if at_end else f"back after step {spike.last:,}"
            rows.append(("spike", f"{spike.height:+.3f}{unit} at step {spike.step:,}, {back}"))
        if len(self.band.spikes) > SPIKES_SHOWN:
            rows.append(("", f"and {len(self.band.spikes) - SPIKES_SHOWN} spikes before"))
        return [line for name, text in rows for line in wrapped(text, f"  {name:8}  ")]

    def _verdict(self) -> list[str]:
        best = self.best
        name, loss = ("the plan", self.final) if best is None else (str(best), best.loss)
        doubt = "" if self.confirmed else ", if the laws hold"
        among = "of these" if self.horizon is None else "within the horizon"
        others = [str(ending) for ending in self.ties]
        shown = others[:TIES_SHOWN]
        if best is not None and self.plan_ties:
            shown = [*others[: TIES_SHOWN - 1], "the plan"]
            others.append("the plan")
        more = f"; and {len(others) - len(shown)} more" if len(others) > len(shown) else ""
        same = f"not significantly different: {'; '.join(shown)}{more}"
        lines = [
            *wrapped(f"best {among}{doubt}: {name} ({loss:.4f}),"),
            *wrapped(same if others else "significantly better than the others"),
        ]
        if best is not None and best.gain < -LOWER:
            held = f"holding the rate to step {best.start + best.over:,} is predicted to end lower"
            lines += wrapped(f"{held}, at {_loss(best.loss + best.gain)}: no decay here gains")
        longest = max((ending.over for ending in self._within), default=0)
        left = np.inf if self.horizon is None else self.horizon - self.step
        if best is not None and best.over == longest < left:
            lines.append("(that is the longest decay tried; --decay-over tries longer ones)")
        return lines


def _endings_table(endings: Sequence[Ending], level: float) -> list[str]:
    """A row per ending: those that begin now, then those that end at the horizon."""
    header = ["begin", "at step", "over", "end", "loss", f"{level:.0%} interval", "gain", ""]
    rows = [
        [
            ending.when,
            f"{ending.start:,}",
            f"{ending.over:,}",
            f"{ending.steps:,}",
            f"{ending.loss:.4f}",
            _words(ending.interval),
            f"{ending.gain:.4f}",
            "*" if ending.within is False else "",
        ]
        for when in ("now", "later")
        for ending in endings
        if ending.when == when
    ]
    lines = table(header, rows, indent=2)
    lines.append("  gain: against holding the rate for the same steps")
    if any(ending.within is False for ending in endings):
        lines.append("  *: beyond the horizon")
    return lines


def _words(interval: Interval | None) -> str:
    if interval is None:
        return "not known"
    if interval.bounded and interval.upper < SMALL_LOSS:
        return f"{_loss(interval.lower)} .. {_loss(interval.upper)}"
    return str(interval)


# Losses below this are written in three digits that count.
SMALL_LOSS = 0.01


def _loss(loss: float) -> str:
    return f"{loss:.4f}" if abs(loss) >= SMALL_LOSS else f"{loss:.3g}"
