"""What comes back from `annealed`: what each run is worth, and which of two is worth more."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from losslaw.annealing.cooldown import Cooldown
from losslaw.curves.curve import NATS
from losslaw.drawing import Plotted
from losslaw.errors import InputError
from losslaw.fitting.trust import Trust
from losslaw.numerics.arrays import FloatArray, IntArray
from losslaw.numerics.interval import Interval, ends
from losslaw.text import Report, sentences, table, wrapped

# Pairs that a report shows; the JSON form has all.
PAIRS_SHOWN = 30

Verdict = Literal["a is better", "b is better", "not told apart"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Path:
    """What a run was worth along its way. Arrays of shape ``(m,)``.

    Attributes:
        steps: Where it would have been annealed from.
        loss: Its loss then, after the cooldown, in nats.
        lower: Lower end of the interval; ``None`` if the fit carries no uncertainty.
        upper: Upper end.
        raw: The loss of the log there.
    """

    steps: IntArray
    loss: FloatArray
    lower: FloatArray | None
    upper: FloatArray | None
    raw: FloatArray


@dataclass(frozen=True, kw_only=True)
class AnnealedRun:
    """What a run is worth: the loss it would have if it were annealed.

    Attributes:
        label: Name of the run.
        model: Which runs it was fitted with.
        configuration: Its name without its seed, where there are several seeds of it.
        at: Update after which the cooldown begins.
        over: Updates of the cooldown; 0: the rate is at its end already.
        loss: Loss at the end of the cooldown, in nats.
        interval: Its interval; ``None`` if the fit carries no uncertainty.
        raw: Loss of the log where the cooldown begins: mean of the last three.
        path: The same along the run, where it was asked for.
        refused: Whether the interval is too wide to be of use.
    """

    label: str
    model: str
    configuration: str
    at: int
    over: int
    loss: float
    interval: Interval | None
    raw: float
    path: Path | None = None
    refused: bool = False

    @property
    def steps(self) -> int:
        """Updates in all, the cooldown included."""
        return self.at + self.over

    def as_dict(self) -> dict[str, object]:
        """The JSON form."""
        path = None
        if self.path is not None:
            path = {
                "at": self.path.steps.tolist(),
                "loss": self.path.loss.tolist(),
                "lower": None if self.path.lower is None else self.path.lower.tolist(),
                "upper": None if self.path.upper is None else self.path.upper.tolist(),
                "raw": self.path.raw.tolist(),
            }
        return {
            "label": self.label,
            "model": self.model,
            "configuration": self.configuration,
            "at": self.at,
            "over": self.over,
            "loss": self.loss,
            **ends(self.interval),
            "raw": self.raw,
            "refused": self.refused,
            "path": path,
        }


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Which of two runs, or of two configurations with several seeds, is worth more.

    Attributes:
        a: Name of the one.
        b: Name of the other.
        at: Updates after which both cooldowns begin: that of ``a``, and that of ``b``.
        equal: What is the same for both, in words.
        difference: Annealed loss of ``a`` less that of ``b``, in nats.
        interval: Its interval; ``None`` where nothing is known of it.
        verdict: ``a is better``, ``b is better`` or ``not told apart``.
        needs: What would tell them apart, in words; empty where they are.
        caution: What the comparison means where more differs than the schedule, in words.
    """

    a: str
    b: str
    at: tuple[int, int]
    equal: str
    difference: float
    interval: Interval | None
    verdict: Verdict
    needs: str = ""
    caution: str = ""

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        width = None if self.interval is None else self.interval.half_width
        by = f"{abs(self.difference):.4f}"
        if width is not None:
            by += f" ± {width:.4f}" if np.isfinite(width) else " ± an unbounded error"
        if self.verdict == "not told apart":
            lower = self.a if self.difference < 0 else self.b
            return f"not told apart ({lower + ' lower by ' if self.difference else ''}{by})"
        better = self.a if self.verdict == "a is better" else self.b
        return f"{better} is better by {by}"

    def as_dict(self) -> dict[str, object]:
        """The JSON form."""
        return {
            "a": self.a,
            "b": self.b,
            "at": list(self.at),
            "equal": self.equal,
            "difference": self.difference,
            **ends(self.interval),
            "verdict": self.verdict,
            "needs": self.needs,
            "caution": self.caution,
            "sentence": self.sentence,
        }


