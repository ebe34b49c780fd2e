"""Keeps a log of a run from within it, and answers now and then where it will end.

The trainer's thread does next to nothing: it adds a number to a sum, completes a row, and every so
many updates starts a background thread, one at a time. That thread does not compute. Python runs
one thread at a time, and each operation of a training step gives up the interpreter and has to win
it back, so a fit in the same process makes small steps take about twice as long; and what a
thread computes, it computes beside the memory of the trainer. So the thread starts a process of low
priority, waits for it without holding the interpreter, and puts aside what it says.

Nothing that goes wrong here may end a run: it is told once, as a warning of the logger
``losslaw.live``, and the run goes on. So is what leaves an answer out: losses that are not finite,
a horizon that the run has passed, or a plan that it does not keep.
"""

import json
import logging
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

import numpy as np

from losslaw.errors import InputError, expect, expect_numbers
from losslaw.live.question import Question
from losslaw.live.seen import Seen
from losslaw.logs.optimizer import checked_optimizer
from losslaw.logs.run_facts import facts_from
from losslaw.numerics.arrays import FloatArray
from losslaw.numerics.interval import Level
from losslaw.schedules import ScheduleLike, decay_rates, schedule_of

if TYPE_CHECKING:  # read when earlier runs are given
    from losslaw.curves import Runs
    from losslaw.fitting import Fit

LOGGER = logging.getLogger("losslaw.live")
# A log that a trainer keeps in its own folder is called so; the run has the name of the folder.
LOG = "losslaw_log.csv"
# Rows below which nothing is asked.
LEAST = 12
# Updates that a row is the mean over, where losses come one by one.
ROW = 10
# Seconds after which a computation is given up.
PATIENCE = 1800.0
# Seconds for which the end of a run waits for a computation in progress.
LAST = 10.0
# What is told where there are no metrics at all, or not all of them.
WITHOUT = "the run goes on without losslaw's metrics"
IN_PART = "losslaw cannot use all that it was told of the run"
# What the process runs; -P keeps it from importing what lies in the folder where it is started.
PROGRAM = ("-P", "-m", "losslaw.live.answer")
# It uses one core, and no accelerator.
ALONE = {
    "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "",
}  # fmt: skip

P = ParamSpec("P")


