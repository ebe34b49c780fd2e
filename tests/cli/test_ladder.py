"""``losslaw ladder``: the report, its files, and what is refused."""

import json
from pathlib import Path

import pytest

import losslaw as ll
from losslaw.cli.main import run

LAW = ["--law", "effective"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Two sizes, one of them without a decay."""
    monkeypatch.chdir(tmp_path)
    sizes = {"small": 1e7, "large": 1e8}
    for name, irreducible in (("small", 2.8), ("large", 2.5)):
        law = ll.Effective(L0=irreducible, A=0.55, N=45.0)
        cooldown = 0.2 if name == "small" else 0.0005
        schedule = ll.wsd(peak=1e-3, horizon=4000, warmup=200, cooldown=cooldown)
        steps = range(50, 3999, 50)
        loss = law.predict(schedule, steps)
        rows = [
            f"{step},{schedule.lr[step - 1]:.9g},{each:.6f}"
            for step, each in zip(steps, loss, strict=True)
        ]
        Path(f"{name}.csv").write_text("\n".join(["step,lr,loss", *rows]) + "\n")
    facts = {name: {"params": size, "weight_decay": 0.1} for name, size in sizes.items()}
    Path("meta.json").write_text(json.dumps({"runs": facts}))
    return tmp_path


def ok(arguments, capsys):
    assert run(["ladder", *arguments]) == 0
    return capsys.readouterr().out


def test_the_report_and_its_files(here, capsys):
    out = ok(["small.csv", "large.csv", "-o", "ends.csv", *LAW], capsys)
    assert "ends corrected to one cooldown" in out
    assert "none" in out
    assert "saved to ends.csv" in out
    assert Path("ends.csv").read_text().count("\n") == 3
    answer = json.loads(
        ok(["small.csv", "large.csv", "--next", "1e9", "--over", "500", "--json", *LAW], capsys)
    )
    assert answer["cooldown"]["over"] == 500
    assert answer["after"]["next"]["model_size"] == 1e9
    ok(["small.csv", "large.csv", "-o", "ends.json", *LAW], capsys)
    assert len(json.loads(Path("ends.json").read_text())["rungs"]) == 2


def test_fit_says_what_is_wrong_with_the_ends(here, capsys):
    assert run(["fit", "small.csv", "large.csv", *LAW]) == 0
    assert "1e+08: none" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["small.csv"], "a ladder needs at least two sizes"),
        (["small.csv", "large.csv", "--over", "110%"], "expected a share below 1"),
        (["small.csv", "large.csv", "-o", "out.png"], "expected a name that ends in .csv, .json"),
    ],
)
def test_bad_input_is_one_line(here, capsys, arguments, message):
    assert run(["ladder", *arguments, *LAW]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
