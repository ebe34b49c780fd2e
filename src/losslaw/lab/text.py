"""The text the lab trains on: the sources of Python's own standard library, read as bytes.

Every machine that runs this package has that text, so nothing is downloaded and nobody's corpus
is shipped. The files are taken in sorted order, every tenth one is kept for validation, and the
parts are split by *file*, so no validation sequence overlaps a training sequence. Codec tables,
generated help pages and test suites are left out: they are long, repetitive and unlike code.

A batch depends on ``(seed, step)`` alone. Two runs with one seed see the same batches whatever
their schedules; resuming needs no generator state; and runs whose schedules agree up to a step
have equal losses up to it.
"""

import hashlib
import sysconfig
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from losslaw.errors import InputError

# Every tenth file validates.
VALIDATION_STRIDE = 10
# Folders of the standard library that are not read.
LEFT_OUT = frozenset(
    {"dist-packages", "encodings", "idle_test", "lib2to3", "pydoc_data", "site-packages"}
    | {"test", "tests"}
)
Tokens = NDArray[np.uint8]


@dataclass(frozen=True)
class Text:
    """A training and a validation part, one byte a token, files divided by a zero byte."""

    train: Tokens
    validation: Tokens
    files: int
    source: str

    @cached_property
    def sha256(self) -> str:
        """Digest of the training part followed by the validation part."""
        digest = hashlib.sha256(self.train.tobytes())
        digest.update(self.validation.tobytes())
        return digest.hexdigest()

    def batch(self, seed: int, step: int, batch: int, context: int) -> Tokens:
        """Training sequences of update ``step``: random windows, drawn from ``(seed, step)``.

        Args:
            seed: Of the data order.
            step: The update, from 1.
            batch: Sequences.
            context: Inputs in a sequence.

        Returns:
            Windows of ``context`` inputs and one more byte, the last target.
            Shape ``(batch, context + 1)``.
        """
        draw = np.random.default_rng([seed, step])
        start = draw.integers(0, self.train.size - context, size=batch)
        return self.train[start[:, None] + np.arange(context + 1)]

    def validation_windows(self, windows: int, context: int) -> Tokens:
        """The fixed validation set: windows spread evenly over the whole validation part.

        Args:
            windows: Sequences.
            context: Inputs in a sequence.

        Returns:
            Windows that do not overlap in their targets. Shape ``(windows, context + 1)``.

        Raises:
            InputError: If the validation part is shorter than that.
        """
        room = (self.validation.size - 1) // context
        if windows > room:
            raise InputError(
                f"{windows} validation windows of {context} bytes do not fit into the "
                f"{self.validation.size} bytes of validation text: at most {room}"
            )
        start = np.linspace(0, self.validation.size - context - 1, windows).astype(np.int64)
        return self.validation[start[:, None] + np.arange(context + 1)]


def text_of(files: list[Path], source: str) -> Text:
    """Read files into a `Text`; every tenth one, from the first, validates.

    Args:
        files: In the order that fixes the split.
        source: What they are, for the record.

    Raises:
        InputError: If there are fewer than two files.
    """
    if len(files) < 2:
        raise InputError(f"a text needs two files or more, to train and to validate: {source}")
    contents = [path.read_bytes() for path in files]
    validation = contents[::VALIDATION_STRIDE]
    train = [text for i, text in enumerate(contents) if i % VALIDATION_STRIDE]
    return Text(
        train=np.frombuffer(b"\0".join(train), dtype=np.uint8),
        validation=np.frombuffer(b"\0".join(validation), dtype=np.uint8),
        files=len(files),
        source=source,
    )


def standard_library() -> Text:
    """The sources of the running Python's standard library (some 9 MB).

    The text differs a little from one Python version to the next; its `Text.sha256` is
    part of every checkpoint and of the bundle's record, so that two texts are never confused.
    """
    root = Path(sysconfig.get_paths()["stdlib"])
    files = sorted(
        (path for path in root.rglob("*.py") if not LEFT_OUT & set(path.relative_to(root).parts)),
        key=lambda path: path.relative_to(root).as_posix(),
    )
    version = sysconfig.get_python_version()
    return text_of(files, source=f"sources of the Python {version} standard library")
