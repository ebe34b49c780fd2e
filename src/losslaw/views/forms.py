"""What a picture needs of an answer, as the JSON form of the answer has it.

Pictures are drawn from these, so that an answer in memory and one that a command saved with
``--json`` look the same. Where JSON has nothing for a number it is ``None``; NaN in arrays.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np

from losslaw.curves.curve import NATS
from losslaw.files.checked import Finite, convert
from losslaw.files.json_text import plain
from losslaw.numerics.arrays import FloatArray

T = TypeVar("T")
Numbers = list[Finite | None]


class Answer(Protocol):
    """Whatever has a JSON form."""

    def as_dict(self) -> Mapping[str, Any]:
        """The JSON form."""
        ...


def form_of(kind: type[T], answer: T | Answer, what: str = "answer") -> T:
    """What a picture needs of an answer.

    Raises:
        InputError: its JSON form has it not.
    """
    return answer if isinstance(answer, kind) else read_form(kind, answer.as_dict(), what)  # pyright: ignore


def read_form(kind: type[T], values: object, what: str) -> T:
    """What a picture needs of the JSON form of an answer.

    Raises:
        InputError: it is not there, in one line.
    """
    return convert(plain(values), kind, what)


def array(values: Sequence[float | None]) -> FloatArray:
    """Numbers of a form, NaN where it has none. Shape ``(m,)``."""
    return np.array([math.nan if each is None else each for each in values], dtype=np.float64)


@dataclass(frozen=True, kw_only=True)
class Along:
    """Losses along updates, with their band. Lists of one length."""

    step: list[int]
    loss: list[Finite]
    lower: Numbers | None = None
    upper: Numbers | None = None
    level: float | None = None
    unit: str = NATS

    def __post_init__(self) -> None:
        lists = [self.step, self.loss, self.lower, self.upper]
        if not self.step or len({len(each) for each in lists if each is not None}) > 1:
            raise ValueError("expected step, loss, lower and upper of one length")


@dataclass(frozen=True, kw_only=True)
class Ends:
    """Both ends of an interval; ``None``: there is none."""

    lower: Finite | None
    upper: Finite | None


@dataclass(frozen=True, kw_only=True)
class Told(Ends):
    """A loss with its interval."""

    loss: Finite
