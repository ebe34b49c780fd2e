"""``python -m benchmarks [NAME...]``: measure and print; all of it into RESULTS.md.

Names: laws, fit, design, fleet, cli, kernel, live.
"""

import os
import platform
import sys
from pathlib import Path

from benchmarks import (
    bench_cli,
    bench_design,
    bench_fit,
    bench_fleet,
    bench_kernel,
    bench_laws,
    bench_live,
)
from losslaw import __version__
from losslaw.files import write_text

MAKERS = {
    "laws": bench_laws,
    "fit": bench_fit,
    "design": bench_design,
    "fleet": bench_fleet,
    "cli": bench_cli,
    "kernel": bench_kernel,
    "live": bench_live,
}


def processor() -> str:
    """What the numbers were measured on."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        text = ""
    names = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    name = names[0] if names else platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores, Python {platform.python_version()}"


def main(names: list[str]) -> int:
    """Measure the named parts, or all."""
    parts: list[str] = []
    for name in names or list(MAKERS):
        if name not in MAKERS:
            print(f"no part {name!r}: expected one of {', '.join(MAKERS)}", file=sys.stderr)
            return 2
        title, _, text = (MAKERS[name].__doc__ or "").partition("\n\n")
        parts.append(f"## {title.rstrip('.')}\n\n{text.strip()}\n\n{MAKERS[name].table()}\n")
        print(parts[-1], flush=True)
    if not names:
        head = (
            "# Benchmarks\n\n"
            f"Made by `make bench` with losslaw {__version__} on {processor()}; one core each."
            " Times are the best of a few calls, compiled code in the cache.\n"
        )
        write_text(Path(__file__).parent / "RESULTS.md", "\n".join([head, *parts]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
