"""A scheduler of torch or optax, run ahead, against what training with it would have used."""

import copy
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import losslaw as ll

N = 60


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def adam(torch, *rates, **kwargs):
    groups = [{"params": [torch.zeros(3, requires_grad=True)], "lr": rate} for rate in rates]
    return torch.optim.AdamW(groups, **kwargs)


def trained(optimizer, scheduler, n, group=0):
    """The rate that each of n real updates uses."""
    used = []
    for _ in range(n):
        for each in optimizer.param_groups:
            for tensor in each["params"]:
                tensor.grad = tensor.detach() * 0 + 1
        used.append(float(optimizer.param_groups[group]["lr"]))
        optimizer.step()
        scheduler.step()
    return np.array(used)


def schedulers(torch):
    """Closed forms, recursions, sequences, chains, and those that move momentum too."""
    of = torch.optim.lr_scheduler

    def sequence(optimizer):
        rise = of.LinearLR(optimizer, 0.1, total_iters=10)
        fall = of.CosineAnnealingLR(optimizer, N - 10)
        return of.SequentialLR(optimizer, [rise, fall], [10])

    return {
        "lambda": lambda o: of.LambdaLR(o, lambda s: min(1.0, (s + 1) / 10)),
        "cosine": lambda o: of.CosineAnnealingLR(o, N, 1e-4),
        "multiplicative": lambda o: of.MultiplicativeLR(o, lambda s: 0.9),
        "exponential": lambda o: of.ExponentialLR(o, 0.95),
        "steps": lambda o: of.MultiStepLR(o, [20, 40], 0.3),
        "polynomial": lambda o: of.PolynomialLR(o, N, 2.0),
        "warm restarts": lambda o: of.CosineAnnealingWarmRestarts(o, 7, 2),
        "one cycle": lambda o: of.OneCycleLR(o, 0.01, total_steps=N + 1),
        "cyclic": lambda o: of.CyclicLR(o, 1e-4, 1e-2, 9, cycle_momentum=False),
        "chained": lambda o: of.ChainedScheduler(
            [of.ConstantLR(o, 0.1, 5), of.ExponentialLR(o, 0.97)], o
        ),
        "sequential": sequence,
    }


@pytest.mark.parametrize("done", [0, 13])
@pytest.mark.parametrize("name", [
    "lambda", "cosine", "multiplicative", "exponential", "steps", "polynomial", "warm restarts",
    "one cycle", "cyclic", "chained", "sequential",
])  # fmt: skip
def test_it_is_what_training_uses_and_nothing_is_disturbed(torch, name, done):
    optimizer = adam(torch, 1e-3)
    scheduler = schedulers(torch)[name](optimizer)
    trained(optimizer, scheduler, done)
    before = copy.deepcopy((scheduler.state_dict(), optimizer.state_dict()))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        told = ll.Schedule.from_torch(scheduler, N - done)
    assert str((scheduler.state_dict(), optimizer.state_dict())) == str(before)
    used = trained(optimizer, scheduler, N - done)
    # A text may stand for it to 1e-6 of the peak.
    assert_allclose(told.lr, used, atol=1e-6 * used.max(), rtol=0)
    if told.spec is None:
        assert_array_equal(told.lr, used)


def test_neither_parameters_nor_what_owns_a_factor_is_copied(torch):
    class Owner:
        def __deepcopy__(self, memo):
            raise AssertionError("copied")

        def factor(self, step):
            return 1 / (1 + step)

    optimizer = adam(torch, 1e-3)
    trained(optimizer, torch.optim.lr_scheduler.ConstantLR(optimizer, 1.0), 1)
    optimizer.state[optimizer.param_groups[0]["params"][0]]["heavy"] = Owner()
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, Owner().factor)
    assert_allclose(ll.Schedule.from_torch(scheduler, 3).lr, [1e-3, 5e-4, 1e-3 / 3])


def test_rates_that_are_tensors(torch):
    optimizer = adam(torch, torch.tensor(1e-3))
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 2, 0.5)
    told = ll.Schedule.from_torch(scheduler, 4)
    assert_allclose(told.lr, [1e-3, 1e-3, 5e-4, 5e-4], rtol=1e-6)  # float32
    assert float(optimizer.param_groups[0]["lr"]) == pytest.approx(1e-3)


