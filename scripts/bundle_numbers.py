"""What the bundled curves say by themselves: ends, what decays pay, noise along a run.

    python scripts/bundle_numbers.py [FOLDER]

prints the table of src/losslaw/curves/bundled/README.md, for the curves in FOLDER (by default those
of the installed package).

* End: mean of the last three losses.
* Pays: end of the constant run of the same peak, seed and horizon, minus end.
* Noise: standard deviation of the losses about a local parabola through 11 points (250 updates),
  scaled up for what the parabola takes with it; from half to three quarters of the run, where most
  schedules still have their peak rate, and over the last fifth, where most decay. A jump of the
  rate inside the piece counts in: see twostage.
"""

import json
import sys
from pathlib import Path

import numpy as np
from scipy.signal import savgol_coeffs, savgol_filter

import losslaw

WINDOW, ORDER = 11, 2


def noise(losses: np.ndarray) -> float:
    """Standard deviation about a local parabola, nats."""
    # The filter leaves the share (1 - centre)^2 + sum of the other weights^2 of white noise.
    weights = -savgol_coeffs(WINDOW, ORDER)
    weights[WINDOW // 2] += 1
    inside = slice(WINDOW // 2, -(WINDOW // 2))
    residual = (losses - savgol_filter(losses, WINDOW, ORDER))[inside]
    return float(residual.std() / np.sqrt(np.sum(weights**2)))


def main() -> None:
    """Print the table and the repeat's differences."""
    default = Path(losslaw.__file__).parent / "curves" / "bundled"
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    runs = json.loads((folder / "meta.json").read_text())["runs"]
    curves = {
        label: np.loadtxt(folder / f"{label}.csv", delimiter=",", skiprows=1) for label in runs
    }
    ends = {label: curve[-3:, 2].mean() for label, curve in curves.items()}
    print("| run | end | pays | noise, 50-75 % | noise, last fifth | seconds |")
    print("|---|---|---|---|---|---|")
    for label, run in runs.items():
        step, loss = curves[label][:, 0], curves[label][:, 2]
        constant = f"constant_{label.split('_', 1)[1]}"
        pays = f"{ends[constant] - ends[label]:.3f}" if constant in ends else ""
        horizon = run["total_steps"]
        middle = noise(loss[(step > 0.5 * horizon) & (step <= 0.75 * horizon)])
        last = noise(loss[step > 0.8 * horizon])
        print(
            f"| {label} | {ends[label]:.4f} | {pays} | {middle:.4f} | {last:.4f}"
            f" | {run['seconds']:.0f} |"
        )
    print()
    for label in runs:
        if not label.endswith("_seed1"):
            continue
        first = label.removesuffix("_seed1")
        difference = curves[label][:, 2] - curves[first][:, 2]
        half = difference[len(difference) // 2 :]
        print(
            f"{label} minus {first}: {ends[label] - ends[first]:+.4f} at the end,"
            f" {half.mean():+.4f} on average over the second half, from {half.min():+.4f}"
            f" to {half.max():+.4f}"
        )


if __name__ == "__main__":
    main()
