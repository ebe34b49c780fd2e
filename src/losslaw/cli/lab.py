"""``losslaw lab``: train small real models under schedules, and make the bundled curves."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from losslaw.cli.options import Command, Json
from losslaw.cli.output import aside, show
from losslaw.text import escaped

if TYPE_CHECKING:
    from losslaw.lab import PlannedRun, TrainingInterrupted
    from losslaw.lab.config import OptimizerName

app = typer.Typer(
    name="lab",
    help="Train small real models under schedules (needs the extra 'lab').",
    no_args_is_help=True,
)


def register(root: typer.Typer) -> None:
    """Add the group."""
    root.add_typer(app, name="lab")


@app.command("train", cls=Command)
def train_command(
    schedule: Annotated[
        str, typer.Option("--schedule", "-s", metavar="SPEC", help="Schedule text or file.")
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="CSV file of the curve, or a folder for it.")
    ] = Path("lab.csv"),
    seed: Annotated[int, typer.Option(help="Of the weights and the data order.")] = 0,
    width: Annotated[int, typer.Option(help="Size of the residual stream.")] = 64,
    layers: Annotated[int, typer.Option(help="Transformer blocks.")] = 2,
    heads: Annotated[int, typer.Option(help="Attention heads; they divide the width.")] = 2,
    context: Annotated[int, typer.Option(help="Tokens in a sequence.")] = 128,
    batch: Annotated[int, typer.Option(help="Sequences in an update.")] = 16,
    weight_decay: Annotated[
        float, typer.Option("--weight-decay", help="Decoupled weight decay of the matrices.")
    ] = 0.1,
    optimizer: Annotated[str, typer.Option(help="adamw, sgd or muon.")] = "adamw",
    momentum: Annotated[float, typer.Option(help="Of sgd and muon, in [0, 1).")] = 0.9,
    init_std: Annotated[
        float, typer.Option("--init-std", help="Standard deviation of the initial matrices.")
    ] = 0.02,
    every: Annotated[int, typer.Option(help="Updates between evaluations.")] = 25,
    threads: Annotated[int, typer.Option(help="Processor threads.")] = 1,
    json: Json = False,
) -> None:
    """Train one small language model under a schedule; Ctrl-C saves, the same command resumes.

    The curve (step, lr, loss; validation loss in nats per byte) can be read while the run goes on.
    Beside it: the squared norm of the decayed matrices relative to the start (norm2), and that of
    the hidden ones alone (hidden_norm2).

    \b
    Example:
      losslaw lab train -s wsd:peak=3e-3,horizon=200,warmup=20,cooldown=0.2 \\
        -o wsd.csv
    """
    from losslaw.lab.training import require_torch

    require_torch()
    import torch

    from losslaw.cli.output import print_json
    from losslaw.errors import InputError
    from losslaw.lab import LabConfig, PlannedRun, TrainingInterrupted, train
    from losslaw.schedules import parse_schedule

    plan = parse_schedule(schedule)
    config = LabConfig(
        width=width,
        layers=layers,
        heads=heads,
        context=context,
        batch=batch,
        weight_decay=weight_decay,
        seed=seed,
        optimizer=cast("OptimizerName", optimizer),
        momentum=momentum,
        init_std=init_std,
    )
    if threads < 1:
        raise InputError(f"--threads is {threads}, expected at least 1")
    torch.set_num_threads(threads)
    path = out / f"{_file_name(schedule)}.csv" if out.is_dir() else out
    checkpoint = path.with_suffix(".pt")
    # What `losslaw inspect` and `losslaw fit` would otherwise have to ask or assume.
    notes: dict[str, object] = {"schedule": schedule, "warmup": plan.warmup, "lr_is": "used"}
    if plan.weight_decay is None:
        notes["weight_decay"] = weight_decay
    if plan.batch is None:
        notes |= {"batch": batch, "sequence_length": context}
    with _Progress() as progress:
        try:
            run = train(
                plan,
                config,
                every=every,
                label=path.stem,
                out=path,
                notes=notes,
                checkpoint=checkpoint,
                progress=progress.of(PlannedRun(path.stem, schedule, seed)),
            )
        except TrainingInterrupted as stop:
            progress.stop()
            raise _stopped(stop) from None
        except RuntimeError as error:  # of no kind of its own in torch
            if "allocate memory" not in str(error):
                raise
            raise MemoryError("a smaller model or batch needs less") from None
    checkpoint.unlink(missing_ok=True)
    curve = run.curve
    if json:
        print_json(
            {
                "curve": str(path),
                "schedule": schedule,
                "steps": plan.horizon,
                "final_loss": curve.final_loss,
                "params": curve.model_size,
                "tokens_per_update": config.tokens_per_update,
                "seed": seed,
                "seconds": round(run.seconds, 1),
                "config": config.as_dict(),
            }
        )
        return
    show(
        f"{escaped(str(path))}: {plan.horizon} updates in {run.seconds:.0f} s, final loss"
        f" {curve.final_loss:.4f} nats per byte (mean of the last three of {len(curve)})"
    )


@app.command("bundle", cls=Command)
def bundle_command(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the curves.")],
    json: Json = False,
) -> None:
    """Make the curves that ship with losslaw: 15 runs, about an hour on one core.

    Finished runs are skipped, an interrupted one resumes; runs that begin alike share their
    beginning.
    """
    from losslaw.lab.training import require_torch

    require_torch()
    import torch

    from losslaw.cli.output import print_json
    from losslaw.lab import TrainingInterrupted, make_bundle

    torch.set_num_threads(1)  # what the bundle was made with; more threads round differently
    with _Progress() as progress:
        try:
            meta = make_bundle(out, progress=progress.of)
        except TrainingInterrupted as stop:
            progress.stop()
            raise _stopped(stop) from None
    if json:
        print_json(meta)
        return
    show(f"{escaped(str(out))}: {len(meta['runs'])} curves and meta.json")


class _Progress:
    """One bar a run, on standard error; the last loss beside it."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        console = Console(stderr=True)
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[loss]}"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> "_Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Leave the bars as they stand, if there are any."""
        if self._bars.live.is_started:
            self._bars.stop()

    def of(self, run: "PlannedRun") -> Callable[[int, float | None], None]:
        """The progress function of one run."""
        bar = self._bars.add_task(escaped(run.label), total=run.schedule.horizon, loss="")

        def move(step: int, loss: float | None) -> None:
            self._bars.start()  # not before the first update: an error is one line, without a bar
            if loss is not None:
                self._bars.update(bar, completed=step, loss=f"loss {loss:.4f}")
            else:
                self._bars.update(bar, completed=step)

        return move


def _stopped(stop: "TrainingInterrupted") -> typer.Exit:
    aside(str(stop))
    return typer.Exit(130)


def _file_name(spec: str) -> str:
    """A file name for a schedule text.

    >>> _file_name("constant:peak=1e-3, horizon=20")
    'constant_peak1e-3_horizon20'
    """
    kept = spec.replace("=", "").replace(":", "_").replace(",", "_")
    name = "".join(c for c in kept if c.isalnum() or c in "_-.+")
    return name.strip("_")
