"""The demo: laws fitted to three real runs, compared on others, and a schedule designed from them.

The runs come with the package (a small language model, trained under many schedules; see
``losslaw lab``). Fitted are a constant run, a cosine and a WSD of one peak; held out are other
shapes, three times the horizon, and other peaks. The law that fits them by default then says which
schedule of the same horizon would end lowest. A report has it all on one page, with three of the
held-out runs and one in progress.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np

from losslaw.curves import LossCurve, bundled_curves, bundled_logs, read_curves
from losslaw.designing import Design, design
from losslaw.errors import InputError
from losslaw.files import write_bytes, write_text
from losslaw.files.pictures import png
from losslaw.fitting import CurveScore, Fit, fit, score
from losslaw.laws import Effective
from losslaw.reporting import report
from losslaw.schedules import constant, schedule_csv, wsd
from losslaw.text import Report, escaped, table
from losslaw.views.demo_figures import design_figure, errors_figure, predictions_figure

FITTED = (
    "constant_peak3e-3_T4000",
    "cosine_peak3e-3_T4000",
    "wsd-linear-0.2_peak3e-3_T4000",
)
# Held-out runs of the report, one of each kind: another shape, a longer run, another peak. All of
# them would make the demo twice as long.
REPORTED = (
    "wsd-1-sqrt-0.2_peak3e-3_T4000",
    "cosine_peak3e-3_T12000",
    "wsd-linear-0.2_peak6e-3_T4000",
)
# What is fitted beside the default.
RIVAL = "multipower"
# Of a held-out run so many lines are left as the log of a run in progress.
IN_PROGRESS = ("constant_peak3e-3_T12000.csv", 200)
# No runs of several sizes are bundled. These are losses that a law has, so that commands about
# sizes can be tried: without a cooldown, with a hasty one, with a usual one.
COOLDOWNS_BY_SIZE = {10: 0.0, 40: 0.02, 160: 0.2}
MADE = "# made by a law, not trained\n# model_size: {size}e6\n# weight_decay: 0.1\nstep,lr,loss\n"
# For ``losslaw sweep``.
GRID = """\
[problem]
source = [0.5, 1.0]
capacity = 2.0
modes = 1000

[run]
schedule = "wsd:peak={peak},horizon=2000,cooldown=0.2"

