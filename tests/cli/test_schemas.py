"""Every answer with ``--json`` has the schema that it names, and no key that its schema has not."""

import importlib
import json
import random
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from helpers import answers
from helpers.schemas import closed

from hardening.command_lines import GOOD, Place, commands
from losslaw import lab
from losslaw.cli.answers import ANSWERS
from losslaw.cli.main import run
from losslaw.cli.output import json_of, schema_name
from losslaw.cli.schemas import schema_of

jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
ROOT = Path(__file__).parents[2]
# Lines that answers with more in them come from; a line of a bundled run each.
RUNS = [f"{name}.csv" for name in answers.FITTED]
MORE = {
    "fit": ["fit", *RUNS],
    "predict": ["predict", "auto.json", "--schedule", answers.WSD],
    "score": ["score", "auto.json", *RUNS, "--all"],
    "forecast": ["forecast", "log.csv", "--fit", "auto.json"],
    "forecast, horizon": ["forecast", "log.csv", "--fit", "auto.json", "--horizon", "4000"],
    "annealed": ["annealed", *RUNS, "--fit", "auto.json"],
    "continue": ["continue", "log.csv", "--updates", "500", "--fit", "auto.json"],
    "merge": ["merge", "log.csv", "--checkpoints", "every:100", "--fit", "auto.json"],
    "advise": ["advise", RUNS[0], "--for", answers.WSD, "--law", "effective"],
    "design": ["design", "auto.json", "--horizon", "1000"],
    "run-length": ["run-length", "auto.json", "--loss", "1.5"],
    "export": ["export", answers.WSD, "--to", "hf", "--fit", "auto.json"],
    "inspect": ["inspect", *RUNS],
    "reproduce": ["reproduce", "--list"],
    "theory": [
        *["theory", "--source", "0.5", "--capacity", "2", "--budget", "1e5"],
        *["--schedule", "power", "--exact"],
    ],
    "theory, phase": [
        *["theory", "--source", "2", "--capacity", "0.8", "--budget", "1e8", "--compute"],
        *["--noise", "0", "--exact"],
    ],
}
for method in ("fsl", "sgd", "integrator"):
    MORE[f"simulate, {method}"] = ["simulate", *GOOD["simulate"], "--method", method]
MORE["simulate, average"] = ["simulate", *GOOD["simulate"], "--average", "ema:0.9"]
MORE["simulate, momentum"] = ["simulate", *GOOD["simulate"], "--momentum", "0.5"]
MORE["simulate, spectrum"] = [
    *["simulate", "--spectrum", "spectrum.csv", "--schedule", "constant:peak=0.1,horizon=50"],
]
MORE["theory, spectrum"] = ["theory", "--spectrum", "spectrum.csv", "--budget", "1e4"]
MORE["reproduce, study"] = [
    *["reproduce", "fsl-fig1", "-o", "figures"],
    *(word for choice in ("modes=8", "horizon=60", "runs=20", "budgets=20,40", "reach=1e3",
        "final_runs=10", "shares=0.1") for word in ("--set", choice)),
]  # fmt: skip
# These two are made below, and the demo in test_first_quarter.
SLOW = ("demo", "lab bundle", "report")


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return Place(tmp_path_factory.mktemp("good"))


@pytest.fixture(scope="module")
def bundled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundled")
    place = importlib.import_module("losslaw").__path__[0]
    for name in RUNS:
        (folder / name).write_bytes((Path(place) / "curves" / "bundled" / name).read_bytes())
    lines = (folder / RUNS[0]).read_bytes().splitlines(keepends=True)
    values = np.arange(1.0, 201) ** -2.0
    rows = zip(values, values**1.5, strict=True)
    text = "".join(f"{each!r},{signal!r}\n" for each, signal in np.round([*rows], 12).tolist())
    (folder / "spectrum.csv").write_text(f"eigenvalue,signal\n{text}")
    (folder / "log.csv").write_bytes(b"# warmup: 100\n# horizon: 4000\n" + b"".join(lines[:90]))
    importlib.import_module("losslaw").fit(answers.curves()).save(folder / "auto.json")
    return folder


def checked(arguments, capsys, *, command=None):
    """Run a line and check its answer."""
    name = command or next(
        each for each in sorted(ANSWERS, key=len, reverse=True)
        if arguments[: len(each.split())] == each.split()
    )  # fmt: skip
    status = run([*arguments, "--json"])
    said = capsys.readouterr()
    assert status == 0, said.err
    answer = json.loads(said.out)
    assert answer["schema"] == schema_name(name)
    assert next(iter(answer)) == "schema"
    jsonschema.validate(answer, closed(schema_of(name)))
    return answer


