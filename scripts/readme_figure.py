"""The picture at the head of the README: ``python scripts/readme_figure.py``.

Three runs that come with the package, predicted by two laws that were fitted to three other runs.
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from losslaw.curves import bundled_curves
from losslaw.demo import FITTED
from losslaw.files import write_bytes
from losslaw.files.pictures import png
from losslaw.fitting import fit
from losslaw.views.plots import (
    OTHER,
    OURS,
    loss_limits,
    plot_curve,
    plot_prediction,
    plot_schedule,
)

LAWS = {"effective": OURS, "multipower": OTHER}
SHOWN = {
    "wsd-linear-0.4_peak3e-3_T4000": "a longer decay",
    "step_peak3e-3_T4000": "steps",
    "wsd-linear-0.2_peak6e-3_T4000": "twice the peak rate",
}


def main() -> None:
    """Draw and save."""
    curves = {curve.label: curve for curve in bundled_curves()}
    fits = {law: fit([curves[label] for label in FITTED], law) for law in LAWS}
    figure = Figure(figsize=(10.5, 3.6), layout="constrained")
    outer = figure.add_gridspec(1, len(SHOWN))
    for i, (label, title) in enumerate(SHOWN.items()):
        curve = curves[label]
        inner = outer[i].subgridspec(2, 1, height_ratios=(1, 4), hspace=0.02)
        top, ax = figure.add_subplot(inner[0]), figure.add_subplot(inner[1])
        plot_schedule(top, curve.schedule)
        top.set_axis_off()
        top.set_title(f"never fitted: {title}", fontsize=10)
        plot_curve(ax, curve, alpha=0.7)
        steps = np.unique(np.linspace(400, curve.steps[-1], 300).round().astype(np.int64))
        for law, color in LAWS.items():
            prediction = fits[law].predict(curve.schedule, steps)
            plot_prediction(ax, prediction, color=color, label=law)
        for axes in (top, ax):
            axes.set_xlim(0, curve.schedule.horizon * 1.02)
        ax.set_ylim(*loss_limits(curve))
        if i:
            ax.set_ylabel("")
        else:
            ax.legend(frameon=False, fontsize=8)
    images = Path(__file__).resolve().parent.parent / "docs" / "images"
    images.mkdir(parents=True, exist_ok=True)
    write_bytes(images / "prediction.png", png(figure, dpi=130))


if __name__ == "__main__":
    main()