def _quiet(
    method: "Callable[Concatenate[Watcher, P], None]",
) -> "Callable[Concatenate[Watcher, P], None]":
    """A method that never raises: what is wrong is told once."""

    @wraps(method)
    def quiet(self: "Watcher", *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            method(self, *args, **kwargs)
        except Exception as error:
            self.tell(error)

    return quiet


class Watcher:
    """Is told what a run does, and says where it will end.

    Args:
        log: Where the log is kept: a path that ends in ``.csv``. If the run is resumed, what it
            holds up to there is taken in. ``None``: it is in memory only.
        every: Updates between two computations, at least 1.
        horizon: Updates of the whole run; ``None``: those of the schedule, or not known.
        schedule: The whole plan, as record or text; ``None``: what the log shows goes on.
        say: Called with the metrics and the step, once for each computation, in the thread of the
            trainer: as ``wandb.log``.
        label: Name of the run; ``None``: that of the log.
        earlier: Earlier runs of the same model; they make the answers much surer.
        fit: A saved fit of such runs, or its path.
        decay_over: Lengths of the decays begun now; ``None``: as in `losslaw.forecast`.
        over: Length of the cooldown that the annealed loss is after: a share of the updates so far,
            or updates.
        shape: Shape of both.
        final: Rate at the end of both.
        level: Share of cases the intervals are meant to hold, in (0, 1).
        row: Updates that a row of the log is the mean over, if losses come one by one; ``None``:
            ten.
        new_data: Whether this run has other data than ``earlier`` or ``fit``.
        facts: What else is known of the run, as in `losslaw.read_curves`: ``warmup``,
            ``weight_decay``, ``batch``, ``model_size``, ``optimizer``.

    Raises:
        InputError: options that make no sense. After that nothing is raised any more.

    >>> watcher = Watcher(horizon=2000, every=500)
    >>> for step in range(1, 101):
    ...     metrics = watcher.seen(step, loss=2 + step**-0.5, lr=1e-3)
    >>> len(watcher.rows.steps), metrics
    (10, {})
    """

    def __init__(
        self,
        log: str | Path | None = None,
        *,
        every: int = 500,
        horizon: int | None = None,
        schedule: ScheduleLike | None = None,
        say: Callable[[dict[str, float], int], object] | None = None,
        label: str | None = None,
        earlier: "Runs" = (),
        fit: "Fit | str | Path | None" = None,
        decay_over: Sequence[float] | None = None,
        over: float = 0.2,
        shape: str = "linear",
        final: float = 0.0,
        level: float = 0.9,
        row: int | None = None,
        new_data: bool = False,
        **facts: Any,
    ) -> None:
        expect_numbers(every=every, horizon=horizon, over=over, final=final, row=row)
        Level(level)
        if every < 1 or (row is not None and row < 1):
            raise InputError(f"every {every} updates, rows of {row}: expected at least 1")
        decay_rates(max(final, 1.0), final, shape, 1)
        if log is not None and not str(log).endswith(".csv"):
            raise InputError(f"log {str(log)!r}: expected a name that ends in .csv")
        if say is not None:
            expect("say", say, Callable, "a function of the metrics and the step")  # pyright: ignore
        self.path = None if log is None else Path(log)
        self.every, self.say, self.horizon = int(every), say, horizon
        self.facts = _checked_facts(facts)
        self._ahead: tuple[int, FloatArray] | None = None
        self.planned = schedule is not None
        if schedule is not None:
            self.plan(0, schedule_of(schedule).lr)
        self._options: dict[str, Any] = {
            **_sources(earlier, fit),
            "asked": {"level": level, "new_data": new_data},
            "decay_over": None if decay_over is None else tuple(decay_over),
            "over": over, "final": final, "shape": shape,
        }  # fmt: skip
        self._label, self._row = label, row
        self.rows = Seen(row=int(row or ROW))
        self._asked = 0
        self._ready: dict[str, float] | None = None
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._begun = self._closed = False
        self._told: set[str] = set()

    def plan(self, done: int, rates: FloatArray) -> None:
        """Say which rates are planned for the updates after ``done``; up to the horizon."""
        self._ahead = (int(done), np.asarray(rates, dtype=np.float64))
        self.horizon = int(done) + self._ahead[1].size

    def seen(self, step: int, loss: Any, lr: float) -> dict[str, float]:
        """Take in what an update has shown.

        Args:
            step: Updates done, this one included: from 1.
            loss: Loss of this update, or the mean since the last call; a number, or a tensor of
                one, which is read once in ten updates.
            lr: The rate that this update used.

        Returns:
            The metrics of a computation that has ended since the last call; mostly none.
        """
        self.take_in(step, loss, lr)
        return self.take(step)

    def take(self, step: int) -> dict[str, float]:
        """The metrics that are ready, once: see `seen`."""
        found, self._ready = self._ready, None
        if found is None:
            return {}
        self._said(found, step)
        return found

    def wait(self, seconds: float = PATIENCE) -> bool:
        """Wait for a computation in progress; whether none is left."""
        thread = self._thread
        if thread is not None:
            thread.join(seconds)
        return thread is None or not thread.is_alive()

    def close(self, seconds: float = LAST) -> dict[str, float]:
        """The run has ended: write the log, and stop what is still computing.

        Args:
            seconds: How long to wait for a computation in progress before it is dropped.

        Returns:
            The metrics of the last computation if they were not taken yet, as of `seen`.
        """
        self.save()
        self.wait(seconds)
        self._closed = True
        process = self._process
        if process is not None:
            process.kill()
        return self.take(self.rows.last)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint is to keep: the log so far."""
        return self.rows.as_dict()

    def tell(self, problem: object, what: str = WITHOUT) -> None:
        """Warn, once of each kind."""
        if what not in self._told:
            self._told.add(what)
            LOGGER.warning("%s: %s", what, problem)

    @_quiet
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what a checkpoint kept."""
        self.rows.restore(state)
        self._begun, self._asked = True, self.rows.last

    @_quiet
    def begin(
        self,
        step: int,
        *,
        log: Path | None = None,
        horizon: int | None = None,
        row: int | None = None,
        **facts: Any,
    ) -> None:
        """A run begins, or goes on after update ``step``; what was left open is as given here."""
        self.path = self.path or log
        self.horizon = self.horizon or horizon
        for name, value in facts.items():
            if name not in self.facts:
                with suppress(InputError):  # what makes no sense is not known
                    self.facts |= _checked_facts({name: value})
        self.rows = Seen(row=int(self._row or row or ROW))
        self._asked, self._ready = 0, None
        self.resume(step)

    @_quiet
    def resume(self, step: int) -> None:
        """Go on after update ``step`` from the log that was written, as `seen` does by itself."""
        self._begun = True
        if self.path is None or not self.path.is_file():
            return
        if step < 1:  # another run: its log is kept
            free = (self.path.with_suffix(f".{i}.csv") for i in range(1, 10_000))
            self.path.rename(next(path for path in free if not path.exists()))
            return
        self.rows.read(self.path, step)
        self._asked = self.rows.last

    @_quiet
    def save(self) -> None:
        """Write the log that was seen, for ``losslaw forecast``; to be called at checkpoints."""
        if self.path is not None and self.rows.steps:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.rows.write(self.path, {"horizon": self.horizon, **self.facts})

    @_quiet
    def take_in(self, step: int, loss: Any, lr: float) -> None:
        """Take in what an update has shown, and ask if it is time: see `seen`."""
        if not self._begun:
            self.resume(step - 1)
        if step <= self.rows.last:
            self._asked = min(self._asked, step)
        if not self.rows.add(step, loss, lr):
            if self.rows.missed >= self.every:
                count = f"the losses of the last {self.rows.missed:,} updates"
                self.tell(f"{count}, up to step {step:,}, are not all finite numbers")
            return
        if step - self._asked < self.every:
            return
        if len(self.rows.steps) >= LEAST and (self._thread is None or not self._thread.is_alive()):
            self._asked, self._closed = step, False
            steps, rates, losses = self.rows.arrays()
            if self.horizon is not None and self.horizon < step:
                self.tell(f"the run is past its horizon of {self.horizon:,} updates", IN_PART)
            question = Question(
                label=self._label or _name(self.path),
                steps=steps, lr=rates, loss=losses, ahead=self._ahead,
                horizon=None if self.horizon is None or self.horizon <= step else self.horizon,
                facts=self.facts, **self._options,
            )  # fmt: skip
            self._thread = threading.Thread(
                target=self._ask, args=(question,), name="losslaw", daemon=True
            )
            self._thread.start()

    @_quiet
    def _said(self, metrics: dict[str, float], step: int) -> None:
        if self.say is not None:
            self.say(dict(metrics), step)

    @_quiet
    def _ask(self, question: Question) -> None:
        """In the background: have a process answer."""
        paths = os.pathsep.join(path for path in sys.path if path)
        self._process = process = subprocess.Popen(
            [sys.executable, *PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **ALONE, "PYTHONPATH": paths},
        )
        if self._closed:  # while it was starting
            process.kill()
        try:
            out, err = process.communicate(pickle.dumps(question), timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        finally:
            self._process = None
        if self._closed:
            return
        if process.returncode:
            last = err.decode(errors="replace").strip().splitlines()[-1:]
            raise RuntimeError(f"status {process.returncode} {' '.join(last)}".strip())
        told = json.loads(out)
        if "problem" in told:
            self.tell(told["problem"])
            return
        for doubt in told["doubts"]:
            self.tell(doubt, IN_PART)
        if told["metrics"]:
            self._ready = told["metrics"]


def _checked_facts(given: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of a run besides.

    Raises:
        InputError: something else, or a value that makes no sense.
    """
    names = ("warmup", "weight_decay", "batch", "model_size", "optimizer")
    for name in given:
        if name not in names:
            raise InputError(f"no option {name!r} of a Watcher; of the run: {', '.join(names)}")
    known = {name: value for name, value in given.items() if value is not None}
    facts_from(known, "Watcher")
    if "optimizer" in known:
        known["optimizer"] = checked_optimizer(known["optimizer"])
    return known


def _sources(earlier: "Runs", fit: "Fit | str | Path | None") -> dict[str, Any]:
    """Earlier runs, read, and a fit, loaded."""
    if fit is not None and isinstance(fit, str | os.PathLike):
        from losslaw.fitting import load_fit

        fit = load_fit(str(fit))
    runs: tuple[Any, ...] = ()
    if not (isinstance(earlier, tuple) and not earlier):
        from losslaw.curves import curves_of

        runs = tuple(curves_of(earlier))
    if fit is not None and runs:
        raise InputError("a saved fit and earlier runs are both given: choose one")
    return {"earlier": runs, "fit": fit}


def _name(path: Path | None) -> str:
    """The name of a run: that of its log, or of the folder of one that a callback keeps."""
    if path is None:
        return "run"
    return path.absolute().parent.name if path.name == LOG else path.stem
