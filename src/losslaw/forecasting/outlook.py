"""The report of a forecast: where the run is, where it will end, and what decays would give."""

import math
from collections.abc import Sequence

from losslaw.forecasting.forecast import Ending, Forecast


def outlook(found: Forecast) -> str:
    """The text of ``print(forecast)``."""
    level = f"{found.level:.0%}"
    lines = [
        f"{found.label} at step {found.step:,}: loss {found.loss:.4f}, learning rate"
        f" {found.plan.rate:.4g}",
        "",
        f"  forecast  {found.final:.4f} at step {found.horizon:,}, {level} interval"
        f" {_range(found.interval)}",
        f"  plan      {found.plan.sentence}",
        f"  known by  {found.knowledge} ({found.law})",
        f"  band      {found.band}",
    ]
    for spike in found.band.spikes[-3:]:
        back = "at the last loss" if spike.last == found.step else f"back after step {spike.last:,}"
        lines.append(f"  spike     {spike.height:+.3f} nats at step {spike.step:,}, {back}")
    if len(found.band.spikes) > 3:
        lines.append(f"            and {len(found.band.spikes) - 3} spikes before")
    if found.endings:
        lines += ["", f"Decay ({found.decay}) begun now, or in time to end at the horizon", ""]
        lines += _table(found, level)
        lines += ["", _verdict(found)]
    lines += [f"warning: {sentence}" for sentence in found.warnings]
    lines += [f"note: {sentence}" for sentence in found.notes]
    return "\n".join(lines)


def _table(found: Forecast, level: str) -> list[str]:
    header = ["over", "now: ends", "loss", level, "gain", "later: begins", "loss", level, "gain"]
    rows: list[list[str]] = []
    for length in dict.fromkeys(ending.over for ending in found.endings):
        cells = [f"{length:,}"]
        for when in ("now", "later"):
            ending = _one(found.endings, length, when)
            if ending is None:
                cells += ["-"] * 4
                continue
            at = ending.steps if when == "now" else ending.start
            beyond = "" if ending.within else " *"
            cells += [
                f"{at:,}{beyond}",
                f"{ending.loss:.4f}",
                _range(ending.interval),
                f"{ending.gain:.4f}",
            ]
        rows.append(cells)
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    lines = [
        "  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in [header, *rows]
    ]
    lines.append("  gain: against holding the rate for the same steps")
    if not all(ending.within for ending in found.endings):
        lines.append("  *: beyond the horizon")
    return lines


def _verdict(found: Forecast) -> str:
    best, ties = found.best, found.ties
    name, loss = ("the plan", found.final) if best is None else (str(best), best.loss)
    text = f"best within the horizon: {name} ({loss:.4f})"
    others = [str(ending) for ending in ties]
    if best is not None and found.plan_ties:
        others.insert(0, "the plan")
    if others:
        text += f"; not significantly different: {'; '.join(others)}"
    else:
        text += ", significantly better than the others"
    longest = max(ending.over for ending in found.endings if ending.within)
    if best is not None and best.over == longest < found.horizon - found.step:
        text += "\n(the longest decay asked about: ask about longer ones with --decay-over)"
    return text


def _one(endings: Sequence[Ending], length: int, when: str) -> Ending | None:
    return next((each for each in endings if (each.over, each.when) == (length, when)), None)


def _range(bounds: tuple[float, float] | None) -> str:
    if bounds is None:
        return "not known"
    low, high = bounds
    return f"{low:.4f} .. {high:.4f}" if math.isfinite(high) else "unbounded"
