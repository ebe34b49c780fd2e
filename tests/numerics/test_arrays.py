"""The door through which numbers come in."""

import numpy as np
import pytest

from losslaw.errors import InputError
from losslaw.numerics.arrays import finite_vector


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([], "empty"),
        ([[1.0]], "one dimension"),
        (["x"], "expected numbers"),
        (None, "one dimension"),
        ([1.0, np.nan], "value 1 is nan"),
        ([1.0, -2.0], "value 1 is -2"),
    ],
)
def test_what_is_no_vector_is_refused(values, words):
    with pytest.raises(InputError, match=words):
        finite_vector("rates", values)


def test_a_vector_is_a_copy_that_cannot_be_written():
    given = np.array([1.0, 2.0])
    taken = finite_vector("rates", given)
    given[0] = 5.0
    assert taken.tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="read-only"):
        taken[0] = 3.0


def test_negative_values_where_they_are_allowed():
    assert finite_vector("steps", [-1, 2], negative=True).tolist() == [-1.0, 2.0]


def test_what_nobody_can_write_into_is_not_copied_again():
    once = finite_vector("rates", [1.0, 2.0])
    assert finite_vector("rates", once) is once
    view = np.arange(3.0)[1:]
    view.setflags(write=False)
    assert finite_vector("rates", view) is not view
