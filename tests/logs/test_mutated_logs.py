"""Logs with every kind of damage: right numbers, or one line that says why not, soon.

All damages are tried on all logs by ``make harden``; here each kind of damage is tried twice, and
what was found by it once stays.
"""

import json
import random
import re

import pytest

from hardening.clean_logs import FILES, CleanLog, inputs, of_the_tests
from hardening.mutated_logs import Case, Judge, cases
from hardening.mutations import MUTATIONS
from hardening.reading import read
from losslaw.curves import read_curves
from losslaw.errors import InputError
from losslaw.logs import read_logs

LOGS = of_the_tests()
HEAD = "step,lr,loss\n1,0.1,3.25\n2,0.1,2.50\n"


def test_the_clean_logs_are_read(tmp_path):
    judge = Judge(tmp_path)
    assert [log.name for log in LOGS if judge.clean(log).refused] == []
    assert len({log.name for log in LOGS}) == len(LOGS)


@pytest.mark.parametrize("damage", MUTATIONS)
def test_numbers_are_right_or_one_line_says_why_not(damage, tmp_path):
    judge = Judge(tmp_path)
    fitting = [case for case in cases(LOGS) if case.damage == damage]
    for case in random.Random(damage).sample(fitting, 2):
        mutated = case.mutated(1, LOGS)
        found = read(judge.write(case.log, mutated.content))
        kind, why = judge.verdict(case.log, mutated, found)
        assert kind != "fault", f"{case}: {why}"


def write(tmp_path, text, name="log.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (HEAD + "3,1e308,2\n", "line 4: lr is 1e308, expected 0 .. 1e.09"),
        (HEAD + "3,0.1,1e300\n", "line 4: loss is 1e300, expected 1e-15 .. 1e.12; leave"),
        (HEAD + "3,0.1,5e-324\n", "line 4: loss is 5e-324, expected 1e-15"),
        (HEAD + "3,0.1,2_90496\n", "line 4: column 'loss' holds '2_90496', expected a number"),
        (HEAD + "3,0.1," + "x" * 100_000 + "\n", "column 'loss' holds 'x{40}\\.\\.\\.', expected"),
        (HEAD + "3,0.1," + "x" * 200_000 + "\n", "line 4: not a row of a table"),
        (HEAD + "9" * 5000 + ",0.1,2\n", "line 4: step is 9{40}\\.\\.\\., expected a whole number"),
        ("step,lr,loss," + "x" * 200_000 + "\n1,1,1,1\n", "line 1: not a row of a table"),
        (HEAD.replace("0.1", "1e-300"), "the highest learning rate is 1e-300, expected 1e-15"),
        ('{"step": 1, "lr": 1, "loss": 3, "loss": 2}\n', "line 1: .*the key 'loss' twice"),
        (HEAD.replace("step", "\x1b]0;title\x07"), r"found \\x1b\]0;title\\x07, lr, loss"),
        (HEAD.replace("\n", "\n" + "\0" * 9, 1), "not a text file"),
    ],
)  # fmt: skip
def test_one_line_says_what_where_and_what_was_expected(tmp_path, text, line):
    path = write(tmp_path, text)
    with pytest.raises(InputError, match=line) as error:
        read_curves(path)
    assert len(str(error.value)) < 500
    assert str(error.value).isprintable()


def test_losses_that_cannot_be_are_left_out_with_those_that_are_not_finite(tmp_path):
    path = write(tmp_path, HEAD + "3,0.1,1e300\n4,0.1,nan\n")
    (curve,) = read_curves(path, on_nan="drop")
    assert curve.loss.tolist() == [3.25, 2.5]
    assert [said for said in curve.warnings if "left out" in said] == [
        "1 values of 'loss' are not finite and left out",
        "1 values of 'loss' are not in 1e-15 .. 1e+12 and left out",
    ]


def test_a_name_that_no_file_can_have():
    with pytest.raises(InputError, match=r"a\\x00b.csv: cannot be read"):
        read_curves("a\0b.csv")


