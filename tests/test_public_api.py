"""The names of the package, and the contract of its Python side: what programs may rely on."""

import inspect

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import losslaw as ll

# A name that leaves this list breaks someone's program: say so in CHANGELOG.md.
NAMES = {
    "LAWS",
    "Advice",
    "Annealed",
    "Chinchilla",
    "Continued",
    "Convolution",
    "Design",
    "Effective",
    "Fit",
    "FitError",
    "Fleet",
    "Forecast",
    "Functional",
    "InputError",
    "Instantaneous",
    "KernelRegression",
    "Ladder",
    "LastIterate",
    "Law",
    "LossCurve",
    "MergeForecast",
    "Momentum",
    "MultiPower",
    "OneClock",
    "Prediction",
    "Schedule",
    "advise",
    "allow_long",
    "annealed",
    "bundled_curves",
    "compare",
    "constant",
    "continue_run",
    "cosine",
    "cyclic",
    "datasets",
    "design",
    "exponential",
    "export",
    "fit",
    "fleet",
    "forecast",
    "format_schedule",
    "from_knots",
    "inverse_power",
    "inverse_sqrt",
    "join",
    "ladder",
    "linear",
    "live",
    "load_fit",
    "merge",
    "parse_schedule",
    "power",
    "profile",
    "read_curves",
    "read_schedule",
    "report",
    "score",
    "step",
    "twostage",
    "wsd",
}
LAWS = {
    "chinchilla",
    "convolution",
    "effective",
    "functional",
    "instantaneous",
    "lastiterate",
    "momentum",
    "multipower",
}


def test_public_names():
    assert set(ll.__all__) == set(dir(ll)) == NAMES | {"__version__"}


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_public_name_is_there_and_explained(name):
    value = getattr(ll, name)
    if callable(value):
        assert inspect.getdoc(value)


def test_unknown_names_are_refused():
    with pytest.raises(AttributeError, match="losslaw attribute Polynomial"):
        _ = ll.Polynomial


def test_no_law_is_lost():
    assert set(ll.LAWS) >= LAWS
    assert all(name == law.name for name, law in ll.LAWS.items())


@pytest.fixture
def logs(tmp_path):
    """Three logs, without their warm-up, as a trainer would have written them."""
    law = ll.MultiPower(L0=2.6, A=0.55, alpha=0.5, B=400.0, beta=0.6, C=2.0, gamma=0.6)
    runs = {
        "cosine": ll.cosine(peak=3e-4, horizon=24_000, warmup=2160, final=3e-5),
        "constant": ll.constant(peak=3e-4, horizon=24_000, warmup=2160),
        "wsd": ll.wsd(peak=3e-4, horizon=24_000, warmup=2160, cooldown=0.2, final=3e-5),
    }
    for label, run in runs.items():
        steps = np.arange(2200, 24_001, 200)
        losses = law.predict(run, steps)
        rows = [
            f"{step},{lr!r},{loss!r}"
            for step, lr, loss in zip(
                steps.tolist(), run.lr[steps - 1].tolist(), losses.tolist(), strict=True
            )
        ]
        text = "\n".join(["step,lr,loss", *rows]) + "\n"
        (tmp_path / f"{label}.csv").write_text(text)
    return law, tmp_path


def test_the_contract_from_logs_to_a_prediction(logs):
    law, folder = logs
    curves = ll.read_curves(f"{folder}/*.csv", warmup=2160)
    assert {curve.label for curve in curves} == {"cosine", "constant", "wsd"}
    fit = ll.fit(curves, law="multipower")
    assert "multi-power law" in str(fit)
    asked = ll.wsd(peak=3e-4, horizon=24_000, warmup=2160, cooldown=0.2)
    prediction = fit.predict(asked)
    assert prediction.loss.shape == (24_000,)
    # The curves were made by the law, so the fit knows it where the schedule is like theirs. The
    # rates between rows are reconstructed, and the parameters trade with each other: 2e-3.
    unseen = np.arange(20_000, 23_000, 500)
    assert_allclose(fit.predict(asked, unseen).loss, law.predict(asked, unseen), atol=2e-3)
    fit.save(str(folder / "fit.json"))
    again = ll.load_fit(str(folder / "fit.json"))
    assert_allclose(again.predict(asked).loss, prediction.loss, rtol=1e-9)
    assert ll.score(again, curves, unseen=False).mean["rmse"] < 2e-3


def test_a_law_is_named_or_given_as_a_class():
    law = ll.Momentum(L0=2.0, A=1.0, C=0.5, alpha=0.5)
    runs = {
        "a": ll.cosine(peak=0.01, horizon=900),
        "b": ll.constant(peak=0.01, horizon=900),
    }
    curves = [law.curve(run, range(10, 901, 10), label) for label, run in runs.items()]
    named, given = ll.fit(curves, "momentum"), ll.fit(curves, ll.Momentum)
    assert named.parameters == given.parameters


