"""``python -m validation [NAME...]``: make the tables anew, all of them or those named.

``--train`` first trains the runs that ``lab_physics`` or ``proof`` still lacks, which takes an hour
of one core when there are none; the tables themselves read the committed ones.
"""

import sys
import time
from pathlib import Path

from losslaw import __version__
from losslaw.errors import InputError
from losslaw.files import write_text
from losslaw.lab import TrainingInterrupted
from validation import (
    accuracy,
    advice,
    constants,
    design_gains,
    design_kernel,
    design_shapes,
    kernel,
    kernel_laws,
    lab_auto,
    lab_physics,
    lab_runs,
    progress,
    proof,
    published,
)
from validation.protocols import CURVES

PUBLIC = (
    "published",
    "accuracy",
    "design_gains",
    "design_shapes",
    "advice",
    "progress",
    "constants",
)
RESULTS = Path(__file__).parent / "results"


def main(names: list[str]) -> int:
    """Write the named tables, or all."""
    makers = {
        "published": (published, published.table),
        "accuracy": (accuracy, accuracy.tables),
        "advice": (advice, advice.table),
        "constants": (constants, constants.table),
        "design_gains": (design_gains, design_gains.table),
        "design_kernel": (design_kernel, design_kernel.table),
        "design_shapes": (design_shapes, design_shapes.table),
        "kernel": (kernel, kernel.table),
        "kernel_laws": (kernel_laws, kernel_laws.table),
        "lab_auto": (lab_auto, lab_auto.table),
        "lab_physics": (lab_physics, lab_physics.table),
        "progress": (progress, progress.tables),
        "proof": (proof, proof.table),
    }
    if "--train" in names:
        names = [name for name in names if name != "--train"] or ["lab_physics"]
        trainers = {"lab_physics": lab_runs.make_runs, "proof": proof.make_runs}
        for name in names:
            try:
                trainers.get(name, lab_runs.make_runs)()
            except InputError as error:  # torch is missing, or the text is another one
                print(f"{name}: {error}", file=sys.stderr)
                return 2
            except TrainingInterrupted as stop:
                print(f"{name}: {stop}", file=sys.stderr)
                return 130
    for name in names or list(makers):
        if name not in makers:
            print(f"no table {name!r}: expected one of {', '.join(makers)}", file=sys.stderr)
            return 2
        if name in PUBLIC and not CURVES.is_dir():
            print(f"{name} needs the public loss curves in ../shared/curves; it was left out")
            continue
        module, make = makers[name]
        begun = time.perf_counter()
        text = make()
        head = [
            f"# {(module.__doc__ or '').splitlines()[0]}",
            "",
            f"Made by `python -m validation {name}` with losslaw {__version__}.",
            "",
        ]
        notes = "\n".join((module.__doc__ or "").splitlines()[2:])
        write_text(RESULTS / f"{name}.md", "\n".join([*head, notes, "", text]))
        print(text)
        print(f"{name}: {time.perf_counter() - begun:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
