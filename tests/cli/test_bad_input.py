"""Bad input to any command: one line that says what, where and the way out; status 2; no artefact.

Each case is a command line in a folder with good files (below) and the damaged ones that the case
makes, and the words that its one line must hold.
"""

import errno
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from losslaw.cli.main import GROUPS, run
from losslaw.fitting import fit
from losslaw.laws import Momentum
from losslaw.schedules import constant, cosine, wsd

LAW = Momentum(L0=2.0, A=0.3, C=0.3, alpha=0.5)
RUNS = {
    "flat": constant(peak=1e-2, horizon=200, warmup=10, weight_decay=0.1),
    "cosine": cosine(peak=1e-2, horizon=200, warmup=10, weight_decay=0.1),
    "wsd": wsd(peak=1e-2, horizon=200, warmup=10, cooldown=0.3, weight_decay=0.1),
}
SPEC = "wsd:peak=1e-2,horizon=100,warmup=10,cooldown=0.2"
PREDICT = ["predict", "fit.json", "--every", "20", "--schedule", SPEC]
HEAD = "step,lr,loss\n1,0.1,3\n"


def log_of(curve):
    lr = curve.schedule.lr
    rows = [
        f"{step},{lr[step - 1]:.10g},{loss:.8f}"
        for step, loss in zip(curve.steps, curve.loss, strict=True)
    ]
    return "\n".join(["# warmup: 10", "# weight_decay: 0.1", "step,lr,loss", *rows]) + "\n"


@pytest.fixture(scope="module")
def files():
    """Texts of the good files."""
    curves = {name: LAW.curve(run, range(5, 201, 5), name) for name, run in RUNS.items()}
    texts = {f"{name}.csv": log_of(curve) for name, curve in curves.items()}
    found = fit([curves["flat"], curves["cosine"]], "momentum")
    texts["fit.json"] = json.dumps(found.as_dict())
    return texts


