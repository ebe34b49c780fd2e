"""Files of public repositories, each at one commit and with the sha256 that it has.

What there is stands in a JSON file per collection. A file comes from a folder of the user's, if one
is given (``folder=``, or LOSSLAW_DATASETS in the environment), which has a folder for each
collection with the files under their names in the repository, such as a clone; else from the cache,
where it was downloaded before; else from the network. Wherever it comes from, its sha256 is
checked.
"""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from losslaw.errors import InputError, MissingExtra
from losslaw.files.checked import decode_json
from losslaw.progress import Progress, silent

SETS = ("multipowerlaw", "schaipp", "track3")
# The variable that names a folder with the files.
FOLDER = "LOSSLAW_DATASETS"
# Where files of public repositories are served from.
SERVER = "https://raw.githubusercontent.com"
# Seconds without a byte after which a download is given up.
PATIENCE = 30


@dataclass(frozen=True, kw_only=True)
class Run:
    """Where the losses of a run are, and what is known of it besides.

    Attributes:
        files: The files of its losses; a run that was branched off another has that one's second.
        params: Parameters of the model.
        warmup: Updates of warm-up.
        peak: Largest learning rate, where its log has no rates.
        cooldown: Share of the updates at its end over which the rate goes to 0, likewise.
        optimizer: What trained it.
        weight_decay: Decoupled weight decay.
        mean: Whether the losses are means of all runs in the files, and not those of the first.
    """

    files: tuple[str, ...]
    params: int
    warmup: int | None = None
    peak: float | None = None
    cooldown: float | None = None
    optimizer: str | None = None
    weight_decay: float | None = None
    mean: bool = False


@dataclass(frozen=True, kw_only=True)
class Collection:
    """The public runs of one repository.

    Attributes:
        name: Its name here, one of `SETS`.
        repository: Owner and name at GitHub.
        commit: The commit that is read.
        licence: Its licence.
        paper: What describes the runs.
        files: sha256 of each file.
        runs: The runs by label.
    """

    name: str = ""
    repository: str
    commit: str
    licence: str
    paper: str
    files: dict[str, str]
    runs: dict[str, Run] = field(default_factory=dict[str, Run])

    def chosen(self, names: Iterable[str] | None) -> dict[str, Run]:
        """The runs of these labels; ``None``: all.

        Raises:
            InputError: there is no such run.
        """
        wanted = list(self.runs) if names is None else [names] if isinstance(names, str) else names
        runs: dict[str, Run] = {}
        for name in wanted:
            if name not in self.runs:
                known = ", ".join(list(self.runs)[:5])
                raise InputError(
                    f"{self.name} has no run {name!r}; there are {len(self.runs)}: {known}, ..."
                )
            runs[name] = self.runs[name]
        return runs

    def paths(
        self, names: Iterable[str], folder: str | Path | None = None, progress: Progress = silent
    ) -> dict[str, Path]:
        """Where these files are on this machine, downloaded if need be.

        Args:
            names: Names of files in the repository.
            folder: See the head of this module; ``None``: what the environment says.
            progress: Called with words before each file.

        Raises:
            InputError: a file that is missing, cannot be had, or is not what it was.
            MissingExtra: pooch is needed and not installed.
        """
        own = folder or os.environ.get(FOLDER)
        wanted = list(dict.fromkeys(names))
        found: dict[str, Path] = {}
        for i, name in enumerate(wanted, start=1):
            progress(f"{self.name}: file {i} of {len(wanted)}")
            found[name] = self._local(Path(own), name) if own else self._cached(name)
        return found

    def _local(self, folder: Path, name: str) -> Path:
        path = folder / self.name / name
        try:
            found = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            reason = error.strerror or error
            raise InputError(f"{path}: cannot be read ({reason}); {self._way_out}") from None
        if found != self.files[name]:
            raise InputError(
                f"{path}: not the file of commit {self.commit[:7]} (its sha256 is another);"
                f" {self._way_out}"
            )
        return path

    @property
    def _way_out(self) -> str:
        return f"expected there the files of github.com/{self.repository} at {self.commit[:7]}"

    def _cached(self, name: str) -> Path:
        try:
            import pooch
        except ImportError:
            raise MissingExtra(f"downloading {self.name}", "pooch", "datasets") from None

        pooch.get_logger().setLevel("ERROR")  # it would say each file
        store = pooch.create(
            path=pooch.os_cache("losslaw") / self.name / self.commit,
            base_url=f"{SERVER}/{self.repository}/{self.commit}/",
            registry={name: f"sha256:{self.files[name]}"},
            retry_if_failed=1,
        )
        try:
            download: Any = pooch.HTTPDownloader(timeout=PATIENCE)
            got = store.fetch(name, downloader=download)
        except ValueError:  # what pooch says of a wrong sum
            raise InputError(
                f"{self.name}: {name} came with another sha256 than it had: nothing was kept; try"
                f" again, or {self._by_hand}"
            ) from None
        except OSError as error:  # also whatever requests raises
            reason = " ".join(str(error).split())[:160]
            raise InputError(
                f"{self.name}: {name} cannot be downloaded ({reason}); without a network,"
                f" {self._by_hand}"
            ) from None
        return Path(got)

    @property
    def _by_hand(self) -> str:
        return (
            f"put github.com/{self.repository} at {self.commit[:7]} into FOLDER/{self.name} and say"
            f" so (folder=, {FOLDER})"
        )


@cache
def collection(name: str) -> Collection:
    """The collection of this name."""
    path = files("losslaw.datasets") / f"{name}.json"
    found = decode_json(path.read_text(encoding="utf-8"), Collection, path.name)
    return replace(found, name=name)
