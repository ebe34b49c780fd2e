"""Exported files as files: they parse, say where they are from, and no label breaks them."""

import ast
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from losslaw import __version__
from losslaw.cli.main import run
from losslaw.errors import InputError
from losslaw.exporting import TARGETS, export, prepare
from losslaw.exporting.pieces import pieces, relative_error
from losslaw.exporting.text import WIDTH, comment, number
from losslaw.fitting import fit
from losslaw.laws import Effective, Momentum
from losslaw.schedules import Schedule, constant, cosine, knots, parse_schedule, wsd

DESIGNED = wsd(peak=3e-3, horizon=400, warmup=20, cooldown=0.3, decay="power", exponent=1.7)
FLAT = constant(peak=3e-3, horizon=20)
PYTHON = [
    "torch", "hf", "optax", "lightning", "deepspeed", "torchtitan", "olmo-core", "levanter",
    "nanogpt", "nanochat",
]  # fmt: skip
HOSTILE = [
    "a\nimport os",
    "a\r\nraise SystemExit",
    "a\x0cb\x85c\u2028import os\u2029",
    "coding: nonsense",
    "-*- coding: utf-7 -*-",
    '"""\nimport os',
    "$(touch owned) `touch owned`\ntouch owned",
    "#}\n  - x: !!python/object:os.system",
    "\u202egnp.exe",
    "ünïcode",
    "x" * 500,
]


@pytest.fixture(scope="module")
def fitted():
    law = Momentum(L0=2.0, A=0.3, C=0.3, alpha=0.5)
    runs = [
        cosine(peak=1e-2, horizon=200, warmup=10),
        constant(peak=1e-2, horizon=200, warmup=10),
        wsd(peak=1e-2, horizon=200, warmup=10, cooldown=0.3),
    ]
    return fit(
        [law.curve(each, range(5, 201, 5), f"run{i}") for i, each in enumerate(runs)], "momentum"
    )


def code_of(target, text):
    """What of a file is not a comment."""
    if target in PYTHON:
        return ast.dump(ast.parse(text))
    return [line for line in text.splitlines() if not line.startswith("#")]


