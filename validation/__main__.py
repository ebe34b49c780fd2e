"""``python -m validation [published] [accuracy] [kernel] [kernel_laws]``: make the tables anew."""

import sys
import time
from pathlib import Path

from losslaw import __version__
from losslaw.files import write_text
from validation import accuracy, kernel, kernel_laws, published
from validation.protocols import CURVES

RESULTS = Path(__file__).parent / "results"


def main(names: list[str]) -> int:
    """Write the named tables, or all."""
    makers = {
        "published": (published, published.table),
        "accuracy": (accuracy, accuracy.tables),
        "kernel": (kernel, kernel.table),
        "kernel_laws": (kernel_laws, kernel_laws.table),
    }
    for name in names or list(makers):
        if name not in makers:
            print(f"no table {name!r}: expected one of {', '.join(makers)}", file=sys.stderr)
            return 2
        if name in ("published", "accuracy") and not CURVES.is_dir():
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
