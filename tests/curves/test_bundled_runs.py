"""The curves that come with the package."""

import numpy as np
import pytest

from losslaw.curves import bundled_curves, bundled_names
from losslaw.curves import bundled_runs as bundle
from losslaw.errors import InputError
from losslaw.schedules import parse_schedule, recognise


def test_every_bundled_curve_has_the_schedule_it_was_made_with():
    _, runs = bundle._meta()
    for curve in bundled_curves():
        made_with = parse_schedule(runs[curve.label]["schedule"])
        n = curve.schedule.horizon
        assert n == made_with.horizon
        assert curve.schedule.warmup == made_with.warmup
        # Only some updates are logged: what lies between them is reconstructed.
        np.testing.assert_allclose(curve.schedule.lr, made_with.lr, atol=1e-6 * made_with.peak_lr)
        assert curve.warnings == ()
        assert curve.schedule.weight_decay is not None
        assert curve.schedule.batch is not None
        found = recognise(curve.schedule)
        assert found is not None
        assert found.complete


def test_some_by_name():
    names = bundled_names()[:2][::-1]
    assert [curve.label for curve in bundled_curves(names)] == names


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(InputError, match=r"no bundled curve 'x'; there are constant_peak3e-3"):
        bundled_curves(["x"])


def test_an_installation_without_curves(monkeypatch, tmp_path):
    monkeypatch.setattr(bundle, "_FOLDER", tmp_path)
    with pytest.raises(InputError, match="no bundled curves: install losslaw again"):
        bundled_curves()
