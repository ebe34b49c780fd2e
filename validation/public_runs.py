"""Where public runs come from: a folder beside the project, or their repositories.

``shared/curves`` beside the project has a folder of CSV files for each collection. Where it is not
there, the collections that `losslaw.datasets` knows are downloaded once, each file checked by its
sha256; what reads others is left out.
"""

from collections.abc import Callable
from fnmatch import fnmatch
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from losslaw.curves import LossCurve, read_curves
from losslaw.datasets import multipowerlaw, schaipp, track3
from losslaw.datasets.pinned import collection

ROOT = Path(__file__).resolve().parent.parent
CURVES = ROOT.parent / "shared" / "curves"
# What can be downloaded, by the name of its folder.
DOWNLOADED: dict[str, Callable[..., list[LossCurve]]] = {
    "mpl_llama2": multipowerlaw,
    "schaipp_llama_val": schaipp,
    "track3": track3,
}


def missing(folder: str, *, files: bool = False) -> str:
    """Why the runs of a folder cannot be had, or nothing; whether as ``files`` of that folder."""
    if (CURVES / folder).is_dir():
        return ""
    if files or folder not in DOWNLOADED:
        return f"the public curves {CURVES.name}/{folder} are not there"
    if find_spec("pooch") is None:
        return f"the public curves {CURVES.name}/{folder} are not there, nor pooch to download them"
    return ""


def labels(folder: str, pattern: str = "*") -> list[str]:
    """Labels of the runs in a folder."""
    if folder in DOWNLOADED and not (CURVES / folder).is_dir():
        names = collection(DOWNLOADED[folder].__name__).runs
        return sorted(name for name in names if fnmatch(name, pattern))
    return sorted(path.stem for path in (CURVES / folder).glob(f"{pattern}.csv"))


def read(folder: str, label: str, **known: Any) -> LossCurve:
    """A run as a user reads it, who may know its warm-up or which update a logged rate is of."""
    if folder not in DOWNLOADED or (CURVES / folder).is_dir():
        return read_curves(CURVES / folder / f"{label}.csv", **known)[0]
    if folder != "mpl_llama2":  # their files are no tables
        return DOWNLOADED[folder]([label])[0]
    pinned = collection(multipowerlaw.__name__)
    (run,) = pinned.chosen([label]).values()
    (path,) = pinned.paths(run.files).values()
    return read_curves(path, model_size=run.params, **known)[0].with_(label=label)
