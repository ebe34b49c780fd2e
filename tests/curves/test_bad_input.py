"""Whatever a log has wrong with it: one line that says what, where, and the way out."""

import json
from pathlib import Path

import pytest

from losslaw.curves import read_curves
from losslaw.errors import InputError
from losslaw.schedules import constant

GOOD = "step,lr,loss\n1,0.1,3\n2,0.1,2.5\n3,0.1,2\n"
HEAD = "step,lr,loss\n1,0.1,3\n"


# id: (content of log.csv, keyword arguments of read_curves, pieces that the message must hold)
CASES = {
    "empty file": ("", {}, ["log.csv", "empty"]),
    "blank file": ("  \n\n", {}, ["log.csv", "empty"]),
    "only a header": ("step,lr,loss\n", {}, ["log.csv", "only a header"]),
    "only comments": ("# a\n# b: c\n", {}, ["log.csv", "only comments"]),
    "binary": (b"\x89PNG\r\n\x1a\n\xff\xfe", {}, ["log.csv", "not a text file", "CSV"]),
    "null bytes": (b"step,lr,loss\n1,0,\0\n", {}, ["log.csv", "not a text file"]),
    "text in the rate": (HEAD + "2,fast,2\n", {}, ["log.csv, line 3", "'lr'", "'fast'", "number"]),
    "text in the loss": (HEAD + "2,0.1,low\n", {}, ["line 3", "'loss'", "'low'", "number"]),
    "text in the step": (HEAD + "two,0.1,2\n", {}, ["line 3", "'step'", "'two'", "number"]),
    "two numbers in a cell": (HEAD + "2,0.1,2 3\n", {}, ["line 3", "'2 3'"]),
    "no step column": ("lr,loss\n0.1,3\n0.1,2\n", {}, ["no step column", "lr, loss", "'step'"]),
    "no loss column": ("step,lr\n1,1\n2,1\n", {}, ["no loss column", "step, lr", "--loss-column"]),
    "no rate column": (
        "step,loss\n1,3\n2,2\n",
        {},
        ["no learning-rate column", "step, loss", "'lr'", "--schedule"],
    ),
    "unknown loss column": (GOOD, {"loss_column": "val"}, ["no column 'val'", "step, lr, loss"]),
    "unknown rate column": (GOOD, {"lr_column": "eta"}, ["no column 'eta'", "step, lr, loss"]),
    "negative rate": (HEAD + "2,-0.1,2\n", {}, ["line 3", "lr is -0.1", "0 or above"]),
    "all rates zero": (
        "step,lr,loss\n1,0,3\n2,0,2\n",
        {},
        ["learning rate is 0 everywhere", "above 0", "--schedule"],
    ),
    "no rates": ("step,lr,loss\n1,,3\n2,,2\n", {}, ["learning rate is empty", "--schedule"]),
    "nan rate": (HEAD + "2,nan,2\n", {}, ["line 3", "lr is nan", "finite", "--drop-nan"]),
    "nan loss": (HEAD + "2,0.1,NaN\n", {}, ["line 3", "loss is NaN", "finite", "--drop-nan"]),
    "infinite loss": (HEAD + "2,0.1,inf\n", {}, ["line 3", "loss is inf", "--drop-nan"]),
    "negative loss": (HEAD + "2,0.1,-2\n", {}, ["line 3", "loss is -2", "above 0"]),
    "zero loss": (HEAD + "2,0.1,0\n", {}, ["line 3", "loss is 0", "above 0"]),
    "one point": (HEAD, {}, ["log.csv", "1 points", "at least 2"]),
    "no losses": ("step,lr,loss\n1,1,\n2,1,\n", {}, ["0 points", "at least 2"]),
    "one point after step 0": ("step,lr,loss\n0,1,4\n1,1,3\n", {}, ["1 points", "after step 0"]),
    "nothing left after dropping": (
        HEAD + "2,0.1,nan\n",
        {"on_nan": "drop"},
        ["1 points", "at least 2"],
    ),
    "out of order": (
        "step,lr,loss\n1,1,4\n3,1,3\n2,1,3.5\n4,1,2\n",
        {},
        ["line 4", "out of order", "step 2 follows step 3", "sort"],
    ),
    "fractional step": (HEAD + "2.5,0.1,2\n", {}, ["line 3", "step is 2.5", "whole number"]),
    "negative step": ("step,lr,loss\n-1,1,3\n2,1,2\n", {}, ["line 2", "step is -1", "0 or above"]),
    "missing step": (HEAD + ",0.1,2\n", {}, ["line 3", "step is missing", "whole number"]),
    "infinite step": (HEAD + "inf,0.1,2\n", {}, ["line 3", "step is inf"]),
    "short row": (HEAD + "2,0.1\n", {}, ["line 3", "2 cells", "expected 3"]),
    "long row": (HEAD + "2,0.1,2,9\n", {}, ["line 3", "4 cells", "expected 3"]),
    "stray quote": (HEAD + '2,"0.1,2\n3,0.1,2\n', {}, ["line 3", "2 cells"]),
    "column twice": ("step,lr,lr,loss\n1,1,1,3\n", {}, ["2 columns", "'lr'"]),
    "damaged JSON line": ('{"step": 1, "lr": 1\n', {}, ["line 1", "not a JSON object"]),
    "JSON nested without end": ('{"step": ' + "[" * 100_000, {}, ["line 1", "not a JSON object"]),
    "JSON number without end": ('{"step": ' + "1" * 5000 + "}", {}, ["line 1", "not a JSON"]),
    "JSON array": ('[{"step": 1}, 2]\n', {}, ["JSON array", "JSON lines"]),
    "JSON number": ('{"step": 1, "lr": 1, "loss": 2}\n7\n', {}, ["line 2", "JSON object"]),
    "rate used or next": (GOOD, {"lr_is": "last"}, ["lr_is", "'last'", "'used'", "'next'"]),
    "negative warm-up": (GOOD, {"warmup": -1}, ["warmup is -1", "whole number"]),
    "half a warm-up": (GOOD, {"warmup": 1.5}, ["warmup is 1.5", "whole number"]),
    "negative weight decay": (
        GOOD,
        {"weight_decay": -0.1},
        ["weight_decay is -0.1", "in 0..1e+09"],
    ),
    "no batch": (GOOD, {"batch": 0}, ["batch is 0", "in 1e-09..1e+15"]),
    "no model": (GOOD, {"model_size": float("nan")}, ["model_size is nan", "in 1..1e+18"]),
    "what to do with nan": (GOOD, {"on_nan": "ignore"}, ["on_nan", "'ignore'", "'drop'"]),
    "comment with text": ("# warmup: long\n" + GOOD, {}, ["log.csv", "warmup is 'long'"]),
    "comment with a wrong word": ("# lr_is: old\n" + GOOD, {}, ["log.csv", "lr_is is 'old'"]),
    "schedule text": (GOOD, {"schedule": "wds:peak=1"}, ["unknown schedule 'wds'", "wsd"]),
    "schedule too short": (
        GOOD,
        {"schedule": constant(peak=1.0, horizon=2)},
        ["step 3", "2 updates", "longer horizon"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_damaged_log_is_one_clear_line(case, tmp_path):
    content, arguments, pieces = CASES[case]
    log = tmp_path / "log.csv"
    log.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as caught:
        read_curves(log, **arguments)
    message = str(caught.value)
    assert "\n" not in message
    for piece in pieces:
        assert piece in message


SIDECARS = {
    "not JSON": ("{", ["meta.json", "damaged: not JSON at line 1", "move it away"]),
    "nested without end": ("[" * 100_000, ["meta.json", "damaged", "move it away"]),
    "a list": ("[]", ["meta.json", "expected an object", "move it away"]),
    "runs is a list": ('{"runs": []}', ["meta.json", "runs is []", "an object"]),
    "the run is a number": ('{"runs": {"log": 3}}', ["meta.json", "'log'", "3", "an object"]),
    "a number without end": (
        '{"runs": {"log": {"batch": 1' + "0" * 400 + "}}}",
        ["run 'log'", "batch is 1000", "in 1e-09..1e+15"],
    ),
    "a fact is text": (
        '{"runs": {"log": {"warmup_steps": "many"}}}',
        ["meta.json", "run 'log'", "warmup is 'many'"],
    ),
    "a fact is true": ('{"runs": {"log": {"params": true}}}', ["model_size is True"]),
    "a wrong word": ('{"runs": {"log": {"lr_is": "now"}}}', ["run 'log'", "lr_is is 'now'"]),
}


@pytest.mark.parametrize("case", SIDECARS)
def test_a_damaged_sidecar_is_one_clear_line(case, tmp_path):
    content, pieces = SIDECARS[case]
    (tmp_path / "log.csv").write_text(GOOD)
    (tmp_path / "meta.json").write_text(content)
    with pytest.raises(InputError) as caught:
        read_curves(tmp_path / "log.csv")
    for piece in pieces:
        assert piece in str(caught.value)


def test_a_missing_file(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.csv: no such file"):
        read_curves(tmp_path / "nowhere.csv")


def test_a_folder_without_logs(tmp_path):
    with pytest.raises(InputError, match="is a folder without logs; name a log or its folder"):
        read_curves(tmp_path)
    (tmp_path / "a.csv").write_text("lr,loss\n0.1,3\n")
    with pytest.raises(InputError, match=r"folder without logs: .*a\.csv: no step column"):
        read_curves(tmp_path)


def test_a_pattern_without_files(tmp_path):
    with pytest.raises(InputError, match=r"\*\.csv: no file fits this pattern"):
        read_curves(f"{tmp_path}/*.csv")


def test_no_files_at_all():
    with pytest.raises(InputError, match="no files: expected at least one log"):
        read_curves([])


def test_one_log_twice(tmp_path):
    log = tmp_path / "run.csv"
    log.write_text(GOOD)
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "run.csv").symlink_to(log)
    for again in (log, tmp_path / "more" / ".." / "run.csv", tmp_path / "more" / "run.csv"):
        with pytest.raises(InputError, match=r"given twice: .*run\.csv and .*run\.csv$"):
            read_curves([log, again])


def test_an_unreadable_file(tmp_path):
    log = tmp_path / "log.csv"
    log.symlink_to(log)  # a loop: the system refuses to open it
    with pytest.raises(InputError, match=r"log\.csv: cannot be read \("):
        read_curves(log)


def test_a_sidecar_that_is_a_folder(tmp_path):
    (tmp_path / "log.csv").write_text(GOOD)
    (tmp_path / "meta.json").mkdir()
    with pytest.raises(InputError, match=r"meta\.json: cannot be read"):
        read_curves(tmp_path / "log.csv")


def test_facts_of_other_runs_do_not_matter(tmp_path):
    (tmp_path / "log.csv").write_text(GOOD)
    meta = {"runs": {"other": {"warmup_steps": "many"}}}
    Path(tmp_path / "meta.json").write_text(json.dumps(meta))
    assert len(read_curves(tmp_path / "log.csv")) == 1


def test_logs_that_cannot_be_read_are_handed_back(tmp_path):
    names = {"good.csv": GOOD, "words.csv": "step,lr,loss\n1,0.1,many\n", "empty.csv": ""}
    for name, text in names.items():
        (tmp_path / name).write_text(text)
    left_out: dict[str, str] = {}
    (curve,) = read_curves(tmp_path, left_out=left_out)
    assert curve.label == "good"
    assert not any("left out" in text for text in curve.assumptions)
    assert {Path(name).name for name in left_out} == {"words.csv", "empty.csv"}
    assert "column 'loss' holds 'many'" in left_out[str(tmp_path / "words.csv")]
    alone: dict[str, str] = {}
    files = [tmp_path / name for name in names]
    assert [each.label for each in read_curves(files, left_out=alone)] == ["good"]
    assert alone == left_out


def test_names_have_as_many_folders_as_tell_them_apart(tmp_path):
    for folder in ("a/seed0", "a/seed1", "b/seed0"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "run.csv").write_text(GOOD)
    curves = read_curves(tmp_path)
    assert [curve.label for curve in curves] == ["a/seed0/run", "seed1/run", "b/seed0/run"]
    assert [curve.origin.folder for curve in curves] == ["seed0", "seed1", "seed0"]
