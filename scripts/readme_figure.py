"""The picture at the head of the README: ``python scripts/readme_figure.py``.

Three runs that come with the package, predicted by two laws that were fitted to three other runs.
"""

from pathlib import Path

from losslaw.curves import bundled_curves
from losslaw.demo import FITTED
from losslaw.drawing.axes import figure_legend
from losslaw.drawing.style import LETTERS, new_figure
from losslaw.files import write_bytes
from losslaw.files.pictures import png
from losslaw.fitting import fit
from losslaw.views.demo_figures import run_panel

LAWS = ("effective", "multipower")
SHOWN = {
    "wsd-linear-0.4_peak3e-3_T4000": "a longer decay",
    "step_peak3e-3_T4000": "steps",
    "wsd-linear-0.2_peak6e-3_T4000": "twice the peak rate",
}


def main() -> None:
    """Draw and save."""
    curves = {curve.label: curve for curve in bundled_curves()}
    fits = {law: fit([curves[label] for label in FITTED], law) for law in LAWS}
    figure = new_figure(6.8, 2.6)
    outer = figure.add_gridspec(1, len(SHOWN))
    for i, (label, title) in enumerate(SHOWN.items()):
        inner = outer[i].subgridspec(2, 1, height_ratios=(1, 4), hspace=0.02)
        top, ax = figure.add_subplot(inner[0]), figure.add_subplot(inner[1])
        run_panel(top, ax, curves[label], fits, first=400)
        top.set_title(f"never fitted: {title}", fontsize=LETTERS)
        if i:
            ax.set_ylabel("")
    figure_legend(figure, figure.axes[1], "lower")
    images = Path(__file__).resolve().parent.parent / "docs" / "images"
    images.mkdir(parents=True, exist_ok=True)
    write_bytes(images / "prediction.png", png(figure, dpi=200))


if __name__ == "__main__":
    main()
