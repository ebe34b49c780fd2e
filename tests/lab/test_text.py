import numpy as np
import pytest
from numpy.testing import assert_array_equal

from losslaw.errors import InputError
from losslaw.lab import standard_library, text_of


def test_a_batch_depends_on_seed_and_step_alone(text):
    later = text.batch(seed=3, step=7, batch=4, context=16)
    text.batch(seed=3, step=1, batch=4, context=16)
    assert_array_equal(text.batch(seed=3, step=7, batch=4, context=16), later)
    assert (text.batch(seed=3, step=8, batch=4, context=16) != later).any()
    assert (text.batch(seed=4, step=7, batch=4, context=16) != later).any()


def test_windows_are_pieces_of_the_text(text):
    windows = text.batch(seed=0, step=1, batch=8, context=16)
    everywhere = np.lib.stride_tricks.sliding_window_view(text.train, 17)
    assert windows.shape == (8, 17)
    assert all((everywhere == window).all(axis=1).any() for window in windows)


def test_validation_targets_do_not_overlap_and_reach_both_ends(text):
    room = (text.validation.size - 1) // 16
    windows = text.validation_windows(room, 16)
    assert_array_equal(windows[0], text.validation[:17])
    assert_array_equal(windows[-1], text.validation[-17:])
    starts = np.linspace(0, text.validation.size - 17, room).astype(int)
    assert np.diff(starts).min() >= 16


def test_too_many_validation_windows(text):
    with pytest.raises(InputError, match="at most 62"):
        text.validation_windows(63, 16)


def test_files_are_split_whole(tmp_path):
    files = [tmp_path / f"{i:02}.py" for i in range(12)]
    for i, path in enumerate(files):
        path.write_bytes(bytes([i + 1]) * 5)
    text = text_of(files, source="twelve files")
    assert set(text.validation.tolist()) == {0, 1, 11}
    assert set(text.train.tolist()) == {0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12}


def test_one_file_is_too_few(tmp_path):
    path = tmp_path / "one.py"
    path.write_text("x")
    with pytest.raises(InputError, match="two files"):
        text_of([path], source="one file")


def test_the_standard_library_is_enough_and_the_same_twice():
    text = standard_library()
    assert text.train.size > 5_000_000
    assert text.validation.size > 500_000
    assert np.array_equal(standard_library().train, text.train)
