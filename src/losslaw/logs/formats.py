"""The formats that are known, and which one a file or a folder is.

A format is asked in the order below whether a file is one of its own. It looks at the first bytes
only, so that a file is read once. What no format claims is taken for a table
(`losslaw.logs.tables`), whose reader says what is wrong with it.

A folder is first offered to the formats whose runs are folders: what a trainer leaves of one run in
several files is one run. In any other folder every file that is a log is read, and those in the
folders inside it; files that are none are named.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import isclose
from pathlib import Path

from losslaw.errors import InputError
from losslaw.logs import (
    fairseq,
    hf_console,
    huggingface,
    lightning,
    llamafactory,
    llmc,
    maxtext,
    megatron,
    megatron_deepspeed,
    mlflow,
    modded_nanogpt,
    nanochat,
    nanogpt,
    nanotron,
    olmo_core,
    printed,
    tables,
    tensorboard,
    torchtitan,
    trackio,
    wandb_csv,
    wandb_offline,
    xlm,
)
from losslaw.logs.log import Log
from losslaw.logs.run_facts import SIDECAR
from losslaw.logs.source import Source
from losslaw.progress import Parts

# Files in a folder that are tried as tables; others are logs only if a format claims them.
TABLES = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".txt", ".log")
# Files of a folder that a message names at most.
NAMED = 3


@dataclass(frozen=True)
class Format:
    """A kind of log.

    Attributes:
        name: Its name, in words.
        claims: Whether a file looks like one.
        read: The runs in it.
        folder: The runs of a folder that such a trainer made; none if it is no such folder.
        alone: Whether all that is in such a folder is of these runs. Where it is not, other logs in
            it are read as well, and a run that is in both is taken from its own log.
    """

    name: str
    claims: Callable[[Source], bool]
    read: Callable[[Source], list[Log]]
    folder: Callable[[Path], list[Log]] | None = None
    alone: bool = True


FORMATS: tuple[Format, ...] = (
    Format(llamafactory.NAME, llamafactory.claims, llamafactory.read, llamafactory.folder),
    Format(huggingface.NAME, huggingface.claims, huggingface.read, huggingface.folder),
    Format(tensorboard.NAME, tensorboard.claims, tensorboard.read, tensorboard.folder, False),
    Format(wandb_offline.NAME, wandb_offline.claims, wandb_offline.read, wandb_offline.folder),
    Format(wandb_csv.HISTORY, wandb_csv.claims_history, wandb_csv.read_history),
    Format(wandb_csv.PANEL, wandb_csv.claims_panel, wandb_csv.read_panel),
    Format(trackio.NAME, trackio.claims, trackio.read),
    Format(mlflow.NAME, mlflow.claims, mlflow.read, mlflow.folder),
    Format(hf_console.NAME, hf_console.claims, hf_console.read),
    Format(lightning.NAME, lightning.claims, lightning.read),
    Format(fairseq.NAME, fairseq.claims, fairseq.read),
    Format(xlm.NAME, xlm.claims, xlm.read),
    Format(llmc.NAME, llmc.claims, llmc.read),
    Format(modded_nanogpt.NAME, modded_nanogpt.claims, modded_nanogpt.read),
    Format(nanogpt.NAME, nanogpt.claims, nanogpt.read),
    Format(nanochat.NAME, nanochat.claims, nanochat.read),
    Format(torchtitan.NAME, torchtitan.claims, torchtitan.read),
    Format(nanotron.NAME, nanotron.claims, nanotron.read),
    Format(megatron_deepspeed.NAME, megatron_deepspeed.claims, megatron_deepspeed.read),
    Format(megatron.NAME, megatron.claims, megatron.read),
    Format(olmo_core.NAME, olmo_core.claims, olmo_core.read),
    Format(maxtext.NAME, maxtext.claims, maxtext.read),
    Format(printed.NAME, printed.claims, printed.read),
)


def read_logs(
    path: str | Path | Source,
    *,
    loss: str | None = None,
    lr: str | None = None,
    step: str | None = None,
    parts: Parts | None = None,
    left_out: dict[str, str] | None = None,
) -> list[Log]:
    """The runs in a file, in a folder, or in standard input for ``-``.

    Args:
        path: The file or folder, or a source that is in memory.
        loss: Name of the column that is to be fitted; ``None``: the usual one of the format.
        lr: Name of the column that has the learning rate; ``None``: likewise.
        step: Name of the column that has the updates done; ``None``: likewise.
        parts: Counts the files (`files_in`).
        left_out: Takes files of a folder that cannot be read, with the reason; ``None``: a note of
            every log names them.

    Raises:
        InputError: the file cannot be read, or holds no log that is known.
    """
    if not isinstance(path, Source) and str(path) != "-" and Path(path).is_dir():
        return _in_folder(Path(path), loss, lr, step, parts or Parts(0), left_out)
    source = _source(path)
    claimed = _claimed(source)
    if claimed is None and source.look_further():
        claimed = _claimed(source)
    if claimed is not None:
        return [log.with_columns(loss, lr, step) for log in claimed.read(source)]
    return tables.read(source, loss, lr, step)


def read_all(
    paths: Sequence[str | Path | Source],
    *,
    loss: str | None = None,
    lr: str | None = None,
    step: str | None = None,
    parts: Parts | None = None,
    left_out: dict[str, str] | None = None,
) -> list[Log]:
    """The runs in several files; panels of W&B, which show one metric each, are joined.

    Args:
        paths: Files and folders.
        loss: As for `read_logs`, and so are the others.
        lr: Likewise.
        step: Likewise.
        parts: Likewise.
        left_out: Takes what cannot be read, with the reason; ``None``: the first such file is an
            error, and in a folder it is left out with a note.

    Raises:
        InputError: see `read_logs`.
    """
    files = [
        path
        for path in paths
        if len(paths) > 1 and (isinstance(path, Source) or Path(path).is_file())
    ]
    panels = [path for path in files if wandb_csv.claims_panel(_source(path))]
    logs: list[Log] = []
    parts = parts or Parts(0)
    for path in paths:
        before = parts.count
        try:
            if path not in panels:
                logs += read_logs(path, loss=loss, lr=lr, step=step, parts=parts, left_out=left_out)
            elif path == panels[0]:
                joined = wandb_csv.read_panels([_source(panel) for panel in panels])
                logs += [log.with_columns(loss, lr, step) for log in joined]
        except InputError as error:
            if left_out is None:
                raise
            left_out[str(path)] = str(error)
        if parts.count == before:  # no folder
            parts.done()
    return logs


def files_in(path: str | Path | Source) -> int:
    """Files below a folder; 1 for anything else."""
    if isinstance(path, Source) or not Path(path).is_dir():
        return 1
    return sum(len(files) for _, _, files in os.walk(path))


def _source(path: str | Path | Source) -> Source:
    return path if isinstance(path, Source) else Source(path)


def _claimed(source: Source) -> Format | None:
    """The first format that takes the file for its own."""
    return next((each for each in FORMATS if each.claims(source)), None)


def _in_folder(
    path: Path,
    loss: str | None,
    lr: str | None,
    step: str | None,
    parts: Parts,
    left_out: dict[str, str] | None,
) -> list[Log]:
    """All runs in a folder and the folders inside it, in order of name.

    Raises:
        InputError: there are none.
    """
    logs: list[Log] = []
    no_logs: dict[str, str] = {}
    waiting = [path]
    while waiting:
        folder = waiting.pop()
        offers = ((each, each.folder(folder)) for each in FORMATS if each.folder)
        owner, found = next(((each, runs) for each, runs in offers if runs), (None, None))
        runs = [log.with_columns(loss, lr, step) for log in found or ()]
        if owner is not None and owner.alone:
            logs += runs
            parts.done(files_in(folder))
            continue
        try:
            inside = sorted(each for each in folder.iterdir() if not each.name.startswith("."))
        except OSError as error:
            no_logs[str(folder)] = f"cannot be read ({error.strerror})"
            continue
        if owner is None:
            waiting += [each for each in inside[::-1] if each.is_dir() and not each.is_symlink()]
        files = [file for file in inside if file.is_file() and file.name != SIDECAR]
        files = [file for file in files if _may_be_log(file)]
        if owner is not None:
            files = [file for file in files if not owner.claims(Source(file))]
        own: list[Log] = []
        panels = [file for file in files if wandb_csv.claims_panel(Source(file))]
        before = parts.count
        for together in ([panels] if panels else []) + [[f] for f in files if f not in panels]:
            try:
                own += read_all(together, loss=loss, lr=lr, step=step)
            except InputError as error:
                no_logs.update((str(file), str(error)) for file in together)
            parts.done(len(together))
        parts.reached(before + sum(each.is_file() for each in folder.iterdir()))
        logs += [log for log in runs if not any(_same_run(log, other) for other in own)] + own
    if not logs:
        if left_out is not None:
            left_out |= no_logs
        first = f": {next(iter(no_logs.values()))}" if no_logs else ""
        raise InputError(f"{path} is a folder without logs{first or '; name a log or its folder'}")
    if left_out is not None:
        left_out |= no_logs
    elif no_logs:
        names = ", ".join(Path(name).name for name in list(no_logs)[:NAMED])
        more = f" and {len(no_logs) - NAMED} more" if len(no_logs) > NAMED else ""
        said = (
            f"of the folder {path} left out, since they are no logs: {names}{more}; the first:"
            f" {next(iter(no_logs.values()))}"
        )
        logs = [replace(log, notes=(*log.notes, said)) for log in logs]
    return logs


def _same_run(one: Log, other: Log) -> bool:
    """Whether two logs begin and go on with the same losses, to the digits that are kept."""
    cells = [[cell for cell in log.table.columns[log.columns.loss] if cell] for log in (one, other)]
    count = min(map(len, cells))
    try:
        pairs = [(float(cells[0][i]), float(cells[1][i])) for i in (0, count // 2, count - 1)]
    except (IndexError, ValueError):
        return False
    return all(isclose(first, second, rel_tol=1e-5) for first, second in pairs)


def _may_be_log(file: Path) -> bool:
    if file.suffix.lower() in TABLES:
        return True
    return _claimed(Source(file)) is not None
