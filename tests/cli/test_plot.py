"""``losslaw plot``: what a file is, is recognised and drawn; what is bad is one line."""

import json
from pathlib import Path

import pytest
from helpers import answers
from helpers.answers import MAKERS, answer

import losslaw as ll
from losslaw.cli.main import run
from losslaw.cli.output import json_of
from losslaw.views.found import KINDS, found

BUNDLED = Path(ll.__file__).parent / "curves" / "bundled"
# The kind of the JSON form of each answer that has one.
KIND = {
    "Forecast": "forecast", "Prediction": "prediction", "Design": "design",
    "BatchDesign": "design-batches", "Annealed": "annealed", "Profile": "profile",
    "Advice": "advice", "Ladder": "ladder", "MergeForecast": "merge", "Continued": "continue",
    "Fleet": "fleet", "Scores": "scores", "Comparison": "comparison", "Horizon": "schedule",
}  # fmt: skip


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answers.fit().save("fit.json")
    for name in answers.FITTED:
        Path(f"{name}.csv").write_bytes((BUNDLED / f"{name}.csv").read_bytes())
    return tmp_path


def plotted(arguments, capsys):
    status = run(["plot", *arguments, "--json"])
    said = capsys.readouterr()
    assert status == 0, said.err
    answer = json.loads(said.out)
    assert Path(answer["picture"]).stat().st_size > 1000
    return [each["kind"] for each in answer["files"]], answer


