"""The clock of the benchmarks, and their tables."""

import time
from collections.abc import Callable, Sequence


def best_of(repeats: int, call: Callable[[], object]) -> float:
    """Processor seconds of the fastest of several calls.

    What disturbs a call only ever makes it slower; and what runs here runs on one core, so that
    processor time is what a quiet machine takes.
    """
    times: list[float] = []
    for _ in range(repeats):
        begun = time.process_time()
        call()
        times.append(time.process_time() - begun)
    return min(times)


def seconds(value: float) -> str:
    """A duration with two digits.

    >>> seconds(0.00123), seconds(0.25), seconds(12.0), seconds(4321.0)
    ('1.2 ms', '250 ms', '12 s', '72 min')
    """
    if value < 1:
        return f"{value * 1e3:.2g} ms" if value < 0.0995 else f"{value * 1e3:.0f} ms"
    return f"{value:.2g} s" if value < 100 else f"{value / 60:.0f} min"


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, first column to the left and the others to the right."""
    lines = [header, ["---", *["--:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