def test_a_group_is_named_where_rates_differ(torch):
    optimizer = adam(torch, 1e-3, 1e-4)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, N)
    with pytest.raises(ll.InputError, match=r"0: 0.001, 1: 0.0001\): say which with group="):
        ll.Schedule.from_torch(scheduler, N)
    with pytest.raises(ll.InputError, match="has groups 0 to 1"):
        ll.Schedule.from_torch(scheduler, N, group=2)
    one, other = (ll.Schedule.from_torch(scheduler, N, group=i) for i in (0, 1))
    assert_allclose(one.lr, 10 * other.lr, rtol=1e-6, atol=1e-12)
    same = adam(torch, 1e-3, 1e-3)
    assert ll.Schedule.from_torch(torch.optim.lr_scheduler.ConstantLR(same, 1.0), 5).peak_lr == 1e-3


def test_a_long_plan_is_a_line(torch):
    spec = "wsd:peak=0.003,horizon=12000,warmup=100"
    made = ll.parse_schedule(spec)
    optimizer = adam(torch, 3e-3)
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: float(made.lr[min(s, 11_999)]) / 3e-3
    )
    told = ll.Schedule.from_torch(scheduler, 12_000)
    assert ll.format_schedule(told) == spec


def test_the_schedulers_of_transformers(torch):
    transformers = pytest.importorskip("transformers")
    for name, kwargs in (("cosine", None), ("linear", None), ("inverse_sqrt", None),
                         ("warmup_stable_decay", {"num_decay_steps": 20})):  # fmt: skip
        optimizer = adam(torch, 1e-3)
        scheduler = transformers.get_scheduler(
            name, optimizer, 10, N, scheduler_specific_kwargs=kwargs
        )
        told = ll.Schedule.from_torch(scheduler, N)
        assert_allclose(told.lr, trained(optimizer, scheduler, N), atol=1e-9, rtol=0)


def test_what_cannot_be_run_ahead_is_told_in_one_line(torch):
    of = torch.optim.lr_scheduler
    optimizer = adam(torch, 1e-3)
    for scheduler, n, line in (
        (of.ReduceLROnPlateau(optimizer), 5, "ReduceLROnPlateau follows the losses"),
        (of.OneCycleLR(optimizer, 0.01, total_steps=5), 9, "OneCycleLR cannot be run ahead for 9"),
        (of.ConstantLR(optimizer), 0, "0 updates of a scheduler, expected at least 1"),
        (of.ConstantLR(optimizer), 10**9, "updates"),
        (optimizer, 5, "AdamW is no scheduler of torch"),
        (3, 5, "int is no scheduler of torch"),
    ):
        with pytest.raises(ll.InputError, match=line):
            ll.Schedule.from_torch(scheduler, n)


@pytest.mark.parametrize("start", [0, 13])
def test_the_schedules_of_optax(start):
    optax = pytest.importorskip("optax")
    for schedule in (
        optax.constant_schedule(1e-3),
        optax.warmup_cosine_decay_schedule(0.0, 1e-3, 10, N, 1e-4),
        optax.piecewise_constant_schedule(1e-3, {20: 0.3, 40: 0.3}),
        optax.join_schedules(
            [optax.linear_schedule(0.0, 1e-3, 10), optax.exponential_decay(1e-3, 5, 0.9)], [10]
        ),
        lambda done: 1e-3 if done < 10 else 5e-4,  # takes one count at a time
        1e-3,
    ):
        told = ll.Schedule.from_optax(schedule, N - start, start=start)
        used = [float(schedule(k)) if callable(schedule) else schedule for k in range(start, N)]
        assert_allclose(told.lr, used, atol=2e-6 * max(used), rtol=0)
    told = ll.Schedule.from_optax(optax.cosine_decay_schedule(1e-3, 10_000), 10_001)
    assert told.horizon == 10_001


def test_what_is_no_schedule_of_optax_is_told_in_one_line():
    for given, n, line in (
        ("cosine", 5, "a str is no schedule of optax"),
        (lambda done: 1 / 0, 5, "the schedule fails: division by zero"),
        (1e-3, 0, "0 updates from 0 on"),
    ):
        with pytest.raises(ll.InputError, match=line):
            ll.Schedule.from_optax(given, n)


def test_an_export_comes_back(torch):
    """What torch is given is what torch gives back."""
    spec = "wsd:peak=3e-3,horizon=400,warmup=20,cooldown=0.25,decay=1-sqrt,final=1e-4"
    space = {}
    exec(ll.export(spec, "torch"), space)
    optimizer = adam(torch, space["PEAK"])
    told = ll.Schedule.from_torch(space["make_scheduler"](optimizer), 400)
    assert_allclose(told.lr, ll.parse_schedule(spec).lr, atol=2e-6 * 3e-3, rtol=0)
