"""The curves that come with the package: real training runs, small enough to ship.

A small language model trained under many schedules by ``losslaw lab bundle``; ``meta.json`` beside
the logs says how.
"""

import json
from collections.abc import Iterable
from importlib.resources import as_file, files
from typing import Any

from losslaw.curves.curve import LossCurve
from losslaw.curves.read import curve_from
from losslaw.errors import InputError
from losslaw.logs import read_logs
from losslaw.logs.run_facts import SIDECAR, facts_in


def bundled_names() -> list[str]:
    """Labels of the curves that come with the package, in the order in which they were made.

    Raises:
        InputError: this installation has none.
    """
    return list(_meta()[1])


def bundled_curves(names: Iterable[str] | None = None) -> list[LossCurve]:
    """Curves that come with the package.

    Args:
        names: Labels, as `bundled_names` gives them; ``None``: all.

    Raises:
        InputError: an unknown name, or an installation without the curves.

    >>> curve, = bundled_curves(["constant_peak3e-3_T4000"])
    >>> curve.schedule.horizon, curve.schedule.warmup, curve.schedule.peak_lr
    (4000, 100, 0.003)
    """
    text, runs = _meta()
    wanted = list(runs) if names is None else list(names)
    curves: list[LossCurve] = []
    for name in wanted:
        if name not in runs:
            raise InputError(f"no bundled curve {name!r}; there are {', '.join(runs)}")
        with as_file(_FOLDER / f"{name}.csv") as path:
            (log,) = read_logs(path)
        curves.append(curve_from(log, facts_in(text, name, f"bundled {SIDECAR}"), name))
    return curves


def bundled_logs() -> dict[str, bytes]:
    """The logs of those runs and the file beside them that says how they were made, by name.

    Raises:
        InputError: this installation has none.
    """
    names = [*(f"{name}.csv" for name in bundled_names()), SIDECAR]
    return {name: (_FOLDER / name).read_bytes() for name in names}


_FOLDER = files("losslaw.curves") / "bundled"


def _meta() -> tuple[str, dict[str, Any]]:
    try:
        text = (_FOLDER / SIDECAR).read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(
            "this installation has no bundled curves: install losslaw again, or make them with"
            " 'losslaw lab bundle'"
        ) from None
    runs: dict[str, Any] = json.loads(text)["runs"]
    return text, {name: run for name, run in runs.items() if (_FOLDER / f"{name}.csv").is_file()}