def test_the_contract_of_the_kernel_world():
    world = ll.KernelRegression(source=0.5, capacity=4.0, modes=10**6, noise=1.0)
    lr, steps = np.full(100, 0.1), [1, 10, 100]
    curve = world.mean_curve(ll.Schedule(lr=lr, batch=np.full(100, 8.0)), steps=steps)
    assert isinstance(curve, ll.LossCurve)
    assert_array_equal(curve.steps, steps)
    assert (curve.loss > 0.5).all()  # the irreducible noise**2 / 2 is in the loss


def test_runs_are_given_as_people_have_them(logs):
    """A path, arrays, records or curves: the answers are the same."""
    _, folder = logs
    path = folder / "constant.csv"
    (curve,) = ll.read_curves(path)
    rows = [dict(zip(("step", "lr", "loss"), map(float, line.split(",")), strict=True))
            for line in path.read_text().split()[1:]]  # fmt: skip
    arrays = {name: [row[name] for row in rows] for name in ("step", "lr", "loss")}
    spec = "wsd:peak=3e-4,horizon=24000,warmup=2160,cooldown=0.2"
    fits = [ll.fit(run, "momentum", uncertainty=False) for run in (curve, str(path), rows, arrays)]
    assert len({fit.predict(spec, [24_000]).final for fit in fits}) == 1
    scores = [ll.score(fits[0], run).mean["rmse"] for run in (curve, path, arrays)]
    assert len(set(scores)) == 1
    asked = {"law": "momentum", "schedule": "constant:peak=3e-4,horizon=30000,warmup=2160"}
    assert len({ll.forecast(run, **asked).final for run in (curve, path, rows)}) == 1


SPEC = "cosine:peak=0.01,horizon=60,warmup=10"


def test_a_schedule_is_given_as_text_as_well(tmp_path):
    law = ll.Effective(L0=2.0, A=0.5, N=40.0)
    made = ll.parse_schedule(SPEC)
    (tmp_path / "plan.csv").write_text(ll.export(SPEC, "csv"))
    for given in (SPEC, f"file:{tmp_path}/plan.csv", tmp_path / "plan.csv"):
        assert_array_equal(law.predict(given), law.predict(made))
        assert law.curve(given, [30]).schedule == made
        assert ll.LossCurve(given, [30], [3.0]).schedule == made
    asked = {"peak": 0.01, "family": "wsd"}
    designs = [ll.design(law, 100, prefix=prefix, **asked) for prefix in (SPEC, made)]
    assert designs[0].schedule == designs[1].schedule
    world = ll.KernelRegression(source=1, capacity=2, modes=20)
    assert_array_equal(world.mean_curve(SPEC).loss, world.mean_curve(made).loss)
    assert_array_equal(world.excess_risk(SPEC), world.excess_risk(made))


@pytest.mark.parametrize("take", [ll.Momentum().predict, lambda given: ll.export(given, "csv")])
def test_what_is_no_schedule_is_told_in_one_line(take):
    line = "a schedule is given as a float, expected a Schedule, a text such as wsd:peak="
    with pytest.raises(ll.InputError, match=line):
        take(3e-4)


def test_a_prediction_becomes_a_frame():
    frame_library = pytest.importorskip("pandas", reason="pandas is not installed")
    law = ll.Momentum(L0=2.0, A=1.0, C=0.5, alpha=0.5)
    curve = law.curve("cosine:peak=0.01,horizon=900", range(10, 901, 10))
    prediction = ll.fit(curve, "momentum").predict("constant:peak=0.01,horizon=50")
    frame = prediction.to_frame()
    assert isinstance(frame, frame_library.DataFrame)
    assert list(frame.columns) == ["step", "lr", "loss", "lower", "upper"]
    assert_array_equal(frame["loss"], prediction.loss)
    # What comes out goes in again.
    assert_array_equal(ll.LossCurve.from_frame(frame).loss, prediction.loss)


def test_results_are_short_in_passing_and_whole_in_a_notebook():
    law = ll.Momentum(L0=2.0, A=1.0, C=0.5, alpha=0.5)
    curve = law.curve("cosine:peak=0.01,horizon=900", range(10, 901, 10), "<b>\x1b[31m")
    fit = ll.fit(curve, "momentum")
    spec = "constant:peak=0.01,horizon=50"
    for result in (fit, fit.predict(spec), ll.forecast(curve.with_(label="<b>"), horizon=2000)):
        assert repr(result).startswith(f"<{type(result).__name__}: ")
        assert len(repr(result)) < 130
        assert repr(result).isprintable()
        assert result.summary().splitlines() == str(result).splitlines()
        page = result._repr_html_()
        assert page.startswith("<pre>")
        assert "<b>" not in page
        assert "\x1b" not in page
