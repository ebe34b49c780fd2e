"""The model in which the laws are proved: exact loss curves, and a law that finds their exponents.

In power-law kernel regression the mean loss of one-pass SGD can be computed exactly, with
infinitely many modes. A functional scaling law is fitted to four such curves, as to those of a
language model: theory says that the signal decays with the exponent ``source``, and that noise is
forgotten with ``2 - 1 / capacity``. Small rates, and steps that are neither early nor just after a
drop, are what the law is meant for.
"""

import sys
from pathlib import Path

import numpy as np

import losslaw as ll
from losslaw.views import plot_curves


def main(folder: Path) -> None:
    """Print exact final losses, and measured exponents beside those of theory."""
    source, capacity, peak, horizon = 1.0, 2.0, 0.02, 100_000
    world = ll.KernelRegression(source=source, capacity=capacity, modes=np.inf, noise=1.0)
    half, tenth = horizon // 2, horizon // 10
    schedules = {
        "constant": ll.constant(peak=peak, horizon=horizon),
        "cosine": ll.cosine(peak=peak, horizon=horizon),
        "drop at a half": ll.Schedule(np.where(np.arange(horizon) < half, peak, peak / 10)),
        "drop at a tenth": ll.Schedule(np.where(np.arange(horizon) < tenth, peak, peak / 5)),
    }
    steps = np.arange(5000, horizon + 1, 5000)
    curves = [
        world.mean_curve(schedule, steps=steps).with_(label=name)
        for name, schedule in schedules.items()
    ]
    for curve in curves:
        print(f"{curve.label:16} excess risk at the end {curve.loss[-1] - 0.5:.6f}")
    # Exact losses of runs without a warm-up: nothing has to be left out.
    fit = ll.fit(curves, "convolution", uncertainty=False, keep_all=True)
    print(f"signal: exponent {fit.parameters['s']:.3f}, theory {source:.3f}")
    print(f"noise:  exponent {fit.parameters['q']:.3f}, theory {2 - 1 / capacity:.3f}")
    plot_curves(curves).figure.savefig(folder / "kernel_world.png", dpi=200)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
