"""Real files of trackers, kept beside the repository, and the right reading of each."""

from pathlib import Path

import pytest

from losslaw.curves import read_curves
from losslaw.logs import read_logs

FOLDER = Path(__file__).parents[3] / "shared" / "logs"
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"the real logs are not here ({FOLDER}): nothing is compared"
)


# File, format, losses, and by loss: points after step 0, first and last of them.
@pytest.mark.parametrize(
    ("file", "form", "horizon", "losses"),
    [
        (
            "events.out.tfevents.0000000000.host.1.0",
            "TensorBoard event file",
            None,
            {"train/loss": (399, (50, 5.855443), (19950, 2.2227426))},
        ),
        (
            "run.wandb",
            "W&B transaction log",
            20000,
            {
                "train/loss": (79, (250, 4.071110248565674), (19750, 1.7275149822235107)),
                "val/loss": (79, (250, 3.7148661613464355), (19750, 1.8291709423065186)),
            },
        ),
        (
            "wandb_history_export.csv",
            "W&B history (CSV)",
            None,
            {
                "train/loss": (559, (40, 6.475340366363525), (19960, 1.7230284214019775)),
                "val/loss": (79, (250, 3.7148661613464355), (19750, 1.8291709423065186)),
            },
        ),
    ],
)
def test_the_right_reading(file, form, horizon, losses):
    (log,) = read_logs(FOLDER / file)
    assert (log.format, log.horizon, log.skipped) == (form, horizon, ())
    assert sorted(log.losses) == sorted(losses)
    for name, (points, first, last) in losses.items():
        (curve,) = read_curves(FOLDER / file, loss_column=name)
        assert len(curve) == points
        assert (curve.steps[0], curve.loss[0]) == first
        assert (curve.steps[-1], curve.loss[-1]) == last
        assert (curve.origin.lr_is, curve.loss_is) == ("next", "instant")
        assert curve.planned == horizon
        # One run, three ways to keep it: a cosine from 5.946e-4 after 100 updates.
        assert curve.schedule.peak_lr == pytest.approx(5.946e-4, rel=1e-4)
        assert curve.schedule.warmup in (100, 101)
        assert curve.schedule.lr[0] == 0
