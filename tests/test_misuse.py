"""What is no such thing, given from Python: one line that says what is accepted."""

import pytest

import losslaw as ll
from losslaw.cli.main import run
from losslaw.curves.curve import NATS

SPEC = "wsd:peak=1e-2,horizon=200,warmup=10,cooldown=.3"
LAW = ll.Momentum(L0=2.0, A=0.3, C=0.3, alpha=0.5)
CURVES = [LAW.curve(SPEC, range(5, 201, 5), "a"), LAW.curve(SPEC, range(7, 200, 5), "b")]


@pytest.fixture(scope="module")
def fit():
    return ll.fit(CURVES, "momentum")


MISUSES = {
    "fit of nothing": (lambda fit: ll.fit(None), "read_curves|a LossCurve"),
    "fit of a number": (lambda fit: ll.fit(3), "a LossCurve"),
    "fit of no runs": (lambda fit: ll.fit([]), "no curves"),
    "fit of a fit": (lambda fit: ll.fit(fit), "a LossCurve"),
    "predict nothing": (lambda fit: fit.predict(None), "expected a Schedule, a text"),
    "a level in words": (lambda fit: fit.predict(SPEC, level="90%"), "level is given as a str"),
    "design by nothing": (lambda fit: ll.design(None, 100), "expected a Fit, a Law or a"),
    "design by runs": (lambda fit: ll.design(CURVES, 100), "expected a Fit, a Law or a"),
    "a horizon in words": (lambda fit: ll.design(fit, "100"), "horizon .* expected a number"),
    "a peak in words": (lambda fit: ll.design(fit, 100, peak="x"), "peak .* expected a number"),
    "advice for nothing": (lambda fit: ll.advise(CURVES, None), "expected a Schedule"),
    "logs that are a number": (lambda fit: ll.read_curves(5), "expected"),
    "score the wrong way round": (lambda fit: ll.score(CURVES, fit), "expected a Fit; then"),
    "score by a law": (lambda fit: ll.score(LAW, CURVES), "expected a Fit; then the curves"),
    "rates that are a text": (lambda fit: ll.Schedule("abc"), "expected numbers"),
    "a warm-up in words": (lambda fit: ll.Schedule([1.0], warmup="x"), "warmup .* a number"),
    "a batch in words": (lambda fit: ll.Schedule([1.0], batch="x"), "batch sizes .* a number"),
    "a label that is none": (lambda fit: CURVES[0].with_(label=3), "label .* expected a text"),
    "a size in words": (lambda fit: CURVES[0].with_(model_size="7B"), "model_size .* a number"),
    "laws that are a number": (lambda fit: ll.compare(CURVES, 3), "names of laws"),
    "forecast to a word": (lambda fit: ll.forecast(CURVES[0], horizon="x"), "horizon .* a number"),
    "annealed over a word": (lambda fit: ll.annealed(CURVES[0], over="x"), "over .* updates, as"),
    "annealed by no fit": (lambda fit: ll.annealed(CURVES[0], fit=3), "expected a Fit"),
    "going on for a word": (lambda fit: ll.continue_run(CURVES[0], "x"), "updates are to come"),
    "going on at a word": (
        lambda fit: ll.continue_run(CURVES[0], 50, peaks=["x"]),
        "peak .* expected a number",
    ),
    "checkpoints in words": (lambda fit: ll.merge(CURVES[0], "x"), "checkpoints .* steps, or"),
    "export by no fit": (lambda fit: ll.export(SPEC, "csv", fit=3), "expected a Fit"),
    "a tolerance in words": (
        lambda fit: ll.export(SPEC, "csv", tolerance="x"),
        "tolerance .* expected a number",
    ),
    "no text": (lambda fit: ll.parse_schedule(None), "the text of a schedule is given as a None"),
    "no path": (lambda fit: ll.read_schedule(None), "expected the path of a table"),
    "no path of a fit": (lambda fit: ll.load_fit(3), "expected the path of a file"),
    "no path to save to": (lambda fit: fit.save(None), "expected the path of a file"),
    "the text of a text": (lambda fit: ll.format_schedule(SPEC), "expected a Schedule"),
    "texts joined": (lambda fit: ll.join(SPEC, SPEC), "expected a Schedule, such as"),
    "no peak": (lambda fit: ll.wsd(peak=None, horizon=9), "peak .* expected a number"),
    "a horizon of a family in words": (lambda fit: ll.wsd(peak=1, horizon="x"), "horizon .* numb"),
    "knots in a row": (lambda fit: ll.from_knots([1, 2]), "rates by update"),
    "a parameter in words": (lambda fit: ll.Momentum(alpha="x"), "alpha .* expected a number"),
    "a world in words": (
        lambda fit: ll.KernelRegression(source="x", capacity=2),
        "source .* expected a number",
    ),
}


