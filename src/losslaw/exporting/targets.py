"""The targets by name, and the way through all of them: pieces, prediction, file."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from losslaw.errors import InputError, expect
from losslaw.exporting import (
    axolotl,
    deepspeed,
    huggingface,
    levanter,
    lightning,
    llamafactory,
    llmc,
    maxtext,
    megatron,
    nanochat,
    nanogpt,
    nanotron,
    olmo_core,
    plain,
    pytorch,
    torchtitan,
)
from losslaw.exporting import optax as jax_optax
from losslaw.exporting.job import LEVEL, Exported, Job
from losslaw.exporting.pieces import TOLERANCE, pieces
from losslaw.schedules import ScheduleLike, schedule_of

if TYPE_CHECKING:  # a schedule is exported without the machinery of fits
    from losslaw.fitting import Fit


@dataclass(frozen=True)
class Target:
    """Something a schedule can be exported to.

    Attributes:
        title: What it is.
        suffix: Usual end of its file's name.
        write: Makes the file.
    """

    title: str
    suffix: str
    write: Callable[[Job], Exported]


# What `export` can write, by the name on the command line.
TARGETS = {
    "torch": Target("PyTorch LambdaLR", ".py", pytorch.write),
    "hf": Target("Hugging Face Trainer", ".py", huggingface.write),
    "optax": Target("optax schedule", ".py", jax_optax.write),
    "lightning": Target("Lightning configure_optimizers", ".py", lightning.write),
    "megatron": Target("Megatron-LM arguments", ".sh", megatron.write),
    "deepspeed": Target("DeepSpeed scheduler", ".py", deepspeed.write),
    "torchtitan": Target("torchtitan config", ".py", torchtitan.write),
    "nanotron": Target("nanotron YAML", ".yaml", nanotron.write),
    "olmo-core": Target("OLMo-core scheduler", ".py", olmo_core.write),
    "levanter": Target("Levanter LrSchedule", ".py", levanter.write),
    "maxtext": Target("MaxText YAML", ".yaml", maxtext.write),
    "nanogpt": Target("get_lr of nanoGPT and llm.c", ".py", nanogpt.write),
    "nanochat": Target("get_lr_multiplier of nanochat", ".py", nanochat.write),
    "llmc": Target("llm.c arguments", ".sh", llmc.write),
    "axolotl": Target("Axolotl YAML", ".yaml", axolotl.write),
    "llamafactory": Target("LLaMA-Factory YAML", ".yaml", llamafactory.write),
    "csv": Target("table step,lr[,batch]", ".csv", plain.write_csv),
    "npy": Target("numpy array of rates", ".npy", plain.write_npy),
    "json": Target("knots", ".json", plain.write_json),
}

# Other names for them.
ALIASES = {
    "pytorch": "torch", "jax": "optax", "huggingface": "hf", "transformers": "hf",
    "llm.c": "llmc", "llama-factory": "llamafactory",
}  # fmt: skip


def prepare(
    schedule: ScheduleLike,
    target: str,
    *,
    fit: "Fit | None" = None,
    fit_source: str | None = None,
    source: str | None = None,
    date: str | None = None,
    tolerance: float = TOLERANCE,
    model_size: float | None = None,
) -> Exported:
    """Export a schedule: the file, and what is to be known of it.

    Args:
        schedule: The schedule, or its text; ``lr[k - 1]`` is the rate of update k, whatever the
            target counts.
        target: A name in `TARGETS`.
        fit: Predicts the loss of the schedule, and of a trainer's nearest style beside it.
        fit_source: Where the fit came from, for the file's comment.
        source: Where the schedule came from, for the comment; ``None``: its own text.
        date: Written into the comment; ``None``: no date, and the same input gives the same file.
        tolerance: Largest relative error of the straight pieces in the file, in [0, 0.1].
        model_size: Parameters of the model, if the fit is of several sizes.

    Raises:
        InputError: an unknown target, a tolerance out of range, or a schedule the fit cannot
            predict.
    """
    target = ALIASES.get(target, target)
    if target not in TARGETS:
        raise InputError(f"unknown target {target!r}, expected one of: {', '.join(TARGETS)}")
    schedule = schedule_of(schedule)
    job = Job(
        schedule,
        pieces(schedule, tolerance),
        schedule.spec if source is None else source,
        fit,
        fit_source,
        date,
        model_size,
    )
    if fit is not None:
        from losslaw.fitting import Fit

        expect("fit", fit, Fit, "a Fit")
        end = fit.predict(schedule, [schedule.horizon], LEVEL, model_size)
        job = replace(job, predicted=end.final, interval=end.interval, trust=end.trust)
    known = {} if job.fit is None else {"unit": job.fit.unit}
    told = {"predicted": job.predicted, "interval": job.interval, "trust": job.trust}
    return replace(TARGETS[target].write(job), **told, **known)


def export(
    schedule: ScheduleLike,
    target: str,
    *,
    fit: "Fit | None" = None,
    source: str | None = None,
    date: str | None = None,
    tolerance: float = TOLERANCE,
) -> str:
    """The text of the file that gives a trainer this schedule.

    Arguments and errors are those of `prepare`, which also tells whether the file is exact and how
    far a trainer's nearest style is from it.

    Raises:
        InputError: also for ``npy``, which is no text; `prepare` has its bytes.

    >>> print(export("wsd:peak=1,horizon=5,cooldown=0.4", "csv"))
    # Made by losslaw 0.1.0, from wsd:peak=1,horizon=5,cooldown=0.4.
    # warmup: 0
    step,lr
    1,1.0
    2,1.0
    3,1.0
    4,0.5
    5,0.0
    <BLANKLINE>
    """
    if target == "npy":
        raise InputError("npy is not a text: use prepare(schedule, 'npy').data")
    return prepare(schedule, target, fit=fit, source=source, date=date, tolerance=tolerance).text
