"""Growing batches: the best single switch of the theory, and rate and batch as one."""

import itertools

import numpy as np
import pytest

import losslaw as ll
from losslaw.designing.batch_growth import design_batch
from losslaw.kernel.theory import Exponents, batch_relations, two_stage_risk
from losslaw.laws import Query


def world(s, beta):
    """The functional law with all constants 1 and label noise only."""
    return ll.Convolution(A=1.0, N=1.0, s=s, q=2 - 1 / beta, c=1.0)


@pytest.mark.parametrize(
    ("s", "beta", "samples"), [(0.5, 4.0, 4000), (0.5, 4.0, 20_000), (0.3, 2.0, 40_000)]
)
def test_hard_problems_switch_late_as_the_closed_form_says(s, beta, samples):
    design = design_batch(world(s, beta), samples, batches=(1, 16), peak=1.0, rate="constant")
    switches = np.linspace(0, samples, 801)
    risks = [
        two_stage_risk(Exponents(s, beta), samples=samples, switch=P, small=1, large=16).total
        for P in switches
    ]
    # The law has T^-s for (1 + T)^-s, and the valley is flat: .2 % of the risk, 3 % of the place.
    assert design.loss == pytest.approx(min(risks), rel=2e-3)
    assert design.begins[16] == pytest.approx(switches[int(np.argmin(risks))], abs=0.03 * samples)
    assert design.begins[1] == 0
    assert design.gain > 0


def test_samples_after_the_switch_grow_as_the_theory_says():
    """Hard regime: ``D - P ~ D^((1+s)/(2-1/beta))``, here .857, from above.

    The closed form gets there at 10^13 samples; the search follows it at 10^4.
    """
    exponents = Exponents(0.5, 4.0)

    def closed(D):
        after = D * np.geomspace(1e-3, 1.0, 4001)
        risks = [
            two_stage_risk(exponents, samples=D, switch=D - n, small=1, large=16).total
            for n in after
        ]
        return float(after[int(np.argmin(risks))])

    def begin_of(D):
        best = design_batch(world(0.5, 4.0), D, batches=(1, 16), peak=1.0, rate="constant")
        return D - best.begins[16]

    theory = {r.quantity: r for r in batch_relations(exponents, 1e9)}["samples after switch"]
    exponent = np.log10(theory.power.at(1e10) / theory.power.at(1e9))
    assert np.log10(closed(1e14) / closed(1e13)) == pytest.approx(exponent, abs=0.01)
    here = np.log(closed(64_000) / closed(4000)) / np.log(16)
    # Places are found to 3 % or so.
    assert np.log(begin_of(64_000) / begin_of(4000)) / np.log(16) == pytest.approx(here, abs=0.02)


def test_easy_problems_have_the_large_batch_from_the_start():
    design = design_batch(world(1.0, 2.0), 4000, batches=(1, 16), peak=1.0, rate="constant")
    assert set(design.begins) == {16}
    assert design.updates == (250, 4000)


def test_growing_batches_are_a_falling_rate_in_fewer_updates():
    """For this law only rate over batch counts: the free form of either is that of both."""
    law = world(0.5, 4.0)
    design = design_batch(law, 4000, batches=(1, 2, 4, 8, 16), peak=1.0, rate="free")
    alone = ll.design(law, 4000, peak=1.0, batch=1.0)
    assert design.loss == pytest.approx(alone.loss, rel=1e-3)
    assert design.updates[0] < 0.5 * design.updates[1]
    lr, batch = design.schedule.lr, design.schedule.batch
    assert batch.sum() == 4000
    assert lr.max() <= 1.0 + 1e-9
    # Until the largest batch is reached the rate stays near the peak, where the group fills it.
    growing = (batch > 1) & (np.cumsum(batch) < design.begins[16])
    assert lr[growing].min() > 0.3


@pytest.mark.parametrize("rate", ["constant", "wsd"])
def test_constraints_are_met(rate):
    law = ll.Effective(L0=2.5, A=0.3, N=47.0, B0=8.0)
    batches = (8.0, 16.0, 32.0)
    design = design_batch(
        law, 8 * 1500, batches=batches, peak=1e-3, rate=rate, warmup=50, weight_decay=0.1
    )
    schedule = design.schedule
    assert set(np.unique(schedule.batch)) <= set(batches)
    assert (np.diff(schedule.batch) >= 0).all()
    assert 8 * 1500 - 32 < schedule.batch.sum() <= 8 * 1500
    assert schedule.lr.max() <= 1e-3
    assert schedule.batch[:50].max() == 8.0
    assert design.loss <= min(design.constant.values())
    assert design.loss == pytest.approx(law.predict(schedule, [schedule.horizon])[0], abs=1e-8)
    seen = np.concatenate([[0.0], np.cumsum(schedule.batch)])
    for batch, begin in design.begins.items():
        assert schedule.batch[int(np.searchsorted(seen, begin))] == batch