@dataclass(frozen=True, kw_only=True, repr=False)
class Annealed(Report, Plotted):
    """What runs are worth. Its text is the report.

    Attributes:
        runs: One for each log.
        pairs: Which of two is worth more, for those that were compared.
        cooldown: The cooldown that was asked about.
        level: Share of cases that intervals are meant to hold.
        trust: What stands behind the runs' losses: the least of what stands behind each model's;
            ``None`` where one law answers alone.
        models: Runs that were fitted together, by name, with what stands behind each.
        notes: What was assumed, found or left out.
        warnings: Why the answer deserves less trust than others.
        unit: What losses are measured in, as in `LossCurve`.
    """

    runs: tuple[AnnealedRun, ...]
    pairs: tuple[Pair, ...]
    cooldown: Cooldown
    level: float
    trust: Trust | None
    models: tuple[tuple[str, tuple[str, ...], Trust | None], ...]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    unit: str = NATS

    def __len__(self) -> int:
        return len(self.runs)

    def __getitem__(self, label: str) -> AnnealedRun:
        """The run of this name.

        Raises:
            InputError: there is none.
        """
        for run in self.runs:
            if run.label == label:
                return run
        names = ", ".join(run.label for run in self.runs[:8])
        raise InputError(f"no run {label!r}: expected one of {names}")

    def as_dict(self) -> dict[str, object]:
        """The JSON form."""
        return {
            "trust": None if self.trust is None else self.trust.as_dict(),
            "cooldown": {
                "over": self.cooldown.over,
                "shape": self.cooldown.shape,
                "final": self.cooldown.final,
            },
            "level": self.level,
            "unit": self.unit,
            "runs": [run.as_dict() for run in self.runs],
            "pairs": [pair.as_dict() for pair in self.pairs],
            "models": [
                {
                    "name": name,
                    "runs": list(labels),
                    "trust": None if trust is None else trust.as_dict(),
                }
                for name, labels, trust in self.models
            ],
            "notes": list(self.notes),
            "warnings": list(self.warnings),
        }

    def csv(self) -> str:
        """A table of the annealed loss along every run: label, at, loss, lower, upper, raw."""
        lines = ["label,at,loss,lower,upper,raw"]
        for run in self.runs:
            label = f'"{run.label.replace(chr(34), chr(34) * 2)}"'
            path = run.path
            if path is None:
                interval = run.interval
                bounds = ("", "")
                if interval is not None:
                    bounds = (f"{interval.lower:.6f}", f"{interval.upper:.6f}")
                lines.append(
                    f"{label},{run.at},{run.loss:.6f},{bounds[0]},{bounds[1]},{run.raw:.6f}"
                )
                continue
            for i, step in enumerate(path.steps):
                lower = "" if path.lower is None else f"{path.lower[i]:.6f}"
                upper = "" if path.upper is None else f"{path.upper[i]:.6f}"
                lines.append(f"{label},{step},{path.loss[i]:.6f},{lower},{upper},{path.raw[i]:.6f}")
        return "\n".join(lines) + "\n"

    def __str__(self) -> str:
        lines = [] if self.trust is None else wrapped(str(self.trust))
        if len(self.models) > 1:
            lines += [
                line
                for name, _, trust in self.models
                if trust is not None and self.trust is not None and str(trust) != str(self.trust)
                for line in wrapped(f"{name}: {trust}", "  ")
            ]
        if lines:
            lines.append("")
        lines += [f"loss after a cooldown ({self.cooldown})", ""]
        header = ["run", "at step", "over", "raw", "annealed", f"{self.level:.0%} interval"]
        rows = [
            [
                run.label,
                f"{run.at:,}",
                f"{run.over:,}",
                f"{run.raw:.4f}",
                f"{run.loss:.4f}",
                "not known" if run.interval is None else str(run.interval),
            ]
            for run in self.runs
        ]
        lines += table(header, rows, indent=2)
        if self.pairs:
            lines += ["", *self._pair_lines(self.pairs)]
        lines += sentences("warning", self.warnings) + sentences("note", self.notes)
        return "\n".join(lines)

    def _pair_lines(self, pairs: Sequence[Pair]) -> list[str]:
        shown = pairs[:PAIRS_SHOWN]
        lines = [f"which is worth more ({self.level:.0%} intervals of the differences)"]
        for pair in shown:
            lines += wrapped(f"{pair.a} against {pair.b}, {pair.equal}:", "  ")
            lines += wrapped(pair.sentence, "    ")
            if pair.needs:
                lines += wrapped(f"needs {pair.needs}", "    ")
        if len(pairs) > len(shown):
            lines.append(f"  and {len(pairs) - len(shown)} pairs more, in the JSON form (--json)")
        cautions = filter(None, dict.fromkeys(pair.caution for pair in pairs))
        return lines + [line for each in cautions for line in wrapped(each, "  ")]