@pytest.mark.parametrize("name", MISUSES)
def test_a_misuse_is_told_in_one_line(name, fit):
    call, words = MISUSES[name]
    with pytest.raises(ll.InputError, match=words) as error:
        call(fit)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 300


IN_BITS, IN_NATS = CURVES[0].with_(unit="bits per byte"), CURVES[1].with_(unit=NATS)
OF_SIZE = [run.with_(model_size=size) for run, size in ((IN_BITS, 1e7), (IN_NATS, 4e7))]
TOGETHER = {
    "fitted": lambda fit: ll.fit([IN_BITS, IN_NATS]),
    "compared": lambda fit: ll.compare([IN_BITS, IN_NATS]),
    "annealed": lambda fit: ll.annealed([IN_BITS, IN_NATS], group_by="label"),
    "annealed by a fit": lambda fit: ll.annealed(IN_NATS, fit=fit),
    "a fleet": lambda fit: ll.fleet([IN_BITS, IN_NATS]),
    "a ladder": lambda fit: ll.ladder(OF_SIZE),
    "a ladder by a fit": lambda fit: ll.ladder(OF_SIZE[1:] + OF_SIZE, fit=fit),
    "advice": lambda fit: ll.advise([IN_BITS, IN_NATS], SPEC),
    "scored": lambda fit: ll.score(fit, IN_NATS),
    "going on with earlier runs": lambda fit: ll.continue_run(IN_NATS, 50, earlier=IN_BITS),
    "going on by a fit": lambda fit: ll.continue_run(IN_NATS, 50, fit=fit),
    "forecast with earlier runs": lambda fit: ll.forecast(IN_NATS, earlier=IN_BITS),
    "forecast by a fit": lambda fit: ll.forecast(IN_NATS, fit=fit),
    "drawn beside a fit": lambda fit: fit.plot(curves=[IN_NATS]),
    "reported by a fit": lambda fit: ll.report(fit, IN_NATS),
    "averages by a fit": lambda fit: ll.merge(IN_NATS, 20, fit=fit),
}


@pytest.mark.parametrize("name", TOGETHER)
def test_losses_of_two_units_are_not_taken_together(name):
    with pytest.raises(ll.InputError, match=r"bits per byte.*expected one unit.*loss_unit: "):
        TOGETHER[name](ll.fit(IN_BITS, "momentum", uncertainty=False))


def test_a_log_that_says_no_unit_goes_with_any(tmp_path, capsys):
    rows = "".join(f"{step},0.01,{2 + 1 / step}\n" for step in range(1, 60))
    heads = {"silent": "", "bits": "# loss_unit: bits per byte\n", "nats": f"# loss_unit: {NATS}\n"}
    for name, head in heads.items():
        (tmp_path / f"{name}.csv").write_text(f"{head}step,lr,loss\n{rows}")
    silent, bits, nats = (str(tmp_path / f"{name}.csv") for name in heads)
    for other in (bits, nats):
        assert run(["fit", silent, other, "--law", "momentum"]) == 0
    capsys.readouterr()
    assert run(["fit", bits, nats]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_what_is_a_number_elsewhere_is_one_here():
    numpy = pytest.importorskip("numpy")
    for peak in (numpy.float32(0.5), numpy.array(0.5), 0.5):
        assert ll.constant(peak=peak, horizon=numpy.int64(3)).lr.tolist() == [0.5, 0.5, 0.5]


@pytest.mark.parametrize("batch", ["5e-324", "100000000", "1e300"])
def test_theory_refuses_batches_that_no_budget_has(batch, capsys):
    line = ["theory", "--source", "1", "--capacity", "2", "--budget", "1e4", "--batch", batch]
    assert run(line) == 2
    assert capsys.readouterr().err.startswith("losslaw: batch is")


def test_theory_ranks_where_a_budget_is_a_single_update(capsys):
    line = ["theory", "--source", "1", "--capacity", "2", "--budget", "1e4", "--batch", "8e3"]
    assert run(line) == 0


@pytest.mark.parametrize("warmup", [float("nan"), float("inf")])
def test_a_warmup_that_is_no_number_is_refused(warmup):
    with pytest.raises(ll.InputError, match="warmup is"):
        ll.wsd(peak=1e-3, horizon=100, warmup=warmup)
