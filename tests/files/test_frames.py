"""Frames that are made: of which library, and what is said where there is none."""

import numpy as np
import pytest

from losslaw.errors import InputError, MissingExtra
from losslaw.files import frames

COLUMNS = {"step": np.array([1, 2]), "loss": np.array([3.5, 1 / 3])}


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_a_frame_of_the_library_that_is_named(library):
    pytest.importorskip(library, reason=f"{library} is not installed")
    made = frames.frame_of(COLUMNS, library)
    assert type(made).__module__.partition(".")[0] == library
    assert frames.cells_of_frame(made) == {"step": ["1", "2"], "loss": ["3.5", repr(1 / 3)]}


def test_libraries_that_are_not_installed(monkeypatch):
    monkeypatch.setattr(frames, "find_spec", lambda name: None)
    for backend, needs in ((None, "pandas or polars or pyarrow"), ("polars", "polars")):
        with pytest.raises(MissingExtra) as error:
            frames.frame_of(COLUMNS, backend)
        first = needs.partition(" ")[0]
        line = f"a data frame needs {needs}: pip install {first}, or in a clone of losslaw pip"
        assert str(error.value) == f'{line} install ".[frames]"'


def test_a_library_of_no_frames():
    with pytest.raises(InputError, match="backend is 'numpy', expected one of: pandas, polars"):
        frames.frame_of(COLUMNS, "numpy")
