"""Every answer is drawn by ``plot()``, on axes that are given too, with units and whole legends."""

import importlib
import json
import pkgutil
import re
import sys
import warnings
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from helpers import answers
from helpers.answers import FITTED, MAKERS, WSD, answer
from matplotlib.figure import Figure

import losslaw
from losslaw import views
from losslaw.demo import Demo
from losslaw.drawing import Plotted
from losslaw.drawing.plotted import picture_name
from losslaw.drawing.style import new_figure
from losslaw.files.pictures import png
from losslaw.kernel.sweeps.grid import SweepGrid
from losslaw.reporting.page import HtmlReport
from losslaw.text import Report, size_words
from losslaw.views.designs import DesignForm
from losslaw.views.dots import MOST_ROWS, FleetForm, FleetGroupForm, FleetRunForm, plot_fleet
from losslaw.views.figures import figure_of
from losslaw.views.forms import read_form
from losslaw.views.found import Found

LOSS, UPDATE, RATE = "loss (nats per token)", "update", "learning rate"
# What the axes are called.
AXES = {
    "Schedule": (UPDATE, RATE),
    "LossCurve": (UPDATE, LOSS),
    "Fit": (UPDATE, LOSS),
    "Prediction": (UPDATE, LOSS),
    "Forecast": (UPDATE, LOSS),
    "Annealed": ("update after which the cooldown begins", LOSS),
    "Advice": ("updates to compute", "half of the 90 % interval (nats)"),
    "Design": (UPDATE, RATE),
    "BatchDesign": (UPDATE, "share of the highest"),
    "Horizon": (UPDATE, RATE),
    "Profile": ("alpha", "rise of the statistic"),
    "Scores": ("RMSE (nats per token)", ""),
    "Comparison": ("RMSE (nats per token)", ""),
    "Ladder": ("parameters of the model", LOSS),
    "MergeForecast": ("updates from the first checkpoint to the last", LOSS),
    "Continued": ("final loss (nats per token)", ""),
    "Fleet": ("annealed loss (nats per token)", ""),
    "KernelRegression": (UPDATE, "excess risk"),
    "Evaluation": (UPDATE, "excess risk"),
    "SweepMap": ("source", "capacity"),
}
MORE = {"KernelRegression": {"schedule": "constant:peak=0.2,horizon=500"}}


def drawn(name, ax=None):
    return answer(name).plot(ax, **MORE.get(name, {}))


def names(ax):
    return [each.get_text() for each in ax.get_legend().get_texts()]


@pytest.mark.parametrize("name", MAKERS)
def test_an_answer_is_drawn(name):
    assert type(answer(name)).__name__ == name
    ax = Figure().add_subplot()
    assert drawn(name, ax) is ax
    assert (ax.get_xlabel(), ax.get_ylabel()) == AXES[name]
    assert ax.lines or ax.collections
    for line in ax.lines:
        x = np.asarray(line.get_xdata(), dtype=float)
        assert np.isfinite(x).all()
        if UPDATE in AXES[name]:
            assert (np.diff(x) >= 0).all()
    low, high = ax.get_ylim()
    assert not ax.lines or any(
        ((line.get_ydata() >= low) & (line.get_ydata() <= high)).any() for line in ax.lines
    )