[values]
peak = [0.05, 0.1]
"""
# Baselines of the design that the report names.
USUAL = ("wsd", "wsd-1-sqrt", "cosine-10%", "linear")


@dataclass(frozen=True, kw_only=True, repr=False)
class Demo(Report):
    """What the demo made.

    Attributes:
        fits: One per law, by name; the first is that of the default.
        scores: Scores of the held-out runs by law, unseen steps only.
        held_out: Those runs.
        design: The schedule with the lowest predicted loss at the horizon of the fitted runs.
        seconds: How long it took.
        files: What was written.
    """

    fits: dict[str, Fit]
    scores: dict[str, tuple[CurveScore, ...]]
    held_out: tuple[LossCurve, ...]
    design: Design
    seconds: float
    files: tuple[Path, ...]

    def as_dict(self) -> dict[str, object]:
        """The JSON form."""
        return {
            "scores": {law: list(map(asdict, scores)) for law, scores in self.scores.items()},
            "files": [str(path) for path in self.files],
            "design": {
                "loss": self.design.loss,
                "baselines": {name: item.loss for name, item in self.design.baselines.items()},
            },
            "seconds": self.seconds,
        }

    def __str__(self) -> str:
        first = next(iter(self.fits.values()))
        usual = ", ".join(f"{name} {self.design.baselines[name].loss:.4f}" for name in USUAL)
        return "\n".join(
            [
                f"fitted: {', '.join(curve.label for curve in first.curves)}",
                "",
                *self._errors(first.skip),
                "",
                "nats per token, on unseen steps only: root mean square error of each law; 'end':",
                "predicted minus observed, mean of the last three points (mean: absolute values)",
                "",
                f"designed for {self.design.schedule.horizon} updates at the same peak: predicted"
                f" loss {self.design.loss:.4f}",
                f"  instead: {usual}",
                "",
                *[escaped(f"wrote {path}") for path in self.files],
                f"done in {self.seconds:.1f} s",
            ]
        )

    def _errors(self, skip: int) -> list[str]:
        """The table of errors, one held-out run a line."""
        header = ["held-out run", "from"]
        means = ["mean", ""]
        for law, scores in self.scores.items():
            header += [law, "end"]
            means.append(f"{np.mean([each.rmse for each in scores]):.4f}")
            means.append(f"{np.mean([abs(each.final_error) for each in scores]):.4f}")
        rows: list[list[str]] = []
        for of_run in zip(*self.scores.values(), strict=True):
            row = [of_run[0].label, str(max(of_run[0].after + 1, skip))]
            for each in of_run:
                row += [f"{each.rmse:.4f}", f"{each.final_error:+.4f}"]
            rows.append(row)
        return table(header, [*rows, means], rule=True)


def run_demo(folder: str | Path, say: Callable[[str], None] = lambda words: None) -> Demo:
    """Fit, predict, draw and write everything into ``folder``.

    Args:
        folder: Made if it does not exist.
        say: Called with a few words before each part.

    Raises:
        InputError: the folder cannot be made or written.
    """
    begun = time.perf_counter()
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {folder}: {error.strerror or error}") from None
    curves = bundled_curves()
    fitted = [curve for curve in curves if curve.label in FITTED]
    held_out = tuple(curve for curve in curves if curve.label not in FITTED)
    fits: dict[str, Fit] = {}
    scores: dict[str, tuple[CurveScore, ...]] = {}
    for name in ("auto", RIVAL):
        say(f"fitting {len(fitted)} runs, law {name}")
        result = fit(fitted, name)
        fits[result.law.name] = result
        scores[result.law.name] = score(result, held_out, unseen=True).curves
    first = next(iter(fits))
    say("designing a schedule")
    best = design(fits[first], max(curve.schedule.horizon for curve in fitted))
    say("drawing")
    predictions = predictions_figure(fits, scores[first], fitted, held_out)
    files = [
        write_text(folder / "predictions.csv", predictions_csv(fits, held_out)),
        write_bytes(folder / "predictions.png", png(predictions, dpi=140)),
        write_bytes(folder / "errors.png", png(errors_figure(scores), dpi=160)),
        write_bytes(folder / "design.png", png(design_figure(fits[first], best), dpi=160)),
        write_text(folder / "schedule.csv", schedule_csv(best.schedule)),
    ]
    files += _logs(folder)
    for law, result in fits.items():
        path = folder / ("fit.json" if law == first else f"fit-{law}.json")
        result.save(str(path))
        files.append(path)
    files.append(_report(folder, fits[first], held_out, say))
    return Demo(
        fits=fits,
        scores=scores,
        held_out=held_out,
        design=best,
        seconds=time.perf_counter() - begun,
        files=tuple(files),
    )


def predictions_csv(fits: dict[str, Fit], held_out: tuple[LossCurve, ...]) -> str:
    """Every held-out run: what was observed, and what each law predicts, with its interval."""
    header = ["run", "step", "lr", "seen"]
    for law in fits:
        header += [law, f"{law}_lower", f"{law}_upper"]
    lines = [",".join(header)]
    for curve in held_out:
        predictions = [each.predict(curve.schedule, curve.steps) for each in fits.values()]
        for i, step in enumerate(curve.steps):
            cells = [curve.label, str(step), f"{curve.schedule.lr[step - 1]:.8g}"]
            cells.append(f"{curve.loss[i]:.5f}")
            for prediction in predictions:
                assert prediction.lower is not None
                assert prediction.upper is not None
                values = (prediction.loss[i], prediction.lower[i], prediction.upper[i])
                cells += [f"{value:.5f}" for value in values]
            lines.append(",".join(cells))
    return "\n".join(lines) + "\n"


def _report(
    folder: Path, first: Fit, held_out: tuple[LossCurve, ...], say: Callable[[str], None]
) -> Path:
    """The page about the fit, some runs that it has not seen, and the one in progress."""
    logs = ["run.csv", *(f"runs/{label}.csv" for label in REPORTED)]
    curves = [*read_curves(folder / logs[0])]
    curves += [each for each in held_out if each.label in REPORTED]
    again = [f"losslaw report fit.json {' '.join(logs)} -o report.html"]
    made = report(first, curves, title="The demo of losslaw", again=again, progress=say)
    made.save(folder / "report.html")
    return folder / "report.html"


def _logs(folder: Path) -> list[Path]:
    """What commands can be tried on: logs of all runs, of one in progress, of several sizes."""
    logs = bundled_logs()
    runs, sizes = folder / "runs", folder / "sizes"
    runs.mkdir(exist_ok=True)
    for name, content in logs.items():
        write_bytes(runs / name, content)
    sizes.mkdir(exist_ok=True)
    for size, cooldown in COOLDOWNS_BY_SIZE.items():
        write_text(sizes / f"{size}M.csv", _log_of_size(size, cooldown))
    name, lines = IN_PROGRESS
    run = b"# warmup: 100\n" + b"".join(logs[name].splitlines(keepends=True)[:lines])
    return [
        runs,
        write_bytes(folder / "run.csv", run),
        sizes,
        write_text(folder / "grid.toml", GRID),
    ]


def _log_of_size(size: int, cooldown: float) -> str:
    law = Effective(L0=2.0 + 0.8 * (size / 40) ** -0.25, A=0.5, N=45.0)
    usual = partial(wsd, cooldown=cooldown) if cooldown else constant
    schedule = usual(peak=1e-3, horizon=6000, warmup=200, weight_decay=0.1)
    curve = law.curve(schedule, np.arange(20, 6001, 20))
    rows = zip(curve.steps, schedule.lr[curve.steps - 1], curve.loss, strict=True)
    return MADE.format(size=size) + "".join(f"{k},{lr:.8g},{loss:.5f}\n" for k, lr, loss in rows)