@pytest.mark.parametrize("command", [each for each in GOOD if each in ANSWERS])
def test_the_answer_of_every_command(command, good, monkeypatch, capsys):
    if command in SLOW:
        pytest.skip("made elsewhere")
    if command == "lab train":
        pytest.importorskip("torch")
    monkeypatch.chdir(good.folder)
    good.restore(random.Random(0))
    checked([*command.split(), *GOOD[command]], capsys)


@pytest.mark.parametrize("name", MORE)
def test_answers_about_real_runs(name, bundled, monkeypatch, capsys):
    monkeypatch.chdir(bundled)
    checked(MORE[name], capsys)


def test_a_report_and_a_picture(bundled, monkeypatch, capsys):
    monkeypatch.chdir(bundled)
    checked(["report", "auto.json", "log.csv", "-o", "r.html"], capsys)
    checked(["plot", RUNS[0], "-o", "out.png"], capsys)


def test_the_bundle(monkeypatch, tmp_path, capsys):
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    plan = (lab.PlannedRun("constant", "constant:peak=1e-2,horizon=10,warmup=5"),)
    tiny = lab.LabConfig(width=8, layers=1, heads=1, context=16, batch=2, validation_windows=2)
    make = partial(lab.make_bundle, plan=plan, config=tiny, every=5)
    monkeypatch.setattr(lab, "make_bundle", make)
    checked(["lab", "bundle", "-o", str(tmp_path / "bundle")], capsys)


def test_a_file_that_is_written_has_the_schema_of_what_is_printed(bundled, monkeypatch, capsys):
    monkeypatch.chdir(bundled)
    answer = checked(["score", "auto.json", RUNS[0], "--all", "-o", "score.json"], capsys)
    assert json.loads(Path("score.json").read_text()) == answer


def test_a_fit_that_was_printed_is_read_again(bundled, monkeypatch, capsys):
    monkeypatch.chdir(bundled)
    answer = checked(["fit", *RUNS, "--law", "effective"], capsys)
    Path("printed.json").write_text(json_of(answer))
    assert run(["predict", "printed.json", "--schedule", answers.WSD]) == 0


def test_a_run_that_is_followed(bundled, monkeypatch, capsys):
    monkeypatch.chdir(bundled)
    line = ["forecast", RUNS[2], "--horizon", "4000", "--fit", "auto.json", "--follow", "--json"]
    assert run(line) == 0
    lines = [json.loads(each) for each in capsys.readouterr().out.splitlines()]
    assert lines[-1]["schema"] == "losslaw/forecast-end/1"
    jsonschema.validate(lines[-1], closed(schema_of("forecast end")))
    for each in lines[:-1]:
        jsonschema.validate(each, schema_of("forecast"))


def test_every_command_with_json_has_a_schema():
    having = {name for name, options in commands().items() if _has_json(name, options)}
    assert having == set(ANSWERS) - {"forecast end"}


def _has_json(name, options):
    import typer

    from losslaw.cli.main import build

    command = typer.main.get_command(build())
    for part in name.split():
        command = command.commands[part]
    return any("--json" in each.opts for each in command.params)


@pytest.mark.parametrize("command", ANSWERS)
def test_a_schema_is_one_and_says_what_every_key_means(command):
    schema = schema_of(command)
    jsonschema.Draft202012Validator.check_schema(schema)
    for name, part in (("", schema), *schema.get("$defs", {}).items()):
        for key, spec in part["properties"].items():
            saved = name.startswith("Saved")  # of the file of a fit, which is read by losslaw
            assert saved or spec.get("description"), f"{command}: {name} {key}"


def test_the_command_prints_schemas(capsys):
    assert run(["schema", "lab", "train"]) == 0
    assert json.loads(capsys.readouterr().out) == schema_of("lab train")
    assert run(["schema"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == set(ANSWERS)
    assert run(["schema", "nothing"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "expected one of demo, inspect" in said.err


def test_an_error_prints_no_answer(bundled, monkeypatch, capsys):
    monkeypatch.chdir(bundled)
    assert run(["fit", "none.csv", "--json"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("losslaw: ")
    assert said.err.count("\n") == 1
