"""Data frames of any library, in and out, through narwhals; none is imported before it is used.

A frame is read as the CSV file that it would be saved as: a cell that its library calls missing
(pandas calls NaN so) is empty there, and a number has the digits that it needs.
"""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from losslaw.errors import InputError, MissingExtra

Cells = Sequence[str | None]

# Libraries whose frames can be asked for, the one that is taken first.
BACKENDS = ("pandas", "polars", "pyarrow")
# What the classes of data frames have, one or the other.
MARKS = ("__dataframe__", "__arrow_c_stream__", "__narwhals_dataframe__", "__narwhals_lazyframe__")
# Libraries of frames that have none of these.
LAZY = ("dask", "duckdb", "polars")


def is_frame(value: object) -> bool:
    """Whether a value is a data frame.

    >>> is_frame([{"step": 1}])
    False
    """
    kind = type(value)
    library = kind.__module__.partition(".")[0].lstrip("_")
    return library in LAZY or any(hasattr(kind, mark) for mark in MARKS)


def cells_of_frame(value: Any) -> dict[str, Cells]:
    """The cells of a data frame by column.

    Of a pandas frame whose index has a name, as after ``set_index("step")``, it is a column.

    Raises:
        InputError: it cannot be read as a frame.
    """
    import narwhals as nw

    index = getattr(value, "index", None)
    try:
        named = any(name is not None for name in getattr(index, "names", ()))
        frame: Any = nw.from_native(value.reset_index() if named else value)
        if isinstance(frame, nw.LazyFrame):
            frame = frame.collect()
        found: dict[str, Cells] = {}
        for column in frame.iter_columns():
            small = column.dtype in (nw.Float32, nw.Float16)
            values = cells(column.to_numpy() if small else column.to_list())
            missing = column.is_null().to_list()
            found[str(column.name)] = [
                None if empty else cell for cell, empty in zip(values, missing, strict=True)
            ]
    except (nw.exceptions.NarwhalsError, TypeError, ValueError) as error:
        reason = "" if isinstance(error, TypeError) else f": {' '.join(str(error).split())}"
        kind = f"{type(value).__module__.partition('.')[0]}.{type(value).__name__}"
        raise InputError(f"a {kind} cannot be read as a data frame{reason}") from None
    return found


def cells(values: "Sequence[object] | np.ndarray") -> Cells:
    """Values as the text of cells; a number of few digits has few, in its own precision.

    >>> cells([1, 3e-4, None, "a\\nb"]), cells(np.array([3e-4], np.float32))
    (['1', '0.0003', None, 'a b'], ['0.0003'])
    """
    if isinstance(values, np.ndarray) and values.dtype.name not in ("float32", "float16"):
        values = values.tolist()
    return [
        None if value is None else " ".join(value.split()) if isinstance(value, str) else str(value)
        for value in values
    ]


def frame_of(columns: Mapping[str, np.ndarray], backend: str | None) -> Any:
    """A data frame of these columns, of the library named, or of the first that is installed.

    Raises:
        InputError: a library of another name.
        MissingExtra: it is not installed; or none is.
    """
    if backend is not None and backend not in BACKENDS:
        raise InputError(f"backend is {backend!r}, expected one of: {', '.join(BACKENDS)}")
    library: Any = _installed(BACKENDS if backend is None else (backend,))
    import narwhals as nw

    return nw.from_dict(columns, backend=library).to_native()


def _installed(libraries: Sequence[str]) -> Any:
    found = next((name for name in libraries if find_spec(name)), None)
    if found is None:
        raise MissingExtra("a data frame", " or ".join(libraries), "frames")
    return found
