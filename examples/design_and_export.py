"""Design the schedule with the lowest predicted loss, and write it for PyTorch.

The law is fitted to three short runs. The answer says what the design gains over the usual
schedules, and which simple schedule is as good within what is known; that one is often the better
choice.
"""

import sys
from pathlib import Path

import losslaw as ll

FITTED = ("constant_peak3e-3_T4000", "cosine_peak3e-3_T4000", "wsd-linear-0.2_peak3e-3_T4000")


def main(folder: Path) -> None:
    """Print the design, write schedule.py and a picture into ``folder``."""
    fit = ll.fit(ll.bundled_curves(FITTED))
    design = ll.design(fit, 8000, peak=3e-3, warmup=100)
    print(design)
    print()
    if design.simple is not None:
        print(f"as good, within what is known: {design.simple.name}")
    path = folder / "schedule.py"
    path.write_text(ll.export(design.schedule, "torch"), encoding="utf-8")
    print(f"written: {path.name}, for torch.optim.lr_scheduler.LambdaLR")
    design.plot().figure.savefig(folder / "design_and_export.png", dpi=200)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
