"""A run half done: where will it end, and what would a decay give? Then, what was measured.

Three runs of the same model stand for your logs: two short ones that are finished, and the first
6,000 updates of one that holds its rate and is planned to 12,000. In the package are also the two
ways it went on: at its rate to the end, and with a decay over the last 2,400 updates.
"""

import sys
from pathlib import Path

import losslaw as ll

NAMES = (
    "constant_peak3e-3_T12000",
    "wsd-linear-0.2_peak3e-3_T12000",
    "cosine_peak3e-3_T4000",
    "wsd-linear-0.2_peak3e-3_T4000",
)


def main(folder: Path) -> None:
    """Print the forecast, and the losses that were measured later."""
    held, decayed, *earlier = ll.bundled_curves(NAMES)
    run = held.until(6000)
    forecast = ll.forecast(run, 12_000, earlier=earlier, decay_over=[600, 1200, 2400])
    print(forecast)
    print()
    late = next(one for one in forecast.endings if one.when == "later" and one.over == 2400)
    for name, predicted, curve in (
        ("at its rate to the end", forecast.final, held),
        (f"decayed from step {late.start:,}", late.loss, decayed),
    ):
        print(f"{name:25} predicted {predicted:.4f}, measured {curve.final_loss:.4f}")
    forecast.plot(curve=run).figure.savefig(folder / "forecast_a_run.png", dpi=200)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
