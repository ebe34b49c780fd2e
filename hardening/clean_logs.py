"""A clean log of every format, from the tests; and the real ones, where they are at hand."""

from dataclasses import dataclass
from pathlib import Path

from helpers.printed_logs import PRINTED
from helpers.record_logs import RECORDS

from hardening import ROOT

DATA = ROOT / "tests" / "logs" / "data"
TRACKED = {
    "Hugging Face": "huggingface/checkpoint-400/trainer_state.json",
    "Lightning": "lightning/metrics.csv",
    "TensorBoard": "tensorboard/restarted/events.out.tfevents.1000000000.host.0",
    "TensorBoard, tensors": ("tensorboard/tensors/train/events.out.tfevents.1000000000.host.0.v2"),
    "wandb, Hugging Face": "wandb/run-face.wandb",
    "wandb": "wandb/run-own1.wandb",
    "MLflow database": "mlflow/mlflow.db",
    "MLflow metric": f"mlflow/mlruns/1/{0:032x}/metrics/train/loss",
    "trackio": "trackio/losses.db",
}
REAL = ROOT.parent / "shared" / "logs"


@dataclass(frozen=True)
class CleanLog:
    """A log that nothing is wrong with.

    Attributes:
        name: What tables call it.
        file: Name of its file, which some formats look at.
        content: What is in it.
    """

    name: str
    file: str
    content: bytes

    @property
    def is_text(self) -> bool:
        """Whether it is lines of text."""
        return b"\0" not in self.content


def of_the_tests() -> list[CleanLog]:
    """Small logs, at least one of every format."""
    printed = {name: "\n".join(made()) + "\n" for name, made in PRINTED.items()}
    return [
        *(
            CleanLog(f"{name} (printed)", "run.log", text.encode())
            for name, text in printed.items()
        ),
        *(CleanLog(name, name, text.encode()) for name, text in RECORDS.items()),
        *(
            CleanLog(name, Path(path).name, (DATA / path).read_bytes())
            for name, path in TRACKED.items()
        ),
    ]


def real() -> list[CleanLog]:
    """The real logs of trainers beside the repository; none where they are not there."""
    if not REAL.is_dir():
        return []
    files = [path for path in sorted(REAL.iterdir()) if path.suffix != ".md"]
    return [CleanLog(f"real {path.name}", path.name, path.read_bytes()) for path in files]


FILES = sorted({log.file for log in of_the_tests()})
# Bytes of an input: enough for the first rows of every format.
LONGEST = 6000


def inputs() -> list[bytes]:
    """The clean logs as inputs, binary ones whole."""
    return [
        bytes([FILES.index(log.file)]) + log.content[: LONGEST if log.is_text else None]
        for log in of_the_tests()
    ]