@pytest.mark.parametrize("name", MAKERS)
def test_it_makes_axes_a_column_wide_where_letters_have_room(name):
    ax = drawn(name)
    assert ax.figure.get_figwidth() == pytest.approx(3.4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(png(ax.figure)) > 1000
    legend = ax.get_legend()
    box = ax.figure.bbox
    letters = [each for each in (ax.xaxis.label, ax.yaxis.label) if each.get_text()]
    for part in [*letters, *([] if legend is None else [legend])]:
        extent = part.get_window_extent()
        assert extent.x0 >= box.x0 - 1
        assert extent.x1 <= box.x1 + 1
    ticks = [each.get_window_extent() for each in ax.get_xticklabels() if each.get_text()]
    ticks = [each for each in ticks if ax.bbox.x0 - 2 <= (each.x0 + each.x1) / 2 <= ax.bbox.x1 + 2]
    assert all(a.x1 < b.x0 for a, b in pairwise(ticks))


def records():
    """All classes of the package that are read as reports."""
    for module in pkgutil.walk_packages(losslaw.__path__, "losslaw."):
        if ".lab" in module.name or "__main__" in module.name:
            continue
        yield from vars(importlib.import_module(module.name)).values()


def test_every_report_has_a_picture():
    """But the demo and the page of HTML, which draw their own."""
    reports = {each for each in records() if isinstance(each, type) and issubclass(each, Report)}
    without = {each for each in reports if not issubclass(each, Plotted)}
    assert without == {Report, Demo, HtmlReport}
    plotted = {each for each in records() if isinstance(each, type) and issubclass(each, Plotted)}
    assert {each.__name__ for each in plotted - {Plotted}} == set(MAKERS)


@pytest.mark.parametrize("name", MAKERS)
def test_the_function_is_found_by_the_name_of_the_record(name):
    assert picture_name(type(answer(name))) in views.__all__


def test_a_map_of_a_sweep_writes_its_cells_and_leaves_empty_what_was_refused():
    ax = drawn("SweepMap")
    assert [each.get_text() for each in ax.texts] == ["0.04", "0.01", "0.02"]
    assert ax.collections[0].get_array().mask.sum() == 1
    assert [each.get_text() for each in ax.get_xticklabels()] == ["0.5", "1"]


def test_a_map_of_choices_has_a_legend_of_them():
    plans = {"schedule": ["wsd", "cosine"] * 2, "source": [1.0, 1.0, 2.0, 2.0], "noise": [1.0] * 4}
    grid = SweepGrid(source="t", columns=plans, excess=np.array([1.0, 2.0, 4.0, 3.0]))
    ax = grid.map("source", "noise", "best:schedule").plot()
    assert names(ax) == ["cosine", "wsd"]
    first, second = ax.patches
    assert (first.get_facecolor(), first.get_hatch()) != (
        second.get_facecolor(),
        second.get_hatch(),
    )


def test_a_schedule_goes_from_zero_to_its_end():
    ax = drawn("Schedule")
    (line,) = ax.lines
    assert line.get_xdata()[[0, -1]].tolist() == [1, 4000]
    assert line.get_ydata().max() == pytest.approx(3e-3)
    assert ax.get_xlim()[0] == 0
    assert ax.get_ylim()[0] == 0


def test_losses_that_were_left_out_are_hollow():
    curve = answer("LossCurve")
    ax = views.plot_loss_curve(curve, left_out=[(1000, 1200)])
    whole, hollow = ax.lines
    assert len(whole.get_xdata()) + len(hollow.get_xdata()) == len(curve)
    assert hollow.get_label() == "left out"


def test_a_dense_log_is_drawn_as_means_over_its_losses():
    law = losslaw.Momentum(L0=2.0, A=1.0, C=0.5, alpha=0.5)
    curve = law.curve("constant:peak=0.01,horizon=5000", np.arange(1, 5001))
    raw, mean = curve.plot().lines
    assert len(mean.get_xdata()) == 200
    assert len(raw.get_xdata()) <= 5000
    low, high = curve.loss.min(), curve.loss.max()
    assert ((low <= mean.get_ydata()) & (mean.get_ydata() <= high)).all()


def test_simulated_risks_are_not_called_losses_in_nats():
    world = losslaw.KernelRegression(source=1, capacity=2, modes=20)
    run = losslaw.constant(peak=0.1, horizon=50)
    simulated = [world.mean_curve(run), world.sample(run, runs=3, seed=0).curve()]
    assert views.plot_curves(simulated).get_ylabel() == "risk"
    fit = losslaw.fit(simulated[0], "convolution")
    assert {ax.get_ylabel() for ax in (fit.plot(), views.plot_terms(fit, run))} == {"risk"}
    assert views.plot_curves(answers.curves()).get_ylabel() == "loss (nats per token)"
    assert views.plot_curves([simulated[0], answers.curves()[0]]).get_ylabel() == "loss"


def test_nothing_about_losses_in_bits_says_nats(tmp_path):
    runs = [run.with_(unit="bits per byte") for run in answers.curves()]
    fit = losslaw.fit(runs, "effective", keep_all=True)
    fit.save(tmp_path / "fit.json")
    fit = losslaw.load_fit(tmp_path / "fit.json")
    design = losslaw.design(fit, 500)
    forecast = losslaw.forecast(runs[0].until(2000), fit=fit)
    annealed = losslaw.annealed(runs, fit=fit)
    for ax in (runs[0].plot(), views.plot_curves(runs), fit.plot(), forecast.plot()):
        assert ax.get_ylabel() == "loss (bits per byte)"
    for ax in (fit.predict(WSD).plot(), views.plot_terms(fit, WSD), annealed.plot()):
        assert ax.get_ylabel() == "loss (bits per byte)"
    assert views.plot_gains(design).get_xlabel() == "gain of the design (bits)"
    assert views.plot_residuals(fit, runs).get_ylabel() == "predicted $-$ logged (bits)"
    assert not any("nats" in str(each) for each in (fit, design, forecast, annealed))
    so_far = runs[0].until(2500)
    rungs = [run.with_(unit="bits per byte") for run in answers.ladder()]
    for made, label in (
        (losslaw.score(fit, runs), "RMSE (bits per byte)"),
        (losslaw.compare(runs, ["effective"], keep_all=True), "RMSE (bits per byte)"),
        (losslaw.continue_run(so_far, 1000, fit=fit), "final loss (bits per byte)"),
        (losslaw.fleet(runs, law="effective"), "annealed loss (bits per byte)"),
        (losslaw.merge(so_far, 100, last=8, fit=fit), "loss (bits per byte)"),
        (losslaw.ladder(rungs, law="effective"), "loss (bits per byte)"),
        (losslaw.advise(runs[:1], WSD, law="effective"), "half of the 90 % interval (bits)"),
    ):
        ax = made.plot(new_figure().add_subplot())
        assert label in (ax.get_xlabel(), ax.get_ylabel())
        assert "nats" not in str(made)
    words = re.sub(r'data:image[^"]*', "", losslaw.report(fit, runs).html)
    assert "nats" not in words
    assert "in bits" in words


@pytest.mark.parametrize("count", [5, 12])
def test_long_names_make_a_figure_higher_and_leave_the_axes_as_high(count):
    name = "a_run_whose_name_is_as_long_as_it_is"
    runs = [answers.curves()[0].with_(label=f"{name}_{i}") for i in range(count)]
    ax = views.plot_curves(runs)
    assert len(names(ax)) == count
    ax.figure.draw_without_rendering()
    assert ax.get_window_extent().height / ax.figure.dpi == pytest.approx(2.03, abs=0.08)
    views.plot_curves(runs, ax)
    given = views.plot_curves(runs, new_figure().add_subplot())
    assert given.figure.get_figheight() == 2.5 < ax.figure.get_figheight() < 2.5 + 0.15 * count


def test_a_prediction_has_a_band_and_the_truth():
    ax = answer("Prediction").plot(truth=answers.curves()[2])
    assert names(ax) == ["measured", "predicted", "90 % interval"]
    (band,) = ax.collections
    inside = band.get_paths()[0].get_extents()
    told = answer("Prediction")
    assert inside.y0 <= told.lower[-1] < told.upper[-1] <= inside.y1


def test_a_fit_names_its_runs():
    ax = answers.fit().plot(curves=answers.curves())
    assert set(FITTED) <= set(names(ax))


def test_terms_add_up_to_the_loss():
    ax = views.plot_terms(answers.fit(), WSD)
    assert any("irreducible" in name for name in names(ax))
    (line,) = ax.lines
    at = line.get_xdata().astype(int)
    plan = answers.fit().completed(WSD)
    np.testing.assert_allclose(line.get_ydata(), answers.fit().law.predict(plan, at), rtol=1e-6)


def test_terms_of_several_sizes_are_those_of_the_size_that_is_said():
    fit, runs = losslaw.fit(answers.ladder(), "effective"), answers.ladder()
    for each in runs:
        figure = figure_of([Found(name="fit.json", kind="fit", value=fit)], [each], terms=True)
        ax = figure.axes[-1]
        (line,) = ax.lines
        predicted = fit.predict(each.schedule, model_size=each.model_size).final
        assert line.get_ydata()[-1] == pytest.approx(predicted, abs=1e-6)
        assert f"loss of {each.label} of the model of {size_words(each.model_size)}" in " ".join(
            names(ax)
        )
    with pytest.raises(losslaw.InputError, match="say which to predict"):
        views.plot_terms(fit, runs[0].schedule)


def test_terms_are_drawn_of_each_run_under_its_name():
    files = [Found(name="fit.json", kind="fit", value=answers.fit())]
    axes = figure_of(files, answers.curves(), terms=True).axes[2:]
    assert [names(ax)[-1] for ax in axes] == [f"loss of {each.label}" for each in answers.curves()]
    many = [each.with_(label=f"{each.label}_{i}") for i in range(2) for each in answers.curves()]
    axes = figure_of(files, many, terms=True).axes[2:]
    assert len(axes) == 4
    assert names(axes[0])[-1].endswith("(first 4 of 6)")


def test_residuals_are_told_apart_by_phase():
    ax = views.plot_residuals(answers.fit(), answers.curves())
    assert [name.partition(" (RMSE")[0] for name in names(ax)] == ["stable", "decay"]
    points = sum(len(line.get_xdata()) for line in ax.lines if len(line.get_xdata()) > 2)
    assert points == sum((each.steps >= answers.fit().skip).sum() for each in answers.curves())


def test_a_forecast_shows_its_log_the_band_and_decays():
    forecast, log = answer("Forecast"), answers.so_far()
    ax = forecast.plot(curve=log)
    assert names(ax)[0] == "logged"
    assert "now" in names(ax)
    now = [each for each in forecast.endings if each.when == "now"]
    squares = [line for line in ax.lines if line.get_marker() == "s"]
    assert [line.get_ydata()[0] for line in squares] == [each.loss for each in now]
    assert ax.get_xlim()[0] == 0
    assert forecast.plot().get_xlim()[0] > 2000


def test_annealed_losses_without_a_path_are_seen_with_their_intervals():
    annealed = answer("Annealed")
    bare = replace(annealed, runs=tuple(replace(run, path=None) for run in annealed.runs))
    ax = bare.plot()
    low, high = ax.get_ylim()
    assert all(low < run.interval.lower < run.interval.upper < high for run in bare.runs)
    assert "as logged" not in names(ax)
    assert "as logged" in names(annealed.plot())


def test_a_saved_design_is_drawn_beside_the_usual_schedules():
    read = read_form(DesignForm, json.loads(json.dumps(answer("Design").as_dict())), "design.json")
    assert names(views.plot_design(read)) == names(answer("Design").plot())


def test_gains_have_their_intervals():
    design = answer("Design")
    ax = views.plot_gains(design)
    spans = {tuple(line.get_xdata()) for line in ax.lines if len(line.get_xdata()) == 2}
    for each in design.baselines.values():
        assert (each.interval.lower, each.interval.upper) in spans
    rows = [label.get_text() for label in ax.get_yticklabels()]
    assert set(rows) == set(design.baselines)


def test_gains_of_a_kernel_problem_are_exact_shares():
    design = losslaw.design(losslaw.KernelRegression(source=0.5, capacity=4), 200)
    ax = views.plot_gains(design)
    assert names(ax) == ["exact"]
    assert ax.get_xlabel() == "gain (% of the design's excess risk)"
    drawn_at = sorted(line.get_xdata()[0] for line in ax.lines if len(line.get_xdata()) == 1)
    costs = [100 * each.gain / design.loss for each in design.baselines.values()]
    assert drawn_at == pytest.approx(sorted(costs))
    assert f"designed: {design.loss:.4g}" in names(views.plot_design(design))


def test_pyplot_has_the_figure_where_it_is_in_use(monkeypatch):
    made = []

    def figure(**size):
        made.append(Figure(**size))
        return made[-1]

    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", SimpleNamespace(figure=figure))
    assert drawn("Schedule").figure is made[0]


def test_a_large_fleet_shows_the_best_of_every_group_and_counts_the_others():
    def group(name, runs):
        told = {"verdict": "worse", "lower": None, "upper": None}
        labels = [f"{name}_a_name_whose_middle_{k:03d}_tells_apart_T50000" for k in range(runs)]
        return FleetGroupForm(
            name=name,
            runs=[
                FleetRunForm(label=each, loss=4 - 0.01 * k, **told) for k, each in enumerate(labels)
            ],
        )

    fleet = FleetForm(groups=[group("big", 90), group("small", 3)], level=0.9)
    ax = plot_fleet(fleet)
    names = [each.get_text() for each in ax.get_yticklabels()]
    assert len(names) == len({*names}) == MOST_ROWS
    assert names[0] == "big"
    assert "89_tells" in names[1]
    assert [name[:5] for name in names].count("small") == 4
    assert any("and 50 more" in each.get_text() for each in ax.texts)
    ax.figure.draw_without_rendering()
    boxes = [each.get_window_extent() for each in ax.get_yticklabels()]
    assert all(above.y0 >= below.y1 for above, below in pairwise(boxes))
