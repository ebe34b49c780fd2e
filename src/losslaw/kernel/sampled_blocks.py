"""Many sampled runs, a block at a time: progress can be shown, and interrupted work goes on.

Block c of a set of runs has a seed of its own, made from the seed of the set and c, and is saved
under a name made from everything its numbers depend on. So a second call with the same inputs
finds the blocks that the first one finished, in any order and after any interruption; with other
inputs it finds none.
"""

import hashlib
import io
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from losslaw.errors import InputError
from losslaw.files import write_bytes
from losslaw.kernel.kernel_regression import KernelRegression
from losslaw.kernel.simulate.draws import check_runs, check_seed
from losslaw.kernel.simulate.momentum import Momentum
from losslaw.kernel.simulate.sampled import SampledRuns
from losslaw.numerics.arrays import FloatArray, IntArray
from losslaw.schedules import Schedule
from losslaw.schedules.averages import AverageLike, Recursion, average_of

# Runs of a block: seconds of work, and a file of some kilobytes.
BLOCK = 25
# What a saved block depends on besides its inputs: raise it when the sampler draws differently.
VERSION = 4


def sample_in_blocks(
    world: KernelRegression,
    schedule: Schedule,
    steps: ArrayLike,
    *,
    runs: int,
    seed: int,
    average: AverageLike | None = None,
    momentum: ArrayLike | None = None,
    nesterov: bool = False,
    saved: Path | None = None,
    tick: Callable[[int], None] = lambda runs: None,
) -> SampledRuns:
    """Runs of one-pass SGD, in blocks of 25 that are saved as they finish.

    Args:
        world: The problem, with finitely many modes.
        schedule: What every run does.
        steps: Updates done when the risk is wanted, increasing. Shape ``(m,)``.
        runs: Number of runs; the first ones do not depend on it.
        seed: Seed of the whole set.
        average: Of the iterates, as in `KernelRegression.mean_curve`.
        momentum: As in `KernelRegression.mean_curve`.
        nesterov: As in `KernelRegression.mean_curve`.
        saved: Folder of finished blocks, made when the first one is; ``None``: keep none.
        tick: Called with the number of runs that were just finished or found.

    Raises:
        InputError: no runs, infinitely many modes, or a learning rate that is not stable.

    >>> world = KernelRegression(source=1, capacity=2, modes=20)
    >>> all_of_them = sample_in_blocks(world, Schedule([0.1] * 9), [9], runs=12, seed=1)
    >>> all_of_them.losses.shape
    (12, 1)
    """
    check_runs(runs)
    check_seed(seed)
    if math.isinf(world.modes):
        raise InputError("sampled runs need a finite number of modes, such as 128")
    if momentum is None:
        world.check_stable(schedule)
    moves = None if momentum is None else Momentum.checked(momentum, nesterov, schedule.horizon)
    at = np.asarray(steps, dtype=np.int64)
    kept = None if average is None else average_of(average).recursion(schedule.horizon)
    losses: list[FloatArray] = []
    for block in range(math.ceil(runs / BLOCK)):
        count = min(BLOCK, runs - block * BLOCK)
        name = _name(world, schedule, at, seed, block, kept, moves)
        path = None if saved is None else saved / f"{name}.npy"
        risks = None if path is None else _read(path)
        if risks is None or risks.shape[0] < count or risks.shape[1] != at.size:
            state = np.random.SeedSequence([seed, block]).generate_state(1, np.uint64)
            risks = world.sample(
                schedule,
                at,
                runs=count,
                seed=int(state[0]),
                average=average,
                momentum=momentum,
                nesterov=nesterov,
            ).losses
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                stream = io.BytesIO()
                np.save(stream, risks)
                write_bytes(path, stream.getvalue())
        losses.append(risks[:count])
        tick(count)
    warnings = () if moves is not None else world.tail_warnings(schedule)
    return SampledRuns(schedule, at, np.concatenate(losses), warnings)


def _name(
    world: KernelRegression,
    schedule: Schedule,
    steps: IntArray,
    seed: int,
    block: int,
    average: Recursion | None,
    moves: Momentum | None,
) -> str:
    modes = world.true_modes
    digest = hashlib.sha256()
    arrays = [modes.rate, modes.signal, schedule.lr, schedule.batch, steps]
    if average is not None:
        arrays += [np.array([average.begin]), average.keep, average.add]
    if moves is not None:
        arrays += [moves.rho, np.array([float(moves.nesterov)])]
    for array in arrays:
        digest.update(b"none" if array is None else np.ascontiguousarray(array).tobytes())
    numbers = (modes.floor, world.noise, world.distribution, seed, block, VERSION)
    digest.update(repr(numbers).encode())
    return f"runs-{digest.hexdigest()[:24]}"


def _read(path: Path) -> FloatArray | None:
    try:
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):  # not there yet, or not a whole block
        return None
