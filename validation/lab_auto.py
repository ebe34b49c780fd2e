"""What `losslaw fit` makes of the lab's runs: other peaks, shapes and optimisers.

For each group of runs (validation/data/lab, 2,000 updates of the byte model) the constant run and
the WSD of one peak are fitted as a user would, and the group's other runs are predicted, after they
depart from the fitted ones. Nothing was chosen on AdamW's runs here but the 400 updates that short
runs leave out; the errors of free units were set after seeing SGD's. Final: predicted minus
observed, mean of the last three points; half-width of the 90 % interval at the end; inside: share
of points that it holds.
"""

from pathlib import Path

import numpy as np

from losslaw.curves import LossCurve, read_curves
from losslaw.fitting import Fit, fit
from losslaw.schedules.agreement import departure
from validation.accuracy import weighed

RUNS = Path(__file__).parent / "data" / "lab"
GROUPS = {
    "AdamW, weight decay 0": ("decay_0", ("constant_3e-3", "wsd_3e-3")),
    "AdamW, weight decay .1": ("decay_0.1", ("constant_3e-3", "wsd_3e-3")),
    "AdamW, weight decay .3": ("decay_0.3", ("constant_3e-3", "wsd_3e-3")),
    "SGD, one peak": ("sgd", ("constant_0.3", "wsd_0.3")),
    "SGD, two peaks": ("sgd", ("constant_0.3", "wsd_0.3", "constant_0.1")),
}


def table() -> str:
    """One table, and what stands behind each group."""
    lines = [
        "| fitted | held out | RMSE | final | half-width | inside 90 % |",
        "|---|---|---|---|---|---|",
    ]
    chosen: list[str] = []
    for title, (folder, labels) in GROUPS.items():
        runs = [read_curves(str(path))[0] for path in sorted((RUNS / folder).glob("*.csv"))]
        fitted = [run for run in runs if run.label in labels]
        result = fit(fitted)
        chosen.append(f"* {title}: {weighed(result)}")
        for run in runs:
            if run.label in labels:
                continue
            lines.append(f"| {title} | {run.label} | {_row(result, run, fitted)} |")
    return "\n".join([*lines, "", "What stands behind each, and what laws count:", "", *chosen, ""])


def _row(result: Fit, run: LossCurve, fitted: list[LossCurve]) -> str:
    left = departure(run.schedule, [(one.schedule, int(one.steps[-1])) for one in fitted])
    late = (run.steps > left) & (run.steps >= result.skip)
    prediction = result.predict(run.schedule, run.steps[late])
    observed = run.loss[late]
    error = prediction.loss - observed
    inside = np.mean((observed >= prediction.lower) & (observed <= prediction.upper))
    half = float(prediction.upper[-1] - prediction.loss[-1])
    return (
        f"{np.sqrt(np.mean(error**2)):.4f} | {error[-3:].mean():+.4f} | {half:.4f} | {inside:.2f}"
    )
