"""Fit a law to three runs, predict the others, and compare with what was measured.

The runs come with the package: a small language model under fifteen learning-rate schedules. Fitted
are a constant rate, a cosine and a WSD of 4,000 updates at one peak; predicted are other shapes,
three times the horizon and other peaks.
"""

import sys
from pathlib import Path

import losslaw as ll

FITTED = ("constant_peak3e-3_T4000", "cosine_peak3e-3_T4000", "wsd-linear-0.2_peak3e-3_T4000")
DRAWN = "wsd-linear-0.2_peak3e-3_T12000"


def main(folder: Path) -> None:
    """Fit, print the report, and a line for every run that was held out."""
    curves = ll.bundled_curves()
    fit = ll.fit([curve for curve in curves if curve.label in FITTED])
    print(fit)
    print()
    print(f"{'held out':33} predicted       90 % interval  measured")
    inside = held_out = 0
    for curve in curves:
        if curve.label in FITTED:
            continue
        prediction = fit.predict(curve.schedule, curve.steps[-3:])
        lower, upper = prediction.lower.mean(), prediction.upper.mean()
        predicted, measured = prediction.loss.mean(), curve.final_loss
        print(f"{curve.label:33} {predicted:9.4f}  {lower:8.4f} .. {upper:.4f} {measured:9.4f}")
        inside += lower <= measured <= upper
        held_out += 1
    print(f"{inside} of {held_out} inside")
    truth = next(curve for curve in curves if curve.label == DRAWN)
    ax = fit.predict(truth.schedule).plot(truth=truth)
    ax.figure.savefig(folder / "fit_and_predict.png", dpi=200)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
