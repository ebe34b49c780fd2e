"""``losslaw continue``: text, JSON, and what is refused."""

import json
from pathlib import Path

import pytest

import losslaw as ll
from losslaw.cli.main import run

LAW = ["--law", "effective"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An annealed run, made by a law."""
    monkeypatch.chdir(tmp_path)
    law = ll.Effective(L0=2.5, A=0.55, N=45.0)
    schedule = ll.wsd(peak=1e-3, horizon=4000, warmup=200, cooldown=0.2, weight_decay=0.1)
    steps = range(50, 4001, 50)
    loss = law.predict(schedule, steps)
    rows = [
        f"{step},{schedule.lr[step - 1]:.9g},{each:.6f}"
        for step, each in zip(steps, loss, strict=True)
    ]
    Path("done.csv").write_text("\n".join(["step,lr,loss", *rows]) + "\n")
    return tmp_path


def ok(arguments, capsys):
    assert run(["continue", *arguments]) == 0
    return capsys.readouterr().out


def test_the_report(here, capsys):
    out = ok(["done.csv", "--updates", "1000", "--peaks", "1e-3,2e-4", *LAW], capsys)
    assert "re-heating gains" in out
    assert "re-heat to 0.001 " in out
    assert "re-heat to 0.0002 " in out
    assert "a decay begun 1,000 updates later" in out
    assert "warning: data that the run has not seen are outside the law" in out


def test_the_json_form_and_the_file(here, capsys):
    options = ["--updates", "1000", "--rewarmup", "40", "--over", "50%", "--shape", "cosine"]
    answer = json.loads(ok(["done.csv", *options, "--json", "-o", "out.json", *LAW], capsys))
    assert json.loads(Path("out.json").read_text()) == answer
    way = answer["ways"][1]
    assert (way["rewarmup"], way["cooldown"], way["steps"]) == (40, 960, 5000)
    assert (answer["updates"], answer["shape"], answer["annealed"]) == (1000, "cosine", True)


def test_a_saved_fit_and_the_optimiser(here, capsys):
    ll.fit(ll.read_curves("done.csv"), "effective").save("fit.json")
    out = ok(["done.csv", "--updates", "500", "--fit", "fit.json", "--optimizer", "adamw"], capsys)
    assert "saved" not in out
    assert "re-heat to 0.001 " in out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--updates", "1"], "1 updates to come, expected at least 2"),
        (["--updates", "100", "--peaks", "high"], "--peaks 'high': expected learning rates"),
        (["--updates", "100", "--over", "long"], "--over 'long': expected updates"),
        (
            ["--updates", "100", "--peaks", "1e-4", "--final", "1e-3"],
            "peak 0.0001: expected a rate above the final one",
        ),
    ],
)
def test_what_is_refused(here, capsys, options, words):
    assert run(["continue", "done.csv", *options, *LAW]) == 2
    assert words in capsys.readouterr().err