def test_a_hundred_thousand_columns(tmp_path):
    names = ",".join(f"c{i}" for i in range(100_000))
    cells = ",1" * 100_000
    rows = "".join(f"{k},0.1,{3 - k / 10}{cells}\n" for k in range(1, 4))
    (curve,) = read_curves(write(tmp_path, f"step,lr,loss,{names}\n{rows}"))
    assert len(curve) == 3


@pytest.mark.parametrize("end", ["4,0.1,1.", "4,0.", "4,0.1,1.5", "4,0.1,1.50e"])
def test_a_last_row_that_is_being_written_is_left_out(tmp_path, end):
    (curve,) = read_curves(write(tmp_path, HEAD + "3,0.1,2.25\n" + end))
    assert curve.steps.tolist() == [1, 2, 3]
    assert "left out of the log: 1 line cut off" in curve.assumptions


def test_a_last_row_without_an_end_may_be_whole(tmp_path):
    (curve,) = read_curves(write(tmp_path, HEAD + "3,0.1,2.25"))
    assert curve.steps.tolist() == [1, 2, 3]
    assert "the last line has no end, and its last number is taken to be whole" in curve.assumptions


def test_the_same_text_in_other_bytes(tmp_path):
    plain = read_curves(write(tmp_path, HEAD))[0]
    for text in (HEAD.encode("utf-16"), b"\xef\xbb\xbf" * 2 + HEAD.encode(),
                 re.sub(r"(\d\.\d+)", "\x1b[31m\\1\x1b[0m", HEAD)):  # fmt: skip
        (curve,) = read_curves(write(tmp_path, text))
        assert curve.loss.tolist() == plain.loss.tolist()


def test_rates_that_still_rise_at_the_end_of_the_log(tmp_path):
    """As of every run in its warm-up, whose horizon is known."""
    history = [
        {"step": k, "learning_rate": 1e-5 * k, "loss": 9 - k / 99} for k in range(10, 90, 10)
    ]
    path = write(tmp_path, json.dumps({"log_history": history, "max_steps": 500}), "t.json")
    (curve,) = read_curves(path)
    assert curve.steps.tolist() == list(range(10, 90, 10))


def test_a_number_given_twice_in_a_line_is_neither(tmp_path):
    (log,) = [each for each in LOGS if each.name == "v0.log"]
    text = log.content.decode()
    doubled = re.sub(r"lr=([\d.e-]+)", r"lr=\1, lr=7", text, count=1)
    (read,) = read_logs(write(tmp_path, doubled, "v0.log"))
    assert read.skipped == (("lines that cannot be read to their end", 1),)


@pytest.mark.parametrize("name", ["Megatron-LM (printed)", "nanotron (printed)", "v0.log"])
def test_long_words_take_no_long_time(tmp_path, name):
    (log,) = [each for each in LOGS if each.name == name]
    line = log.content.decode().splitlines()[-1]
    long = CleanLog(name, log.file, log.content + line.replace("|", "x" * 300_000).encode() + b"\n")
    assert Judge(tmp_path).points(long) == Judge(tmp_path).points(log)


def test_what_sqlite_says_of_damage_is_plain(tmp_path):
    (log,) = [each for each in LOGS if each.name == "MLflow database"]
    damaged = log.content.replace(b"CREATE TABLE runs", b"CREATE TABLE runs".replace(b"r", b"\x05"))
    damaged = damaged.replace(b"CREATE TABLE", b"CREATE\x05TABLE")
    assert "x05" in read(write(tmp_path, damaged, "mlflow.db")).refused


def test_inputs_of_the_search_are_the_logs_and_their_names():
    assert len(inputs()) == len(LOGS)
    assert {FILES[content[0]] for content in inputs()} == {log.file for log in LOGS}


def test_each_case_is_the_same_each_time():
    case = Case(LOGS[0], "two lines written at once")
    assert case.mutated(3, LOGS) == case.mutated(3, LOGS) != case.mutated(4, LOGS)
