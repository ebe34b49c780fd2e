"""``losslaw run-length | model-size | design-batches``: text, JSON, artefacts, and bad input."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose

import losslaw as ll
from losslaw.cli.main import run
from losslaw.designing.run_length import compute_optimal, horizon_for

KNOWN = dict(peak=1e-3, horizon=600, warmup=30, weight_decay=0.1)
STEPS = np.arange(60, 601, 10)
BUDGET = ["--compute", "2e14", "--batch", "64", "--sequence-length", "512"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    here = tmp_path_factory.mktemp("inverse")
    law = ll.Momentum(L0=2.5, A=0.3, C=0.3, alpha=0.6)
    schedules = {"flat": ll.constant(**KNOWN), "cosine": ll.cosine(**KNOWN)}
    curves = [law.curve(each, STEPS, label) for label, each in schedules.items()]
    ll.fit(curves, "momentum").save(str(here / "fit.json"))
    several = [
        law.with_(L0=2.5 * (size / 1e6) ** -0.05)
        .curve(each, STEPS, f"{label} {size:g}")
        .with_(model_size=size)
        for size in (1e6, 4e6)
        for label, each in schedules.items()
    ]
    ll.fit(several, "momentum").save(str(here / "sizes.json"))
    batched = ll.Convolution(L0=0.5, A=0.3, N=0.05, s=0.5, q=1.5, c=1.0)
    curves = []
    for batch in (1, 8):
        lr = np.full(800, 0.5)
        lr[500:] *= 0.1 if batch == 8 else 1.0
        schedule = ll.Schedule(lr, batch=batch)
        curves.append(batched.curve(schedule, np.arange(20, 801, 10), f"batch {batch}"))
    ll.fit(curves, "convolution", skip=20).save(str(here / "batched.json"))
    return here


@pytest.fixture(autouse=True)
def in_folder(folder, monkeypatch):
    monkeypatch.chdir(folder)


def test_the_length_of_a_run(capsys):
    assert run(["run-length", "fit.json", "--loss", "2.7", "--json", "-o", "run.csv"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record.pop("schema") == "losslaw/run-length/1"
    assert list(record) == ["loss", "updates", "shortest", "longest", "trust", "family", "lr"]
    # The warm-up is that of the fitted runs, if it is not given.
    assert record["updates"] == horizon_for(ll.load_fit("fit.json"), 2.7, warmup=30).updates
    assert_allclose(ll.read_schedule("run.csv").lr, record["lr"])
    assert run(["run-length", "fit.json", "--loss", "2.7", "--family", "cosine"]) == 0
    assert "updates reach a loss of 2.7, schedule cosine" in capsys.readouterr().out


def test_the_size_of_a_model(capsys):
    assert run(["model-size", "sizes.json", *BUDGET, "--json", "-o", "size.json"]) == 0
    text = capsys.readouterr().out
    record = json.loads(text)
    assert record.pop("schema") == "losslaw/model-size/1"
    assert list(record) == ["model_size", "tokens", "updates", "loss", "trust", "at_edge", "family"]
    # One law answers alone.
    assert record["trust"] is None
    assert 6 * record["model_size"] * record["tokens"] == pytest.approx(2e14)
    expected = compute_optimal(ll.load_fit("sizes.json"), 2e14, batch=64, sequence_length=512)
    assert record["model_size"] == expected.model_size
    with open("size.json") as stream:  # noqa: PTH123
        assert stream.read() == text
    assert run(["model-size", "sizes.json", *BUDGET]) == 0
    assert capsys.readouterr().out.startswith(str(expected))


def test_batches_and_rate_for_a_number_of_samples(capsys):
    command = ["design-batches", "batched.json", "--samples", "3000", "--batches", "1,8"]
    assert run([*command, "--json", "-o", "batches.csv"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record.pop("schema") == "losslaw/design-batches/1"
    assert record.pop("unit") == "nats per token, assumed"
    assert list(record) == ["loss", "trust", "gain", "begins", "constant", "updates", "schedule"]
    batch = np.array(record["schedule"]["batch"])
    assert set(batch) <= {1.0, 8.0}
    assert batch.sum() == pytest.approx(3000, abs=8)
    assert record["gain"] >= 0
    assert record["loss"] <= min(record["constant"].values())
    assert_allclose(ll.read_schedule("batches.csv").batch, batch)
    assert run([*command, "--peak", "0.5"]) == 0
    assert "instead, one batch all along" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run-length", "fit.json"], "Missing option '--loss'"),
        (["run-length", "fit.json", "--loss", "1"], "ask for a higher loss"),
        (["run-length", "fit.json", "--loss", "2.7", "--family", "zig"], "unknown schedule 'zig'"),
        (["run-length", "fit.json", "--loss", "2.7", "-o", "no/x.csv"], "folder no does not exist"),
        (["model-size", "sizes.json", "--compute", "1e14"], "Missing option '--batch'"),
        (["model-size", "fit.json", *BUDGET], "needs a fit over several model sizes"),
        (["design-batches", "fit.json", "--samples", "3000"], "Missing option '--batches'"),
        (
            ["design-batches", "fit.json", "--samples", "3000", "--batches", "1,x"],
            "--batches 'x': expected numbers above 0, as in 64,128,256",
        ),
        (
            ["design-batches", "fit.json", "--samples", "3000", "--batches", "1,8"],
            "knows nothing of the batch",
        ),
    ],
)
def test_bad_input_is_one_line_and_status_2(arguments, words, capsys):
    assert run(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = said.err.splitlines()
    assert words in line
