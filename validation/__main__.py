"""``python -m validation [NAME...]``: make the tables anew, all of them or those named.

``--train`` first trains the runs that ``lab_physics``, ``merging``, ``proof``, ``proof_12000`` or
``second_phase`` lack, which takes some hours of one core when there are none; the tables themselves
read the committed ones. ``--compare FOLDER`` makes nothing: it says which numbers moved against an
older folder of results, and by how much.
"""

import argparse
import importlib
import sys
import time
import traceback
from pathlib import Path

from losslaw.errors import InputError
from losslaw.files import write_text
from losslaw.lab import TrainingInterrupted
from losslaw.version import __version__
from validation.compare import compared
from validation.public_runs import CURVES, missing

RESULTS = Path(__file__).parent / "results"
# The modules, in the order in which they are made; whether they need the public loss curves.
TABLES = {
    "published": True,
    "accuracy": True,
    "advice": True,
    "annealed": True,
    "away": True,
    "constants": True,
    "cooldown_fraction": True,
    "design_gains": True,
    "design_kernel": False,
    "design_shapes": True,
    "kernel": False,
    "kernel_averages": False,
    "kernel_laws": False,
    "kernel_phases": False,
    "kernel_questions": False,
    "lab_auto": False,
    "lab_law": False,
    "lab_physics": False,
    "ladder": True,
    "merging": False,
    "progress": True,
    "proof": False,
    "proof_12000": False,
    "second_phase": False,
}
TRAINED = ("lab_physics", "merging", "proof", "proof_12000", "second_phase")


def main(arguments: list[str]) -> int:
    """Write the named tables, or all; the status is 1 if one could not be made."""
    parser = argparse.ArgumentParser(prog="python -m validation", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(TABLES))
    parser.add_argument("--train", action="store_true", help="train the runs that are missing")
    parser.add_argument("--compare", type=Path, metavar="FOLDER", help="older results")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in TABLES]
    if unknown:
        parser.error(f"no table {unknown[0]!r}: expected some of {', '.join(TABLES)}")
    names = options.names or list(TABLES)
    if options.compare is not None:
        print(compared(options.compare, RESULTS, names))
        return 0
    if options.train:
        status = trained([name for name in TRAINED if name in (options.names or TRAINED[:1])])
        if status:
            return status
    return made(names)


def made(names: list[str]) -> int:
    """Make tables one after the other; one that fails does not stop the others."""
    left_out: list[str] = []
    failed: list[str] = []
    for i, name in enumerate(names, 1):
        if TABLES[name] and missing("schaipp_llama_val"):
            left_out.append(name)
            continue
        print(f"[{i}/{len(names)}] {name} ...", flush=True)
        begun = time.perf_counter()
        try:
            write_text(RESULTS / f"{name}.md", page(name))
        except KeyboardInterrupt:
            print(f"stopped in {name}, which is as it was; {i - 1} before it are done")
            return 130
        except Exception:
            traceback.print_exc()
            failed.append(name)
        else:
            print(f"[{i}/{len(names)}] {name}: {time.perf_counter() - begun:.0f} s", flush=True)
    if left_out:
        print(
            f"left out: {', '.join(left_out)}. They need the public loss curves: pooch, which"
            f" downloads them, or a folder {'/'.join(CURVES.parts[-2:])} beside the project"
        )
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def page(name: str) -> str:
    """A table below the docstring of its module, which says how it was made."""
    module = importlib.import_module(f"validation.{name}")
    title, *method = (module.__doc__ or "").rstrip().splitlines()
    head = [f"# {title}", "", f"Made by `python -m validation {name}` with losslaw {__version__}."]
    return "\n".join([*head, *method, "", module.table().rstrip(), ""])


def trained(names: list[str]) -> int:
    """Train what is missing of the runs that these tables read."""
    for name in names:
        try:
            importlib.import_module(f"validation.{name}.train").make_runs()
        except InputError as error:  # torch is missing, or the text is another one
            print(f"{name}: {error}", file=sys.stderr)
            return 2
        except TrainingInterrupted as stop:
            print(f"{name}: {stop}", file=sys.stderr)
            return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
