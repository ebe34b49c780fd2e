"""How a fit ended, in words.

A doubtful fit is returned, with sentences that say what is doubtful: it misses its curves, the
search ran out of steps, a parameter ended at a bound, an amplitude at zero, or the curves leave a
direction open.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from losslaw.laws import Law
from losslaw.laws.query import ASSUMED_WEIGHT_DECAY
from losslaw.numerics.arrays import FloatArray
from losslaw.numerics.robust import robust_sd

# What is said of parameters and directions that the curves leave open.
NOT_DETERMINED = "not determined"
# How the sentence begins that is said of fitted runs whose weight decay nobody gave.
ASSUMED_FOR = f"weight decay {ASSUMED_WEIGHT_DECAY:g} is assumed for"
# How the sentence ends that is said of a fit with no more points than parameters.
UNTESTED = "nothing tests it"
# How the sentence begins that is said of a fit of runs of several optimisers.
DIFFERENT = "the runs have different optimisers"
# Losses along one run are correlated; a run is worth about this many independent points.
POINTS_A_RUN = 8
# A direction whose standard deviation exceeds this many e-folds is not determined.
OPEN = 1.0


@dataclass(frozen=True, kw_only=True)
class Note:
    """Something that was assumed or left out.

    Attributes:
        text: A sentence.
        label: The run it is about; empty: all of them.
    """

    text: str
    label: str = ""

    @classmethod
    def read(cls, text: str, labels: Sequence[str]) -> Self:
        """The note whose text this is, about one of these runs or about all."""
        for label in labels:
            if text.startswith(f"{label}: "):
                return cls(text=text.removeprefix(f"{label}: "), label=label)
        return cls(text=text)

    @property
    def guessed(self) -> bool:
        """Whether it says of what nobody gave what is taken for it: told as a warning."""
        return " is assumed" in self.text

    def __str__(self) -> str:
        return f"{self.label}: {self.text}" if self.label else self.text


def together(notes: Sequence[Note]) -> tuple[str, ...]:
    """Each sentence once, with the runs that it is about.

    >>> one, other = Note(text="2 points left out", label="a"), Note(text="as logged")
    >>> together([one, other, Note(text="2 points left out", label="b")])
    ('a, b: 2 points left out', 'as logged')
    """
    labels: dict[str, list[str]] = {}
    for note in notes:
        labels.setdefault(note.text, []).append(note.label)
    out: list[str] = []
    for text, runs in labels.items():
        named = list(dict.fromkeys(label for label in runs if label))
        rest = f" and {len(named) - 3} more" if len(named) > 3 else ""
        out.append(f"{', '.join(named[:3])}{rest}: {text}" if named else text)
    return tuple(out)


def told(notes: Sequence[Note]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What was guessed, as warnings, and the other notes; see `together`."""
    guessed = [note for note in notes if note.guessed]
    return together(guessed), together([note for note in notes if not note.guessed])


@dataclass(frozen=True, kw_only=True)
class Status:
    """How a fit ended.

    Attributes:
        converged: The search met its tolerances.
        sentences: What to know before using the fit; empty if nothing is doubtful.
        misfit: Which curves it misses, and by how much; empty if none.
    """

    converged: bool
    sentences: tuple[str, ...] = ()
    misfit: str = ""

    @property
    def doubts(self) -> tuple[str, ...]:
        """All that is doubtful: optimisers that differ first, then a miss of its curves."""
        mixed = [text for text in self.sentences if text.startswith(DIFFERENT)]
        rest = [text for text in self.sentences if text not in mixed]
        return (*mixed, *([self.misfit] if self.misfit else []), *rest)

    @property
    def ended(self) -> str:
        """How the search ended."""
        if not self.converged:
            return "did not converge: ran out of steps"
        if any(sentence.endswith(UNTESTED) for sentence in self.sentences):
            return "not tested: no more points than parameters"
        return "converged, but far from the curves" if self.misfit else "converged"

    def __str__(self) -> str:
        return "; ".join([self.ended, *self.doubts])


def bounds_reached(law: Law, free: Sequence[str]) -> list[str]:
    """Sentences for free shapes that ended at a bound of their range."""
    sentences: list[str] = []
    for name in free:
        spec, value = law.shapes()[name], getattr(law, name)
        for word, bound in (("lower", spec.low), ("upper", spec.high)):
            if abs(np.log(value / bound)) < 1e-4:
                sentences.append(f"{name} ended at its {word} bound, {bound:g}")
    return sentences


def amplitudes_at_zero(law: Law, columns: FloatArray) -> list[str]:
    """Sentences for amplitudes that these curves do not show, or cannot."""
    sentences: list[str] = []
    for i, (name, spec) in enumerate(law.amplitudes().items()):
        if not columns[:, i].any():
            sentences.append(
                f"{name} ({spec.meaning}) is {NOT_DETERMINED}: nothing in these curves depends on"
                " it"
            )
        elif getattr(law, name) == 0:
            sentences.append(f"{name} ({spec.meaning}) is 0: these curves show none")
    return sentences


def residual_scale(residuals: FloatArray) -> float:
    """Robust scale of the log residuals, never below what repeated runs differ by."""
    return max(robust_sd(residuals), 3e-4)


def open_directions(names: Sequence[str], information: FloatArray) -> list[str]:
    """Sentences for directions in the log-parameters that the curves leave open.

    Args:
        names: Names of the parameters.
        information: Fisher information of the curves alone in the log-parameters, ``(P, P)``.
    """
    values, vectors = np.linalg.eigh(information)
    sentences: list[str] = []
    for value, vector in zip(values, vectors.T, strict=True):
        if value > OPEN**-2:
            continue
        vector = vector * np.sign(vector[np.argmax(np.abs(vector))])
        order = np.argsort(-np.abs(vector))
        strong = [i for i in order if abs(vector[i]) > 0.3]
        words = [f"{names[i]} {'up' if vector[i] > 0 else 'down'}" for i in strong]
        if len(strong) == 1:
            sentences.append(f"{names[strong[0]]} is {NOT_DETERMINED} by these curves")
        else:
            sentences.append(
                f"{NOT_DETERMINED} by these curves: {', '.join(words)} together changes little"
            )
    return sentences
