"""What a fit says depends on the losses and schedules, and on nothing else.

Bit for bit: the order of the runs, their labels, threads, the hash seed. To 1e-4 nats: splitting a
run into two curves of one schedule, and logging it more often.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import losslaw as ll

LAW = ll.Effective(L0=1.9, A=0.35, N=45.0)
ASKED = ll.wsd(peak=1e-3, horizon=4000, warmup=100, cooldown=0.3)
RUNS = {
    "cosine": ll.cosine(peak=1e-3, horizon=3000, warmup=100),
    "wsd": ll.wsd(peak=1e-3, horizon=3000, warmup=100, cooldown=0.2),
    "hotter": ll.cosine(peak=2e-3, horizon=2000, warmup=100),
}


def runs(every=50, noise=2e-3):
    rng = np.random.default_rng(0)
    curves = [LAW.curve(s, range(every, s.horizon + 1, every), name) for name, s in RUNS.items()]
    return [c.with_(loss=c.loss + noise * rng.normal(size=len(c))) for c in curves]


def said(curves, **options):
    prediction = ll.fit(curves, **options).predict(ASKED, [2000, 4000])
    return np.stack([prediction.loss, prediction.lower, prediction.upper]).tobytes()


@pytest.mark.parametrize("law", ["auto", "multipower"])
def test_the_order_of_the_runs_does_not_matter(law):
    curves = runs()
    assert said(curves[::-1], law=law) == said(curves, law=law)


def test_labels_do_not_matter():
    curves = runs()
    other = [curve.with_(label=name) for curve, name in zip(curves, ("z", "a", "m"), strict=True)]
    assert said(other) == said(curves)


WORDS = """
import sys; sys.path.insert(0, {place!r})
from test_invariance import runs, said
print(said(runs()[:2]).hex())
"""


def test_threads_and_the_hash_seed_do_not_matter():
    words = WORDS.format(place=str(Path(__file__).parent))
    answers = set()
    for threads, seed in (("1", "0"), ("4", "1234")):
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
        env = {**os.environ, **dict.fromkeys(names, threads), "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", words], env=env, capture_output=True, text=True, check=True
        )
        answers.add(done.stdout)
    assert len(answers) == 1


def final(curves):
    return ll.fit(curves, "effective").predict(ASKED, [4000]).final


def test_logging_more_often_does_not_matter():
    assert final(runs(10, 0.0)) == pytest.approx(final(runs(50, 0.0)), abs=1e-4)


def test_splitting_a_run_does_not_matter():
    first, *others = runs(10, 0.0)
    early = first.some(np.arange(len(first)) < len(first) // 2)
    late = first.some(np.arange(len(first)) >= len(first) // 2).with_(label="late")
    assert final([early, late, *others]) == pytest.approx(final([first, *others]), abs=1e-4)
