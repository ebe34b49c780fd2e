"""The report of an advice: the interval now, the cheapest runs, and the one to make."""

import math

from losslaw.advising.advise import CAUSES, Advice, Option
from losslaw.advising.candidate_runs import recognised

SHOWN = 9


def counsel(found: Advice) -> str:
    """The text of ``print(advice)``."""
    lines = [*[f"{text[:1].upper()}{text[1:]}." for text in found.sentences], ""]
    if not found.sentences:
        lines = []
    level = f"{found.level:.0%}"
    for target, loss in zip(found.targets, found.losses, strict=True):
        lines.append(f"target    {recognised(target)}")
        lines.append(f"          final loss {loss:.4f} ({found.law})")
    widest = " (the widest)" if len(found.targets) > 1 else ""
    lines.append(f"now       {_width(found.half_width)} at {level}{widest}")
    parts = sorted(found.parts.items(), key=lambda item: -item[1])
    for name, part in parts:
        # What adds less than a hundredth to the whole is not worth a line.
        if part > 0.14 * found.half_width:
            lines.append(f"          {part:.4f}  {CAUSES[name]}")
    lines.append(f"wanted    {_width(found.goal)}")
    lines += ["", *_table(found)]
    if found.best is None:
        return "\n".join(lines)
    best = found.best
    short = "" if found.reached else " (the best there is)"
    lines += [
        "",
        f"run       {best.spec}{short}",
        f"          {best.sentence}",
        f"          {best.share:.1%} of the {found.cost:,} updates of the target itself",
        f"expect    {_width(best.half_width)}",
    ]
    last = found.from_last
    if last is not None:
        lines += [
            "",
            f"or        {last.spec}",
            f"          {last.updates:,} updates from step {last.begins:,}, the last of that run:"
            f" expect {_width(last.half_width)}",
        ]
    return "\n".join(lines)


def _table(found: Advice) -> list[str]:
    header = ["updates", "of target", "expected", "run"]
    rows = [
        [
            f"{option.updates:,}",
            f"{option.share:.1%}",
            _width(option.half_width),
            f"{option.words}{'  <-' if option is found.best else ''}",
        ]
        for option in _shown(found)
    ]
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(3)]
    return [
        "  ".join([*[cell.rjust(width) for cell, width in zip(row, widths, strict=False)], row[3]])
        for row in [header, *rows]
    ]


def _shown(found: Advice) -> list[Option]:
    """The options around the best one, or the first ones."""
    place = found.options.index(found.best) if found.best is not None else 0
    first = max(min(place - SHOWN // 2, len(found.options) - SHOWN), 0)
    return list(found.options[first : first + SHOWN])


def _width(half: float) -> str:
    return f"+-{half:.4f}" if math.isfinite(half) else "unbounded"
