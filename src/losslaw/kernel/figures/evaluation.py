"""A simulated curve as a picture: the excess risk along the run, its parts, and the rate below."""

import numpy as np

from losslaw.drawing.style import COLORS, FAINT, INK, new_figure
from losslaw.kernel.figures.shared import Axes, Figure, legend, quiet
from losslaw.kernel.methods import Evaluation

# Terms of the functional scaling law, if they are there.
PARTS = {
    "approximation": (FAINT, "-."),
    "signal": (COLORS[2], "--"),
    "minibatch": (COLORS[6], ":"),
    "label": (COLORS[1], (0, (6, 2))),
}


def evaluation_figure(result: Evaluation) -> Figure:
    """Excess risk against updates, both in logarithms; below it the learning rate.

    Sampled runs have a band of two standard errors, the functional scaling law its terms.
    """
    figure = new_figure(6.4, 5.2)
    top, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    world = result.world
    top.plot(result.steps, result.excess, color=COLORS[0], lw=1.6, label=f"method {result.method}")
    for name, (color, line) in PARTS.items():
        if name in result.columns and (result.columns[name] > 0).any():
            top.plot(result.steps, result.columns[name], color=color, lw=1.2, ls=line, label=name)
    if "standard_error" in result.columns:
        error = 2 * result.columns["standard_error"]
        low = np.maximum(result.excess - error, 1e-3 * result.excess)
        top.fill_between(
            result.steps, low, result.excess + error, color=COLORS[0], alpha=0.2, lw=0,
            label="two standard errors",
        )  # fmt: skip
    top.set_xscale("log")
    top.set_yscale("log")
    top.set_ylabel("risk above irreducible")
    legend(top)
    given = "spectrum of its own"
    if world.source is not None:
        given = f"s = {world.source:g}, beta = {world.capacity:g}"
    quiet(top, f"{given}, M = {world.modes:g}, noise {world.noise:g}")
    _rates(below, result)
    return figure


def _rates(ax: Axes, result: Evaluation) -> None:
    ax.plot(result.steps, result.lr, color=INK, lw=1.2)
    ax.set_ylim(0, 1.1 * float(result.lr.max()) or 1)
    ax.set_xlabel("updates")
    ax.set_ylabel("learning rate")
    quiet(ax)
