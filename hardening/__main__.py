"""``python -m hardening [NAME...]``: try to break losslaw, and write down what came of it.

The same seed gives the same attempts. A fault is printed when it is met and stands below the table;
the status is then 1. Ctrl-C ends at once and leaves the table of the last run as it was.
"""

import argparse
import importlib
import sys
import time
from pathlib import Path

from losslaw.files import write_text

RESULTS = Path(__file__).parent / "results"
SUITES = ("mutated_logs", "command_lines", "guided_fuzz")


def main(arguments: list[str]) -> int:
    """Run the suites named, or all; the status is 1 if there is a fault."""
    parser = argparse.ArgumentParser(prog="python -m hardening", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SUITES))
    parser.add_argument("--seed", type=int, default=0, help="of all attempts (default 0)")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in SUITES]
    if unknown:
        parser.error(f"no suite {unknown[0]!r}: expected some of {', '.join(SUITES)}")
    status = 0
    for name in options.names or SUITES:
        begun = time.perf_counter()
        suite = importlib.import_module(f"hardening.{name}")

        def tell(text: str, name: str = name, begun: float = begun) -> None:
            print(f"{name} {time.perf_counter() - begun:5.0f} s: {text}", flush=True)

        try:
            table, faults = suite.run(options.seed, tell)
        except KeyboardInterrupt:
            print(f"\nstopped; {RESULTS / name}.md is as it was", flush=True)
            return 130
        command = f"python -m hardening {name}" + (
            f" --seed {options.seed}" if options.seed else ""
        )
        method = (suite.__doc__ or "").strip()
        title = name.replace("_", " ").capitalize()
        write_text(RESULTS / f"{name}.md", f"# {title}\n\n`{command}`\n\n{method}\n\n{table}")
        status = status or int(faults > 0)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