def refused(arguments, capsys):
    assert run(["plot", *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    return said.err


@pytest.mark.parametrize("name", sorted(KIND))
def test_an_answer_that_was_saved_is_recognised_by_what_stands_in_it(name, here, capsys):
    Path("saved.txt").write_text(json_of(answer(name).as_dict()))
    assert plotted(["saved.txt", "-o", "out.png"], capsys)[0] == [KIND[name]]


def test_what_commands_write_with_json_is_recognised(here, capsys):
    kernel = ["--source", "0.5", "--capacity", "4"]
    logs = [f"{name}.csv" for name in answers.FITTED]
    asked = {
        "profile": ["profile", *logs, "--of", "alpha", "--points", "5"],
        "simulate": ["simulate", *kernel, "--schedule", "wsd:peak=0.1,horizon=100"],
        "theory": ["theory", *kernel, "--budget", "1e6", "--schedule", "wsd"],
    }
    for name, words in asked.items():
        assert run([*words, "--json"]) == 0
        Path(f"{name}.json").write_text(capsys.readouterr().out)
    assert plotted(["profile.json", "-o", "out.png"], capsys)[0] == ["profile"]
    assert plotted(["simulate.json", "-o", "out.png"], capsys)[0] == ["simulate"]
    told = "losslaw: theory.json: an answer of losslaw theory, which has no picture\n"
    assert refused(["theory.json"], capsys) == told
    assert run(["inspect", "theory.json"]) == 2
    assert "an answer of losslaw theory, expected a table" in capsys.readouterr().err


def test_a_design_that_was_saved_is_exported(here, capsys):
    Path("design.json").write_text(json_of(answer("Design").as_dict()))
    assert run(["export", "design.json", "--to", "csv"]) == 0
    Path("schedule.csv").write_text(capsys.readouterr().out)
    made, wanted = ll.read_schedule("schedule.csv"), answer("Design").schedule
    assert made.lr.tolist() == wanted.lr.tolist()
    assert made.warmup == wanted.warmup


@pytest.mark.parametrize("name", ["Prediction", "Annealed", "Fleet", "Ladder"])
def test_so_is_a_table(name, here, capsys):
    Path("saved").write_text(answer(name).csv())
    assert plotted(["saved", "-o", "out.svg"], capsys)[0] == [KIND[name]]


def test_all_that_has_a_json_form_is_known():
    assert {name for name in MAKERS if hasattr(MAKERS[name](), "as_dict")} == {*KIND, "Fit"}
    other = {"run-length", "simulate"}
    assert {*KIND.values()} == {each.name for each in KINDS} - other | {"schedule"}


def test_logs_lie_over_each_other(here, capsys):
    logs = [f"{name}.csv" for name in answers.FITTED]
    kinds, answer = plotted([*logs, "--rates", "-o", "runs.pdf"], capsys)
    assert kinds == ["log"] * 3
    assert answer["runs"] == [*answers.FITTED]


def test_a_fit_beside_logs_and_schedules(here, capsys):
    logs = [f"{name}.csv" for name in answers.FITTED]
    assert plotted(["fit.json"], capsys)[0] == ["fit"]
    assert plotted(["fit.json", *logs, "--terms"], capsys)[0] == ["fit", *["log"] * 3]
    Path("plan.csv").write_text(ll.export(answers.WSD, "csv"))
    kinds, _ = plotted(["fit.json", "plan.csv", answers.WSD, "--terms"], capsys)
    assert kinds == ["fit", "schedule", "schedule"]
    assert plotted(["plan.csv", answers.WSD], capsys)[0] == ["schedule", "schedule"]


def test_a_forecast_lies_over_its_log(here, capsys):
    Path("forecast.json").write_text(json_of(answer("Forecast").as_dict()))
    kinds, _ = plotted(["forecast.json", f"{answers.FITTED[0]}.csv"], capsys)
    assert kinds == ["forecast", "log"]


def test_without_a_name_it_says_where_it_is(here, capsys):
    assert run(["plot", f"{answers.FITTED[0]}.csv"]) == 0
    assert "saved to losslaw-plot.png" in capsys.readouterr().out
    assert Path("losslaw-plot.png").exists()


def test_fifty_runs_with_hostile_names(here, capsys):
    lines = Path(f"{answers.FITTED[0]}.csv").read_text().splitlines(keepends=True)[:40]
    for i in range(50):
        Path(f"a$b_{{{i} ${'w' * 120}.csv").write_text("".join(lines))
    files = sorted(str(each) for each in Path().glob("a$b*"))
    assert len(plotted([*files, "--rates"], capsys)[1]["runs"]) == 50


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"endings": [], "plan": "", "step": "x"}', "step is 'x', expected"),
        ('{"rungs": 3, "before": 1, "after": 2}', "rungs is 3, expected"),
        ('{"step": [1], "loss": [2], "lower": [1, 2], "upper": null, "level": 0.9}', "one length"),
        ('{"what": 1}', "saved.json"),
        ("{", "saved.json"),
        ("nothing\n", "saved.json"),
        ("", "saved.json"),
        ('{"format": "losslaw.fit", "version": 99}', "newer losslaw"),
    ],
)
def test_what_is_bad_is_one_line(text, words, here, capsys):
    Path("saved.json").write_text(text)
    assert words in refused(["saved.json"], capsys)
    assert not Path("losslaw-plot.png").exists()


def test_what_cannot_be_asked(here, capsys):
    log = f"{answers.FITTED[0]}.csv"
    assert "ends in .png, .pdf, .svg" in refused([log, "-o", "out.gif"], capsys)
    assert "--terms needs a saved fit" in refused([log, "--terms"], capsys)
    assert "--rates needs logs" in refused(["fit.json", "--rates"], capsys)
    assert "2 saved fits" in refused(["fit.json", "fit.json"], capsys)
    assert "none.csv" in refused(["none.csv"], capsys)
    Path("design.json").write_text(json_of(answer("Design").as_dict()))
    assert "10 panels" in refused(["design.json"] * 5, capsys)


def test_a_log_without_rates_is_drawn_by_its_losses(here, capsys):
    Path("bare.csv").write_text("step,loss\n10,8\n20,5\n30,4\n")
    log = f"{answers.FITTED[0]}.csv"
    assert plotted(["bare.csv", log], capsys)[1]["runs"] == ["bare", answers.FITTED[0]]
    for more in (["--rates"], ["fit.json"]):
        assert "no learning-rate column" in refused(["bare.csv", *more], capsys)


def test_a_log_of_a_trainer_is_a_log(here):
    Path("trainer_state.json").write_text('{"log_history": [], "curves": []}')
    assert found("trainer_state.json").kind == "log"
    assert found("-").kind == "log"
    assert found("runs/*.csv").kind == "log"