@pytest.mark.parametrize("target", PYTHON)
def test_python_files_parse_and_import_the_target_only(target):
    tree = ast.parse(export(DESIGNED, target))
    modules = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.name.partition(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            modules.add(node.module.partition(".")[0])
    allowed = {
        "torch", "jax", "numpy", "torchtitan", "olmo_core", "bisect", "dataclasses", "levanter",
    }  # fmt: skip
    assert modules <= allowed


@pytest.fixture
def no_torch(monkeypatch):
    """A torch that has nothing but a LambdaLR, and that one only counts and asks."""

    class LambdaLR:
        def __init__(self, optimizer, factor):
            self.done, self.optimizer, self.factor = 0, optimizer, factor
            optimizer.used = optimizer.lr * factor(0)

        def step(self):
            self.done += 1
            self.optimizer.used = self.optimizer.lr * self.factor(self.done)

    for name in ("torch", "torch.optim", "torch.optim.lr_scheduler"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    sys.modules["torch.optim.lr_scheduler"].LambdaLR = LambdaLR


@pytest.mark.parametrize("target", ["torch", "hf", "deepspeed"])
def test_update_k_uses_its_own_rate_and_batch(target, no_torch):
    """Not the one before it: asked with the updates done, without torch installed."""
    sizes = np.repeat([8.0, 16.0], 200)
    scope = {}
    exec(export(DESIGNED.with_(batch=sizes), target), scope)
    optimizer = SimpleNamespace(lr=scope["PEAK"])
    scheduler = scope["make_scheduler"](optimizer)
    for k in range(1, 401):
        # The pieces are within 1e-6 of each rate; below 1 % of the peak, of that.
        assert optimizer.used == pytest.approx(DESIGNED.lr[k - 1], rel=1.1e-6, abs=4e-11)
        if "batch_size" in scope:
            assert scope["batch_size"](k - 1) == sizes[k - 1]
        scheduler.step()
    assert optimizer.used == pytest.approx(DESIGNED.lr[-1], abs=4e-11)
    assert "batch_size" in scope or target != "torch"


@pytest.mark.parametrize("target", sorted(set(TARGETS) - {"npy"}))
def test_the_same_input_gives_the_same_file_and_a_date_is_an_argument(target):
    assert export(DESIGNED, target) == export(DESIGNED, target)
    assert "2031-02-03" not in export(DESIGNED, target)
    assert "2031-02-03" in export(DESIGNED, target, date="2031-02-03")


@pytest.mark.parametrize("target", sorted(set(TARGETS) - {"npy", "csv", "json"}))
def test_files_say_where_they_are_from(target, fitted):
    done = prepare(DESIGNED, target, fit=fitted, fit_source="runs/fit.json", source="design 7")
    words = " ".join(done.text.replace("\n# ", " ").split())
    assert f"Made by losslaw {__version__}, from design 7." in words
    assert "horizon 400 updates, warm-up 20, peak learning rate 0.003" in words
    assert "law: momentum, fitted to run0, run1, run2 (runs/fit.json)" in words
    end = fitted.predict(DESIGNED)
    assert done.predicted == pytest.approx(end.final)
    known = f"{end.final:.4f} ({end.interval}, 90 %) nats per token"
    assert f"predicted loss after the last update: {known}" in words


@pytest.mark.parametrize("target", ["torch", "json"])
def test_a_loss_whose_interval_is_not_known_says_so(target, fitted):
    done = prepare(DESIGNED, target, fit=replace(fitted, uncertainty=None, mixture=None))
    assert "(interval not known)" in done.text or '"predicted_loss_lower": null' in done.text
    assert done.as_dict()["predicted_loss_upper"] is None


@pytest.mark.parametrize("label", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("target", ["torch", "megatron", "nanotron"])
def test_no_label_leaves_its_comment(target, label):
    """One target of each kind of file: Python, shell, YAML."""
    unbroken(FLAT, target, label)


@pytest.mark.parametrize("schedule", [FLAT, DESIGNED], ids=["exact", "nearest"])
@pytest.mark.parametrize("target", sorted(set(TARGETS) - {"npy", "csv", "json"}))
def test_all_labels_at_once_in_every_target(target, schedule):
    unbroken(schedule, target, "\n".join(HOSTILE))


def unbroken(schedule, target, label):
    plain = export(schedule, target, source="x", date="today")
    text = export(schedule, target, source=label, date=label)
    assert code_of(target, text) == code_of(target, plain)
    # Python reads an encoding out of the first two lines.
    assert text.splitlines()[:2] == plain.splitlines()[:2]
    assert len(text.split("\n")) == len(text.splitlines()) + 1


@pytest.mark.parametrize("label", HOSTILE, ids=range(len(HOSTILE)))
def test_labels_in_tables_and_json(label, tmp_path):
    from losslaw.schedules import read_schedule

    (tmp_path / "s.csv").write_text(export(DESIGNED, "csv", source=label, date=label))
    assert read_schedule(tmp_path / "s.csv") == DESIGNED
    assert json.loads(export(DESIGNED, "json", source=label))["source"] == label


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_the_shell_file_is_an_array_of_arguments(tmp_path):
    text = export(DESIGNED, "megatron", source=HOSTILE[6])
    (tmp_path / "schedule.sh").write_text(text)
    show = 'source ./schedule.sh && printf "%s\\n" "${SCHEDULE_ARGS[@]}"'
    done = subprocess.run(
        ["bash", "-c", show], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    told = prepare(DESIGNED, "megatron").nearest.arguments
    words = done.stdout.split()
    assert words[::2] == list(told)
    assert [float(word) if word[0].isdigit() else word for word in words[1::2]] == list(
        told.values()
    )
    assert [path.name for path in tmp_path.iterdir()] == ["schedule.sh"]


def test_yaml_numbers_are_numbers():
    """YAML 1.1 reads 1e-07 as a text: a mantissa needs its point."""
    text = export(wsd(peak=1e-5, horizon=50, cooldown=0.2, final=1e-7), "nanotron")
    assert "min_decay_lr: 1.0e-07" in text
    yaml = pytest.importorskip("yaml", reason="pyyaml is not installed")
    record = yaml.safe_load(text)["optimizer"]["learning_rate_scheduler"]
    assert record["min_decay_lr"] == 1e-7
    assert isinstance(record["learning_rate"], float)


def test_pieces_state_their_error():
    for schedule in (DESIGNED, cosine(peak=1.0, horizon=5000), Schedule([1.0]), Schedule([0.0, 1])):
        for tolerance in (1e-6, 1e-3):
            made = pieces(schedule, tolerance)
            dense = made.rates(schedule.horizon)
            assert relative_error(dense, schedule.lr) == made.error <= tolerance
            assert made.updates[0] == 1
            assert made.updates.size >= 2
    assert pieces(cosine(peak=1.0, horizon=5000), 1e-3).updates.size < 100
    assert pieces(DESIGNED.with_(lr=np.full(400, 2e-3)), 0.0).updates.tolist() == [1, 400]


def test_the_knots_of_a_cosine():
    """The numbers in docs/guides/export.md."""
    schedule = cosine(peak=3e-4, horizon=24_000, warmup=2160, final=3e-5)
    assert [pieces(schedule, each).updates.size for each in (1e-6, 1e-5)] == [1334, 438]
    assert pieces(wsd(peak=3e-4, horizon=24_000, warmup=2160)).updates.size == 4


def test_knots_of_each_hold_small_values_to_their_own_size():
    """A rate of 1 % of the peak is as exact as the peak; plain knots are 100 times less so."""
    lr = cosine(peak=1.0, horizon=3000, final=0.01).lr
    at = knots(lr, 1e-4, of_each=True)
    made = np.interp(np.arange(1, 3001), at, lr[at - 1])
    assert np.abs(made / lr - 1).max() <= 1e-4
    plain = knots(lr, 1e-4)
    loose = np.interp(np.arange(1, 3001), plain, lr[plain - 1])
    assert np.abs(loose / lr - 1).max() > 1e-3


def test_of_several_laws_the_file_says_what_stands_behind_the_loss():
    law = Effective(L0=2.5, A=0.3, N=45.0)
    known = dict(peak=3e-3, horizon=600, warmup=30, weight_decay=0.1)
    runs = {"flat": constant(**known), "wsd": wsd(**known)}
    fitted = fit([law.curve(each, range(60, 601, 10), name) for name, each in runs.items()])
    done = prepare(DESIGNED, "megatron", fit=fitted)
    expected = fitted.predict(DESIGNED, [400])
    assert done.trust == expected.trust
    assert done.predicted == expected.final
    words = " ".join(done.text.replace("\n# ", " ").split())
    assert expected.trust.sentence in words
    assert done.as_dict()["trust"] == expected.trust.as_dict()
    record = json.loads(prepare(DESIGNED, "json", fit=fitted).text)
    assert record["trust"]["status"] == expected.trust.status
    # Both predictions are weighed alike: their difference is that of the schedules.
    weights = {name: weight for name, _, weight in expected.trust.members}
    near = DESIGNED.with_(lr=done.nearest.lr, weight_decay=0.1)
    lost = sum(
        weights[member.name]
        * (member.law.predict(near)[-1] - member.law.predict(near.with_(lr=DESIGNED.lr))[-1])
        for member in fitted.mixture.members
    )
    assert done.nearest.loss_gap == pytest.approx(lost, abs=1e-7)


def test_a_near_miss_says_what_it_costs(fitted):
    """The gap in loss is the difference of two predictions of the fit."""
    done = prepare(DESIGNED, "megatron", fit=fitted)
    near = done.nearest
    assert not done.exact
    assert near.largest == np.abs(near.lr - DESIGNED.lr).max() / 3e-3
    lost = fitted.predict(DESIGNED.with_(lr=near.lr)).final - fitted.predict(DESIGNED).final
    assert near.loss_gap == pytest.approx(lost, abs=1e-12)
    words = " ".join(done.text.replace("\n# ", " ").split())
    assert f"differs from the schedule by at most {100 * near.largest:.2g} % of the peak" in words
    assert f"{lost:+.5f} nats per token compared with the schedule" in words


@pytest.mark.parametrize("target", sorted(set(TARGETS) - {"csv", "json"}))
def test_a_changing_batch_is_never_dropped_in_silence(target):
    sizes = np.repeat([8.0, 16.0], 200)
    done = prepare(DESIGNED.with_(batch=sizes), target)
    assert any("batch" in note for note in done.notes)
    assert not prepare(DESIGNED.with_(batch=8), target).notes


def test_a_changing_weight_decay_is_said():
    text = export(DESIGNED.with_(weight_decay=np.linspace(0.1, 0.0, 400)), "torch")
    assert "weight decay: changes from 0.1 to 0" in text
    assert "weight decay: 0.2, decoupled" in export(DESIGNED.with_(weight_decay=0.2), "torch")


def test_comments_fit_the_page():
    lines = comment(["word " * 60, "", "    indented " + "word " * 40]).splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert all(line.startswith("#") for line in lines)


def test_numbers_survive_their_text():
    for value in (3e-4, 1 / 3, 1e-300, 0.0, 123456789.123):
        assert float(number(value)) == pytest.approx(value, rel=5.01e-10, abs=0)


def test_unknown_targets_and_tolerances_are_refused():
    with pytest.raises(InputError, match="unknown target 'keras', expected one of: torch, hf"):
        export(DESIGNED, "keras")
    with pytest.raises(InputError, match=r"tolerance is 2, expected 0\.\.0\.1"):
        export(DESIGNED, "torch", tolerance=2)
    with pytest.raises(InputError, match="npy is not a text"):
        export(DESIGNED, "npy")


SPEC = "wsd:peak=3e-4,horizon=100,warmup=10,cooldown=0.2"


def test_the_command_writes_what_the_function_gives(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name, target in TARGETS.items():
        path = f"schedule{target.suffix}"
        assert run(["export", SPEC, "--to", name, "-o", path]) == 0
        said = capsys.readouterr().out
        assert said.startswith(f"{path}: {target.title}, ")
        assert "next: " in said
        wanted = prepare(parse_schedule(SPEC), name, source=SPEC).data
        assert (tmp_path / path).read_bytes() == wanted
        if name != "npy":
            assert run(["export", SPEC, "--to", name]) == 0
            assert capsys.readouterr().out.encode() == wanted


def test_the_command_in_json(tmp_path, monkeypatch, capsys, fitted):
    monkeypatch.chdir(tmp_path)
    fitted.save("fit.json")
    spec = "cosine:peak=1e-2,horizon=200,warmup=10"
    assert run(["export", spec, "--to", "nanotron", "--fit", "fit.json", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["target"] == "nanotron"
    assert record["exact"] is False
    assert record["style"] == "cosine"
    assert record["arguments"]["lr_decay_style"] == "cosine"
    assert 0 < record["gap"]["rms"] < record["gap"]["largest"] < 0.11
    assert abs(record["gap"]["loss"]) < 0.1
    assert record["text"].startswith("# Learning-rate schedule for nanotron")


def test_a_schedule_comes_from_a_file_or_standard_input(tmp_path, monkeypatch, capsys):
    import io

    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.csv").write_text(export(parse_schedule(SPEC), "csv"))
    assert run(["export", "s.csv", "--to", "torch"]) == 0
    assert "from s.csv." in capsys.readouterr().out
    monkeypatch.setattr("sys.stdin", io.StringIO((tmp_path / "s.csv").read_text()))
    assert run(["export", "-", "--to", "torch"]) == 0
    assert "from standard input." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([SPEC, "--to", "keras"], ["--to keras", "unknown target", "torch, hf", "json"]),
        ([SPEC], ["Missing option", "--to", "export --help"]),
        ([SPEC, "--to", "torch", "-o", "no/x.py"], ["cannot write no/x.py", "folder no"]),
        ([SPEC, "--to", "npy"], ["npy is not a text", "-o schedule.npy"]),
        (["none.csv", "--to", "torch"], ["none.csv", "no such file"]),
        (["empty.csv", "--to", "torch"], ["empty.csv", "empty"]),
        (["header.csv", "--to", "torch"], ["header.csv", "learning rates", "empty"]),
        (["zero.csv", "--to", "torch"], ["zero.csv", "all zero"]),
        (["wsd:peak=1,horizon=0", "--to", "torch"], ["horizon is 0", "at least 1"]),
        ([SPEC, "--to", "torch", "--tolerance", "-1"], ["tolerance is -1", "0..0.1"]),
        ([SPEC, "--to", "torch", "--fit", "none.json"], ["none.json", "no such file"]),
        (["-", "--to", "torch", "--fit", "-"], ["both", "standard input"]),
    ],
)
def test_bad_input_is_one_line(arguments, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "header.csv").write_text("step,lr\n")
    (tmp_path / "zero.csv").write_text("step,lr\n1,0\n2,0\n")
    before = sorted(tmp_path.iterdir())
    assert run(["export", *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    for word in words:
        assert word in said.err
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("optax", "from my_plan import schedule"),
        ("nanogpt", "from my_plan import get_lr"),
        ("nanochat", "from my_plan import get_lr_multiplier"),
        ("levanter", "import my_plan where"),
        ("megatron", "source 'a folder/my_plan.x'; "),
    ],
)
def test_the_next_step_names_the_file_as_it_is_used(target, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a folder").mkdir()
    spec = "wsd:peak=3e-3,horizon=400,warmup=100,cooldown=0.2"
    assert run(["export", spec, "--to", target, "-o", "a folder/my_plan.x"]) == 0
    assert f"next: {words}" in capsys.readouterr().out
