"""What a run has shown so far: a log of bounded length, whose losses are means.

A row has the updates done, the rate of the last of them, and the mean of the losses since the row
before. At `MOST` rows, two neighbours become one, over twice as many updates, so the log of any
run is whole, and as fine as its length allows. A step that comes again is a run that was resumed:
what was seen from there on is superseded.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from losslaw.files import read_table, write_text
from losslaw.numerics.arrays import FloatArray, IntArray

# Rows kept. A fit averages longer logs as well, and these are written in some 20 ms.
MOST = 8192
COLUMNS = ("step", "lr", "loss")


@dataclass(kw_only=True)
class Seen:
    """The log of a run in progress.

    Args:
        row: Updates that a row is the mean over, if the losses come one by one.
        missed: Updates since the last row, if the losses of a row since then were not finite.
    """

    row: int = 1
    steps: list[int] = field(default_factory=list[int])
    lr: list[float] = field(default_factory=list[float])
    loss: list[float] = field(default_factory=list[float])
    missed: int = 0
    # Sum of the losses since the last row, a number or a tensor that is still being computed, the
    # updates in it, and the last of them.
    _sum: Any = 0.0
    _count: int = 0
    _last: int = 0
    # Where the last row ended that was complete, whether its losses were finite or not.
    _ended: int = 0

    @property
    def last(self) -> int:
        """The last update seen; 0: none."""
        return self._last

    def add(self, step: int, loss: Any, lr: float) -> bool:
        """Take in one loss: of update ``step``, or the mean since the call before.

        Args:
            step: Updates done, from 1.
            loss: A number, or a tensor of one: it is read only when its row is full, so that no
                update waits for the device.
            lr: Rate of update ``step``.

        Returns:
            Whether a row was completed.
        """
        if step <= self._last:
            self.forget_from(step)
        detach = getattr(loss, "detach", None)
        self._sum = self._sum + (loss if detach is None else detach().float())
        self._count += 1
        self._last = step
        done = self.steps[-1] if self.steps else 0
        if step - done < self.row and step % self.row:
            return False
        mean = float(self._sum) / self._count
        self.missed += step - self._ended if self._ended else self._count
        self._sum, self._count, self._ended = 0.0, 0, step
        if not (math.isfinite(mean) and math.isfinite(lr)):  # an update that was skipped
            return False
        self.missed = 0
        self.steps.append(int(step))
        self.lr.append(float(lr))
        self.loss.append(mean)
        if len(self.steps) >= MOST:
            self._halve()
        return True

    def forget_from(self, step: int) -> None:
        """Forget all from update ``step`` on."""
        kept = int(np.searchsorted(self.steps, step))
        for values in (self.steps, self.lr, self.loss):
            del values[kept:]
        self._sum, self._count = 0.0, 0
        self._last = self._ended = min(self._last, step - 1)
        self.missed = 0

    def take(self, steps: Sequence[int], lr: Sequence[float], loss: Sequence[float]) -> None:
        """Rows from elsewhere, where these end."""
        for step, rate, each in zip(steps, lr, loss, strict=True):
            if step > self._last:
                self.steps.append(int(step))
                self.lr.append(float(rate))
                self.loss.append(float(each))
                self._last = int(step)
        while len(self.steps) >= MOST:
            self._halve()

    def arrays(self) -> tuple[IntArray, FloatArray, FloatArray]:
        """Steps, rates and losses, of shape ``(rows,)``."""
        return np.array(self.steps), np.array(self.lr), np.array(self.loss)

    def as_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {
            "row": self.row,
            **{name: list(getattr(self, "steps" if name == "step" else name)) for name in COLUMNS},
            "sum": float(self._sum),
            "count": self._count,
            "last": self._last,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Become what `as_dict` has kept."""
        self.row = int(state["row"])
        self.steps, self.lr, self.loss = (list(state[name]) for name in COLUMNS)
        self._sum, self._count, self._last = state["sum"], state["count"], state["last"]

    def write(self, path: Path, facts: Mapping[str, object]) -> None:
        """Write the log, and what else is known of the run, as a file that losslaw reads."""
        known = {"lr_is": "used", "loss_is": "mean", **facts}
        lines = [f"# {key}: {value}" for key, value in known.items() if value is not None]
        rows = zip(self.steps, self.lr, self.loss, strict=True)
        lines += [",".join(COLUMNS), *(f"{step},{lr!r},{loss!r}" for step, lr, loss in rows)]
        write_text(path, "\n".join(lines) + "\n")

    def read(self, path: Path, until: int) -> None:
        """Take in the rows of a log up to step ``until``.

        Raises:
            InputError: the file cannot be read.
        """
        table = read_table(str(path))
        step, lr, loss = (table.numbers(name) for name in COLUMNS)
        kept = step <= until
        self.take(step[kept].astype(np.int64).tolist(), lr[kept].tolist(), loss[kept].tolist())
        gaps = np.diff(self.steps[-3:])
        if gaps.size and self.row > 1:  # rows that were joined stay as wide
            self.row = max(self.row, int(gaps.max()))

    def _halve(self) -> None:
        """Two neighbours become one; the last row stays alone where their number is odd."""
        steps, lr, loss = self.arrays()
        counts = np.diff(steps, prepend=0)
        counts[0] = min(counts[0], counts[1])  # the run may have been seen from its middle on
        even = steps.size // 2 * 2
        total = (counts * loss)[:even].reshape(-1, 2).sum(axis=1)
        means = total / counts[:even].reshape(-1, 2).sum(axis=1)
        rest = slice(even, None)
        self.steps = [*steps[1:even:2].tolist(), *steps[rest].tolist()]
        self.lr = [*lr[1:even:2].tolist(), *lr[rest].tolist()]
        self.loss = [*means.tolist(), *loss[rest].tolist()]
        self.row *= 2
