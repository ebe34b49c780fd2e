"""``losslaw forecast --follow``: a log is read again as it grows, one line an update.

The log belongs to a trainer: its last line may be half written, it may be cut off and begun again
after a restart, or be away for a moment while it is rotated. Only whole lines are read; what cannot
be read now is waited for, and said once. What is wrong with a log at rest before anything could be
read ends the command as it does without ``--follow``.
"""

import json as json_lines
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from losslaw.cli.output import answer_of, aside, schema_name
from losslaw.errors import FitError, InputError, TooShort
from losslaw.text import escaped

if TYPE_CHECKING:  # the help page does without numpy
    from losslaw.curves import LossCurve
    from losslaw.forecasting.forecast import Forecast

LINES = (".csv", ".tsv", ".jsonl", ".ndjson", ".log", ".out", ".txt")
"""Files of lines, of which the last one may be half written."""

HEADER = f"{'time':8}  {'step':>9}  {'loss':>7}  {{:>9}}  {'interval':>16}  band"


def follow_log(
    log: str,
    read: "Callable[[str], LossCurve]",
    ask: "Callable[[LossCurve], Forecast]",
    horizon: int | None,
    *,
    every: float,
    json: bool = False,
    save: "Callable[[Forecast, LossCurve], None]" = lambda found, curve: None,
) -> None:
    """Print a line whenever the log has a new loss, until the run is at its horizon, if it has one.

    Args:
        log: Path of the log.
        read: Reads the run in a log.
        ask: Makes a forecast of it.
        horizon: Updates of the whole run; ``None``: those that the log says are planned.
        every: Seconds between two looks.
        json: JSON lines instead of text.
        save: Keeps each forecast; it is given the log as well.

    Raises:
        InputError: the log cannot be used, and is not being written.
    """
    if Path(log).exists() and not (Path(log).is_file() or Path(log).is_dir()):
        raise InputError(f"--follow needs a file: {log} is a pipe, and cannot be read again")
    seen: object = None
    last = 0
    said = trust = ""
    while True:
        state = _state(log)
        if state != seen or state is None:
            seen = state
            try:
                with whole_lines(log) as path:
                    curve = read(path)
                step = int(curve.steps[-1])
                if step < last:
                    aside(f"the log went back from step {last} to {step}: it was begun again")
                end = curve.planned if horizon is None else horizon
                if end is not None and _ended(curve, end):
                    _farewell(curve, end, json)
                    return
                if step != last:
                    found = ask(curve)
                    save(found, curve)
                    _line(found, json, header=last == 0, new_trust=_status(found) != trust)
                    trust = _status(found)
                last, said = step, ""
            except (InputError, FitError) as error:
                if not last and not _may_pass(log, error):
                    raise
                if str(error) != said:
                    said = str(error)
                    aside(f"waiting: {said}")
        time.sleep(every)


@contextmanager
def whole_lines(log: str) -> Generator[str]:
    """A path to the log without a last line that is still being written.

    A number cut short is a number too, so such a line must not be read at all.
    """
    path = Path(log)
    if path.suffix.lower() not in LINES or not path.is_file():
        yield log
        return
    text = path.read_bytes()
    if text.endswith(b"\n") or b"\n" not in text:
        yield log
        return
    with tempfile.TemporaryDirectory(prefix="losslaw-") as folder:
        copy = Path(folder, path.resolve().parent.name, path.name)  # a folder may name the run
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(text[: text.rindex(b"\n") + 1])
        facts = path.with_name("meta.json")
        if facts.is_file():
            shutil.copy(facts, copy.parent)
        yield str(copy)


def _state(log: str) -> tuple[int, int, int] | None:
    """What changes when a file does; ``None`` while it is away."""
    try:
        found = Path(log).stat()
        if Path(log).is_dir():
            inside = [each.stat() for each in Path(log).rglob("*")]
            newest = max((each.st_mtime_ns for each in inside), default=0)
            return found.st_ino, len(inside), newest
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _ended(curve: "LossCurve", horizon: int) -> bool:
    """Whether no further loss is to come: the next one would be beyond the horizon."""
    step = int(curve.steps[-1])
    every = int(curve.steps[-1] - curve.steps[-2]) if len(curve) > 1 else 1
    return step >= horizon or step + every > horizon


def _may_pass(log: str, error: Exception) -> bool:
    """Whether waiting may help before anything could be forecast."""
    path = Path(log)
    if not path.is_file():
        return False
    cut_off = path.suffix.lower() in LINES and path.read_bytes()[-1:] != b"\n"
    return isinstance(error, TooShort) or cut_off


def _status(found: "Forecast") -> str:
    return "" if found.trust is None else found.trust.status


def _line(found: "Forecast", json: bool, *, header: bool, new_trust: bool) -> None:
    clock = time.strftime("%H:%M:%S")
    if json:
        from losslaw.files.json_text import plain

        record = answer_of({"time": time.time(), **found.as_dict()})
        _out(json_lines.dumps(plain(record)))
        return
    if new_trust and found.trust is not None:
        _out(found.trust.sentence)
    open_end = found.path is None
    if header:
        end = "" if open_end else f"; horizon {found.horizon:,}"
        _out(f"{found.label}: {found.plan.sentence}{end}")
        if found.now is not None and open_end:
            share = found.now.over / found.step
            _out(f"decay now: over {found.now.over:,} updates, {share:.0%} of those so far")
        _out(HEADER.format("decay now" if open_end else "forecast"))
    loss, interval = found.final, found.interval
    if open_end and found.now is not None:
        loss, interval = found.now.loss, found.now.interval
    answer = "no answer" if loss is None else f"{loss:.4f}"
    within = "not known" if interval is None else str(interval)
    band = found.band.state
    if found.band.since is not None:
        band += f" since {found.band.since:,} ({found.band.by:+.3f})"
    elif band == "unknown":
        band = "not judged yet"
    for spike in found.band.spikes[-1:]:
        if spike.last == found.step:
            band += f"; spike {spike.height:+.3f}"
    _out(f"{clock}  {found.step:>9,}  {found.loss:>7.4f}  {answer:>9}  {within:>16}  {band}")


def _farewell(curve: "LossCurve", horizon: int, json: bool) -> None:
    step = int(curve.steps[-1])
    if json:
        record = {"time": time.time(), "step": step, "loss": curve.final_loss, "done": True}
        record |= {"label": curve.label, "horizon": horizon}
        _out(json_lines.dumps({"schema": schema_name("forecast end"), **record}))
        return
    _out(f"{curve.label} has ended: loss {curve.final_loss:.4f} at step {step:,} of {horizon:,}")


def _out(text: str) -> None:
    sys.stdout.write(escaped(text) + "\n")
    sys.stdout.flush()  # whoever reads along wants it now
