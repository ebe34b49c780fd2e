"""One answer of every kind that has a picture, made once."""

from functools import cache

import numpy as np

import losslaw as ll
from losslaw.designing.batch_growth import design_batch
from losslaw.designing.run_length import horizon_for
from losslaw.kernel.methods import evaluate
from losslaw.kernel.sweeps.grid import SweepGrid

FITTED = ("constant_peak3e-3_T4000", "cosine_peak3e-3_T4000", "wsd-linear-0.2_peak3e-3_T4000")
WSD = "wsd:peak=3e-3,horizon=4000,warmup=100,cooldown=0.2"
LAW = {"law": "effective"}


@cache
def curves():
    """The fitted runs."""
    return [curve for curve in ll.bundled_curves() if curve.label in FITTED]


@cache
def fit():
    """Of one law, with an interval."""
    return ll.fit(curves(), "effective")


def so_far():
    """A run in progress."""
    return curves()[0].until(2500)


def _sized(size):
    law = ll.Effective(L0=1.9 + 0.8 * (size / 1e8) ** -0.25, A=0.5, N=45.0)
    plan = ll.wsd(peak=1e-3, horizon=2000, warmup=100, cooldown=0.2, weight_decay=0.1)
    return law.curve(plan, np.arange(50, 2001, 50), f"{size:g}").with_(model_size=size)


def ladder():
    """Runs of three model sizes."""
    return [_sized(size) for size in (2.5e7, 1e8, 4e8)]


def _world():
    return ll.KernelRegression(source=1.0, capacity=2.0, noise=0.5, modes=200)


def _grid():
    sides = {"source": [0.5, 0.5, 1.0, 1.0], "capacity": [2.0, 4.0, 2.0, 4.0]}
    excess = np.array([0.04, 0.02, 0.01, np.nan])
    return SweepGrid(source="table.csv", columns=sides, excess=excess)


MAKERS = {
    "Schedule": lambda: ll.parse_schedule(WSD),
    "LossCurve": lambda: curves()[2],
    "Fit": fit,
    "Prediction": lambda: fit().predict(WSD),
    "Forecast": lambda: ll.forecast(so_far(), horizon=4000, earlier=curves()[2:], **LAW),
    "Annealed": lambda: ll.annealed(curves()[:2], earlier=curves()[2:], path=True, **LAW),
    "Advice": lambda: ll.advise(curves()[:1], "cosine:peak=3e-3,horizon=12000,warmup=100", **LAW),
    "Design": lambda: ll.design(fit(), 4000, family="wsd"),
    "BatchDesign": lambda: design_batch(
        ll.Convolution(A=1.0, N=1.0, s=0.5, q=1.75, c=1.0),
        4000,
        batches=(1, 16),
        peak=1.0,
        rate="constant",
    ),
    "Horizon": lambda: horizon_for(fit(), 1.5),
    "Profile": lambda: ll.profile(curves(), "alpha", points=5, **LAW),
    "Scores": lambda: ll.score(fit(), curves()),
    "Comparison": lambda: ll.compare(curves(), ["effective", "momentum"]),
    "Ladder": lambda: ll.ladder(ladder(), **LAW),
    "MergeForecast": lambda: ll.merge(so_far(), 100, last=8, earlier=curves()[2:], **LAW),
    "Continued": lambda: ll.continue_run(so_far(), 1000, earlier=curves()[2:], **LAW),
    "Fleet": lambda: ll.fleet(curves(), **LAW),
    "KernelRegression": _world,
    "SweepMap": lambda: _grid().map(),
    "Evaluation": lambda: evaluate(_world(), ll.constant(peak=0.2, horizon=1000), points=50),
}


@cache
def answer(name):
    """The answer of this type."""
    return MAKERS[name]()