@pytest.fixture
def here(files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in files.items():
        Path(name).write_text(text)
    Path("folder").mkdir()
    return tmp_path


def changed(path, value):
    """``fit.json`` with the entry at ``path`` replaced, or removed for ``...``."""

    def make(files):
        record = json.loads(files["fit.json"])
        *way, last = path.split(".")
        inner = record
        for key in way:
            inner = inner[int(key)] if key.isdigit() else inner[key]
        if value is ...:
            del inner[last]
        else:
            inner[last] = value
        return json.dumps(record)

    return make


def spec(text):
    return ["predict", "fit.json", "--schedule", text]


# name: (arguments, content of bad.csv or bad.json or None, words of the line)
LOGS = {
    "missing file": (["fit", "none.csv"], None, ["none.csv", "no such file"]),
    "missing among good ones": (["fit", "flat.csv", "none.csv"], None, ["none.csv", "no such"]),
    "a folder": (["inspect", "folder"], None, ["folder is a folder without logs"]),
    "a pattern that fits nothing": (["fit", "x*.csv"], None, ["x*.csv", "no file fits"]),
    "empty file": (["inspect", "bad.csv"], "", ["bad.csv", "empty"]),
    "binary file": (["fit", "bad.csv"], b"\x89PNG\r\n\x1a\n\xff\0", ["bad.csv", "not a text file"]),
    "no columns": (["inspect", "bad.csv"], "{}", ["no step column", "found none"]),
    "only a header": (["inspect", "bad.csv"], "step,lr,loss\n", ["bad.csv", "only a header"]),
    "one point": (["fit", "bad.csv"], HEAD, ["bad.csv", "at least 2"]),
    "text in a number": (["fit", "bad.csv"], HEAD + "2,0.1,low\n", ["line 3", "'low'", "number"]),
    "missing column": (
        ["compare", "bad.csv", "flat.csv"],
        "step,lr\n1,1\n2,1\n",
        ["no loss column", "found step, lr", "--loss-column"],
    ),
    "a line that begins like a list": (
        ["inspect", "bad.csv"],
        "[rank0]: hello, this is no trainer " + "x" * 3000 + "\nstill none\n",
        ["bad.csv", "begins with '[rank0]: hello", "...'", "what a trainer prints"],
    ),
    "missing rate": (
        ["fit", "bad.csv"],
        "step,loss\n1,3\n2,2\n",
        ["no learning-rate column", "found step, loss", "--schedule"],
    ),
    "named column that is not there": (
        ["fit", "flat.csv", "--loss-column", "val"],
        None,
        ["no column 'val'", "found step, lr, loss"],
    ),
    "negative rate": (["fit", "bad.csv"], HEAD + "2,-0.1,2\n", ["line 3", "-0.1", "0 or above"]),
    "all rates zero": (["fit", "bad.csv"], "step,lr,loss\n1,0,3\n2,0,2\n", ["rate is 0", "above"]),
    "nan loss": (["score", "fit.json", "bad.csv"], HEAD + "2,1,nan\n", ["line 3", "--drop-nan"]),
    "negative loss": (["fit", "bad.csv"], HEAD + "2,0.1,-2\n", ["line 3", "loss is -2", "above 0"]),
    "steps out of order": (
        ["fit", "bad.csv"],
        "step,lr,loss\n1,1,4\n3,1,3\n2,1,3.5\n4,1,2\n",
        ["line 4", "out of order"],
    ),
    "ragged rows": (["fit", "bad.csv"], HEAD + "2,0.1\n", ["line 3", "2 cells, expected 3"]),
    "one file twice": (["plot", "flat.csv", "flat.csv"], None, ["flat.csv", "is given twice"]),
    "standard input twice": (["fit", "-", "-"], HEAD + "2,0.1,2\n3,0.1,2\n", ["standard input"]),
    "warm-up below zero": (["fit", "flat.csv", "--warmup", "-3"], None, ["warmup is -3"]),
    "unknown meaning of the rate": (["fit", "flat.csv", "--lr-is", "old"], None, ["'used'", "old"]),
    "weight decay below zero": (
        ["fit", "flat.csv", "--weight-decay", "-1"],
        None,
        ["weight_decay is -1"],
    ),
    "no batch": (["inspect", "flat.csv", "--batch", "0"], None, ["batch is 0", "1e-09..1e+15"]),
    "a schedule shorter than the log": (
        ["fit", "flat.csv", "--schedule", SPEC],
        None,
        ["flat.csv", "step 200", "100 updates", "longer horizon"],
    ),
}
FITS = {
    "unknown law": (
        ["fit", "flat.csv", "--law", "kaplan"],
        None,
        ["unknown law 'kaplan'", "chinchilla", "effective"],
    ),
    "unknown law to compare": (
        ["compare", "flat.csv", "wsd.csv", "--laws", "momentum,kaplan"],
        None,
        ["unknown law 'kaplan'"],
    ),
    "no laws to compare": (
        ["compare", "flat.csv", "wsd.csv", "--laws", ","],
        None,
        ["no laws", "momentum"],
    ),
    "one schedule to compare": (["compare", "flat.csv"], None, ["1 schedule", "at least 2"]),
    "fewer points than parameters": (
        ["fit", "bad.csv", "--law", "multipower"],
        HEAD + "2,0.1,2.5\n3,0.1,2.3\n",
        ["3 points", "4 parameters"],
    ),
    "nearly everything left out": (
        ["fit", "flat.csv", "--law", "multipower", "--skip", "195"],
        None,
        ["2 points cannot fit", "38 more are before step 195: --skip"],
    ),
    "everything left out": (
        ["fit", "flat.csv", "--skip", "500"],
        None,
        ["'flat'", "before step 500", "lower skip"],
    ),
    "skip below zero": (["fit", "flat.csv", "--skip", "-1"], None, ["skip is -1", "0 or above"]),
    "free an unknown shape": (
        ["fit", "flat.csv", "--free", "beta"],
        None,
        ["no shape 'beta'", "alpha, kappa"],
    ),
    "free and fixed": (
        ["fit", "flat.csv", "--free", "alpha", "--fix", "alpha=0.5"],
        None,
        ["alpha is both free and fixed"],
    ),
    "fix nonsense": (["fit", "flat.csv", "--fix", "alpha"], None, ["'alpha'", "name=number"]),
    "fix at a word": (["fit", "flat.csv", "--fix", "alpha=big"], None, ["'alpha=big'", "number"]),
    "fix an amplitude": (["fit", "flat.csv", "--fix", "L0=2"], None, ["no shape 'L0'"]),
    "fix twice": (["fit", "flat.csv", "--fix", "h=1,h=.5"], None, ["h is given twice"]),
    "fix out of range": (
        ["fit", "flat.csv", "--fix", "q=50"],
        None,
        ["q is fixed at 50", "0.2..10"],
    ),
    "fix at zero": (["fit", "flat.csv", "--fix", "alpha=0"], None, ["alpha is fixed at 0", "0.05"]),
    "fix at nan": (["fit", "flat.csv", "--fix", "alpha=nan"], None, ["alpha is fixed at nan"]),
    "fix a shape at true": (["fit", "flat.csv", "--fix", "h=true"], None, ["True", "a number"]),
    "fix a setting at a number": (
        ["fit", "flat.csv", "--law", "momentum", "--fix", "warmup_drops=1"],
        None,
        ["warmup_drops", "true or false"],
    ),
    "momentum that grows": (
        ["fit", "flat.csv", "--law", "momentum", "--fix", "lam=1"],
        None,
        ["lam is fixed at 1", "0.9..0.99999"],
    ),
    "nothing unseen": (["score", "fit.json", "flat.csv"], None, ["nothing to score", "departs"]),
    "nothing late enough": (
        ["score", "fit.json", "wsd.csv", "--all", "--skip", "900"],
        None,
        ["nothing to score", "from step 900"],
    ),
}
SAVED = {
    "missing fit": (["predict", "no.json", "--schedule", SPEC], None, ["no.json: no such file"]),
    "a log for a fit": (["score", "flat.csv", "wsd.csv"], None, ["flat.csv", "damaged", "line 1"]),
    "empty fit": (None, "", ["bad.json: the file is empty"]),
    "truncated fit": (None, '{"format": "losslaw.fit", "ver', ["damaged", "line 1", "fit again"]),
    "another kind": (None, '{"format": "losslaw.design"}', ["not a saved fit"]),
    "a list": (None, "[]", ["not a saved fit"]),
    "nested without end": (None, "[" * 100_000, ["bad.json", "damaged"]),
    "a number without end": (None, '{"a": ' + "1" * 5000 + "}", ["bad.json", "damaged"]),
    "binary fit": (None, b"\xff\xfe\0", ["bad.json: not a text file"]),
    "newer": (None, changed("version", 2), ["newer losslaw", "version 2", "upgrade"]),
    "version in words": (
        None,
        changed("version", "one"),
        ["damaged: version is 'one'", "1 or above"],
    ),
    "no version": (None, changed("version", ...), ["damaged: version is missing", "fit again"]),
    "a law it does not know": (
        None,
        changed("law", "kaplan"),
        ["bad.json", "unknown law 'kaplan'"],
    ),
    "nan parameter": (
        None,
        changed("parameters.alpha", float("nan")),
        ["parameters.alpha is nan", "a finite number", "fit again"],
    ),
    "infinite parameter": (
        None,
        changed("parameters.A", 10**400),
        ["parameters.A is 1000", "a finite number"],
    ),
    "negative amplitude": (None, changed("parameters.A", -1), ["A is -1", "0 or above"]),
    "shape out of range": (
        None,
        changed("parameters.alpha", 1e9),
        ["parameters.alpha is 1e+09", "0.02..3"],
    ),
    "text parameter": (None, changed("parameters.C", "big"), ["parameters.C is 'big'", "number"]),
    "missing parameter": (None, changed("parameters.C", ...), ["parameters.C is missing"]),
    "extra parameter": (None, changed("parameters.D", 1), ["parameters has 'D'", "alpha, lam"]),
    "settings gone": (None, changed("settings", ...), ["settings is missing"]),
    "setting of a wrong kind": (
        None,
        changed("settings.warmup_drops", 1),
        ["settings.warmup_drops is 1", "true or false"],
    ),
    "free of a wrong kind": (
        None,
        changed("free", "alpha"),
        ["free is 'alpha'", "a list of texts"],
    ),
    "free unknown": (None, changed("free", ["beta"]), ["free is beta", "shapes"]),
    "no curves": (None, changed("curves", []), ["curves is []", "one or more"]),
    "curves of a wrong kind": (None, changed("curves", [3]), ["curves[0] is 3", "an object"]),
    "huge schedule": (
        None,
        changed("curves.0.schedule", {"step": [1, 10**12], "lr": [1, 1], "warmup": 0}),
        ["curves[0].schedule.step[1] is 1000000000000", "1..1e+08"],
    ),
    "schedule without end": (
        None,
        changed("curves.0.schedule.step", [1, 10**30]),
        ["curves[0].schedule.step[1] is 1000", "1..1e+08"],
    ),
    "schedule of text": (
        None,
        changed("curves.0.schedule.lr", ["a"]),
        ["schedule.lr[0] is 'a'", "a number"],
    ),
    "schedule of negative rates": (
        None,
        changed("curves.0.schedule", {"step": [1, 9], "lr": [1, -1], "warmup": 0}),
        ["curves[0].schedule.lr[1] is -1", "0 or above"],
    ),
    "covariance of a wrong size": (
        None,
        changed("uncertainty.covariance", [[1.0]]),
        ["uncertainty: covariance is not 4 x 4"],
    ),
    "covariance of ragged rows": (
        None,
        changed("uncertainty.covariance", [[1.0], [1.0, 2.0]]),
        ["uncertainty: covariance is not 4 x 4"],
    ),
    "knots that go back": (
        None,
        changed("curves.0.schedule.step", [1, 9, 9, 200]),
        ["curves[0].schedule: 4 steps and"],
    ),
    "knots from the middle": (
        None,
        changed("curves.0.schedule", {"step": [2, 9], "lr": [1, 1], "warmup": 0}),
        ["curves[0].schedule: the first knot is at update 2"],
    ),
    "a batch that never was": (
        None,
        changed("curves.0.schedule.batch", {"step": [1, 9, 9], "value": [1, 1, 1]}),
        ["curves[0].schedule.batch: step does not increase"],
    ),
    "an infinite decay": (
        None,
        changed("curves.0.schedule.weight_decay", float("inf")),
        ["curves[0].schedule.weight_decay is inf", "a finite number or an object"],
    ),
    "unknown amplitude": (
        None,
        changed("uncertainty.unknown", ["alpha"]),
        ["uncertainty.unknown has 'alpha'", "A, C"],
    ),
    "no peaks": (
        None,
        changed("uncertainty.peaks", []),
        ["uncertainty.peaks is []", "one or more"],
    ),
    "an error without end": (
        None,
        changed("uncertainty.tau", 1e200),
        ["uncertainty.tau is 1e+200", "below 1e+06"],
    ),
}
SCHEDULES = {
    "empty schedule": (spec(" "), None, ["empty schedule text", "wsd:peak"]),
    "unknown family": (spec("foo:peak=1"), None, ["unknown schedule 'foo'", "cosine"]),
    "wrong key": (spec(SPEC + ",colour=3"), None, ["unknown key 'colour'", "cooldown"]),
    "missing key": (spec("cosine:peak=1e-2"), None, ["horizon is missing", "as in"]),
    "key without a value": (spec("cosine:peak"), None, ["'peak'", "key=value"]),
    "key twice": (spec("cosine:peak=1,peak=2,horizon=9"), None, ["peak is given twice"]),
    "bad number": (spec("cosine:peak=high,horizon=10"), None, ["peak is 'high'", "a number"]),
    "infinite number": (spec("cosine:peak=inf,horizon=10"), None, ["peak is 'inf'", "finite"]),
    "half an update": (spec("cosine:peak=1,horizon=9.5"), None, ["horizon is '9.5'", "whole"]),
    "no updates": (spec("cosine:peak=1,horizon=0"), None, ["horizon is 0", "at least 1"]),
    "too many updates": (spec("cosine:peak=1,horizon=1e15"), None, ["horizon is 1e+15", "at most"]),
    "too many updates in knots": (spec("knots:1=1,1e30=1"), None, ["schedule knots", "at most"]),
    "horizon shorter than the warm-up": (
        spec("cosine:peak=1e-2,horizon=10,warmup=20"),
        None,
        ["horizon (10)", "warmup (20"],
    ),
    "unknown decay": (spec(SPEC + ",decay=steep"), None, ["decay 'steep'", "1-sqrt"]),
    "cooldown of more than all": (
        spec("wsd:peak=1e-2,horizon=100,cooldown=1.5"),
        None,
        ["cooldown is 1.5", "0..1"],
    ),
    "final above the peak": (spec(SPEC + ",final=1"), None, ["final learning rate is 1", "0.01"]),
    "second part unknown": (spec(SPEC + " + foo:a=1"), None, ["unknown schedule 'foo'"]),
    "missing schedule file": (spec("file:none.csv"), None, ["none.csv: no such file"]),
    "folder as a schedule": (spec("folder"), None, ["folder is a folder"]),
    "a log as a schedule": (spec("flat.csv"), None, ["line 4", "step 5, expected 1"]),
}
OPTIONS = {
    "level of zero": ([*PREDICT, "--level", "0"], None, ["level is 0", "between 0 and 1"]),
    "level above one": ([*PREDICT, "--level", "90"], None, ["level is 90", "such as 0.9"]),
    "level of nan": ([*PREDICT, "--level", "nan"], None, ["level is nan"]),
    "every zero": ([*spec(SPEC), "--every", "0"], None, ["--every 0", "at least 1"]),
    "every half": ([*spec(SPEC), "--every", "0.5"], None, ["'--every'", "predict --help"]),
    "weight decay": ([*PREDICT, "--weight-decay", "-1"], None, ["weight decays", "-1"]),
    "unknown option": (["fit", "flat.csv", "--lwa", "x"], None, ["--lwa", "losslaw fit --help"]),
    "missing argument": (["fit"], None, ["Missing argument", "FILE", "losslaw fit --help"]),
    "missing option": (["predict", "fit.json"], None, ["Missing option", "--schedule"]),
    "option without its value": (["fit", "flat.csv", "-o"], None, ["-o", "argument"]),
    "unknown command": (["fti", "flat.csv"], None, ["fti", "losslaw --help"]),
    "text for a number": (["fit", "flat.csv", "--skip", "ten"], None, ["--skip", "fit --help"]),
    "no folder to write to": ([*PREDICT, "-o", "no/out.csv"], None, ["no/out.csv", "folder no"]),
    "numbers in a picture": ([*PREDICT, "-o", "out.PNG"], None, ["out.PNG", "losslaw plot"]),
    "a fit in a page": (["fit", "flat.csv", "-o", "f.html"], None, ["f.html", "losslaw report"]),
    "a schedule in a picture": (
        ["design", "fit.json", "--horizon", "50", "-o", "out.png"],
        None,
        ["out.png", "losslaw plot"],
    ),
    "a forecast in a page": (["forecast", "flat.csv", "-o", "f.htm"], None, ["f.htm", "whatif"]),
    "a page in a picture": (["whatif", "fit.json", "-o", "out.png"], None, ["out.png", ".html"]),
    "a folder to write to": ([*PREDICT, "-o", "folder"], None, ["folder", "it is a folder"]),
    "theory without a source": (
        ["theory", "--capacity", "2", "--budget", "1e6"],
        None,
        ["give one of --source", "--difficulty"],
    ),
    "theory of a negative source": (
        ["theory", "--source", "-1", "--capacity", "2", "--budget", "1e6"],
        None,
        ["source is -1", "above 0"],
    ),
    "theory of an unknown schedule": (
        ["theory", "--source", "1", "--capacity", "2", "--budget", "1e6", "--schedule", "zig"],
        None,
        ["zig", "wsd"],
    ),
}
if "demo" in GROUPS:
    OPTIONS["demo into a file"] = (["demo", "-o", "flat.csv"], None, ["flat.csv"])
if "lab" in GROUPS:
    OPTIONS["lab without a schedule"] = (["lab", "train"], None, ["--schedule"])

CASES = {**LOGS, **FITS, **SAVED, **SCHEDULES, **OPTIONS}


def test_there_are_enough_cases():
    assert len(CASES) == sum(map(len, (LOGS, FITS, SAVED, SCHEDULES, OPTIONS)))
    assert len(CASES) >= 50


@pytest.mark.parametrize("name", CASES)
def test_one_line_and_status_two(name, files, here, capsys, monkeypatch):
    arguments, content, words = CASES[name]
    if content is not None:
        content = content(files) if callable(content) else content
        bad = here / ("bad.json" if name in SAVED else "bad.csv")
        bad.write_bytes(content if isinstance(content, bytes) else content.encode())
        if "-" in (arguments or ()):
            monkeypatch.setattr(sys, "stdin", io.StringIO(content))
    if arguments is None:
        arguments = ["predict", "bad.json", "--schedule", SPEC]
    before = {path: path.read_bytes() for path in here.rglob("*") if path.is_file()}

    assert run(arguments) == 2

    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.startswith("losslaw: ")
    for word in words:
        assert word in line
    after = {path: path.read_bytes() for path in here.rglob("*") if path.is_file()}
    assert after == before


WRITERS = {
    "fit": ["fit", "flat.csv", "cosine.csv", "--law", "momentum"],
    "predict": PREDICT,
    "score": ["score", "fit.json", "wsd.csv"],
    "compare": ["compare", "flat.csv", "cosine.csv", "--laws", "chinchilla"],
}


@pytest.mark.parametrize("arguments", WRITERS.values(), ids=list(WRITERS))
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_device(arguments, here, capsys):
    assert run([*arguments, "-o", "/dev/full"]) == 2
    assert "cannot write /dev/full: No space left" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", WRITERS.values(), ids=list(WRITERS))
def test_a_disk_that_fills_up_leaves_the_old_artefact(arguments, here, capsys, monkeypatch):
    Path("out").write_text("old")
    before = sorted(Path().iterdir())

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert run([*arguments, "-o", "out"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert "cannot write out: No space left on device; nothing was changed" in line
    assert Path("out").read_text() == "old"
    assert sorted(Path().iterdir()) == before


@pytest.mark.parametrize("command", ["fit", "score", "compare", "predict"])
def test_no_artefact_of_a_command_that_failed(command, here, capsys):
    broken = {
        "fit": ["fit", "none.csv"],
        "score": ["score", "fit.json", "none.csv"],
        "compare": ["compare", "flat.csv"],
        "predict": spec("foo:"),
    }
    assert run([*broken[command], "-o", "out"]) == 2
    assert not Path("out").exists()
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_too_little_memory(here, capsys, monkeypatch):
    def none(*_args, **_more):
        raise MemoryError("Unable to allocate 7 TiB")

    monkeypatch.setattr("losslaw.schedules.parse_schedule", none)
    assert run(spec(SPEC)) == 2
    assert "not enough memory: Unable to allocate 7 TiB" in capsys.readouterr().err


def process(*arguments, **more):
    return subprocess.run(
        [sys.executable, "-m", "losslaw", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        **more,
    )


def test_the_process_prints_one_line_and_ends_with_two(here):
    done = process("predict", "fit.json", "--schedule", "foo:")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("losslaw: unknown schedule 'foo'")
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_process_whose_output_has_no_room(here):
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(
            [sys.executable, "-m", "losslaw", *PREDICT, "--json"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr == "losslaw: output: No space left on device\n"