def test_more_batches_to_choose_from_are_no_worse():
    law = world(0.5, 4.0)
    losses = [
        design_batch(law, 4000, batches=batches, peak=1.0, rate="constant").loss
        for batches in ((1,), (1, 16), (1, 4, 16))
    ]
    # Whole updates and searches by differences: 1e-3 of the risk.
    assert all(b <= a * 1.001 for a, b in itertools.pairwise(losses))


BAD = {
    "rate": (dict(rate="cosine"), "rate 'cosine': expected one of constant, wsd, free"),
    "order": (
        dict(batches=(4, 2)),
        r"batches are \[4\.0, 2\.0\], expected sizes above 0 in rising",
    ),
    "none": (dict(batches=()), "expected sizes above 0"),
    "few": (dict(samples=40, batches=(1, 16)), "40 samples are fewer than four updates of the"),
    "many": (dict(samples=1e9), "more than 2,000,000 updates of batch 1"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_plans_are_refused(name):
    changes, words = BAD[name]
    arguments = {**dict(samples=4000, batches=(1, 2), peak=1.0), **changes}
    with pytest.raises(ll.InputError, match=words):
        design_batch(world(0.5, 4.0), arguments.pop("samples"), **arguments)


def test_laws_blind_to_the_batch_are_refused():
    for law in (ll.Momentum(L0=2.5, A=0.3, C=0.3), ll.Effective(L0=2.5, A=0.3, N=47.0)):
        with pytest.raises(ll.InputError, match="knows nothing of the batch"):
            design_batch(law, 4000, batches=(1, 2), peak=1e-3)
    with pytest.raises(ll.InputError, match="is for the law 'convolution' only"):
        design_batch(
            ll.Effective(L0=2.5, A=0.3, N=47.0, B0=1.0), 4000, batches=(1,), peak=1, rate="free"
        )


def test_of_several_laws_those_that_see_the_batch_say_the_loss():
    """Against the laws' own predictions, weighed by hand."""
    law = ll.Effective(L0=2.5, A=0.3, N=45.0, B0=32.0)
    known = dict(peak=1e-3, horizon=1500, warmup=50, weight_decay=0.1)
    runs = {
        "flat": ll.constant(**known, batch=32),
        "cosine": ll.cosine(**known, batch=32),
        "wsd": ll.wsd(**known, batch=64),
    }
    rng = np.random.default_rng(0)
    curves = [law.curve(run, range(60, 1501, 15), label) for label, run in runs.items()]
    # Enough noise that several laws count.
    fit = ll.fit([c.with_(loss=c.loss + 0.01 * rng.normal(size=len(c))) for c in curves])
    made = design_batch(fit, 60_000, batches=(32, 128))
    question = fit.mixture.question(Query.of(made.schedule, [made.schedule.horizon]))
    sees = np.array([member.law.sees_batch for member in fit.mixture.members])
    weights = question.weights * sees
    assert (~sees).any()
    assert (weights > 1e-3).sum() > 1
    weights = weights / weights.sum()

    def direct(schedule):
        losses = [m.law.predict(schedule, [schedule.horizon])[0] for m in fit.mixture.members]
        return float(weights @ losses)

    assert made.loss == pytest.approx(direct(made.schedule), abs=1e-7)
    assert made.gain == pytest.approx(min(made.constant.values()) - made.loss)
    # The weights are those of the design for what it is compared with, too.
    assert made.constant[32] > made.loss
    assert str(made).startswith(made.trust.sentence)
    assert made.as_dict()["trust"]["sentence"] == made.trust.sentence


def test_a_warmup_may_be_a_share_of_the_samples():
    law = ll.Convolution(A=1.0, N=1.0, s=0.5, q=1.75, c=1.0)
    asked = dict(batches=(2, 16), peak=1.0, rate="constant")
    one, other = (design_batch(law, 4000, warmup=w, **asked) for w in (0.05, 100))
    assert one.schedule == other.schedule
    with pytest.raises(ll.InputError, match=r"warmup is 2\.5"):
        design_batch(law, 4000, warmup=2.5, **asked)
