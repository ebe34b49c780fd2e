"""``losslaw forecast``: text, JSON, artefacts, what is refused, and a log that grows."""

import json
import re
import shutil
from pathlib import Path

import pytest

import losslaw as ll
from losslaw.cli import follow
from losslaw.cli.main import run

BUNDLED = Path(ll.__file__).parent / "curves" / "bundled"
LAW = ["--law", "effective"]  # without the choice of a law, which takes longer
DECAY = ["--decay-over", "500"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A stable run at step 3000, and what ran before it."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(BUNDLED / "meta.json", tmp_path)
    text = (BUNDLED / "constant_peak3e-3_T12000.csv").read_text()
    lines = text.splitlines(keepends=True)
    Path("stable.csv").write_text("".join(lines[:121]))
    Path("stable_rows.txt").write_text("".join(lines))
    for name in ("cosine_peak3e-3_T4000", "wsd-linear-0.2_peak3e-3_T4000"):
        shutil.copy(BUNDLED / f"{name}.csv", tmp_path)
    return tmp_path


def ok(arguments, capsys):
    assert run(["forecast", *arguments]) == 0
    return capsys.readouterr().out


def refused(arguments, capsys):
    assert run(["forecast", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("losslaw: ")
    assert captured.err.count("\n") == 1
    return captured.err


def test_the_report_and_the_saved_record(here, capsys):
    out = ok(["stable.csv", "--horizon", "6000", "-o", "f.json", *LAW, *DECAY], capsys)
    assert out.startswith("stable at step 3,000: loss ")
    assert "the rate stays at 0.003" in out
    assert re.search(r"\n +now +3,000 +500 +3,500 +1\.\d{4}", out)
    assert "best within the horizon: hold to step 5,500, decay over 500" in out
    assert out.endswith("saved to f.json\n")
    record = json.loads(Path("f.json").read_text())
    assert (record["step"], record["horizon"], record["level"]) == (3000, 6000, 0.9)


def test_no_horizon_is_needed_and_lengths_may_be_shares(here, capsys):
    out = ok(["stable.csv", *LAW, "--decay-over", "10%,0.2,900"], capsys)
    assert out.startswith("stable at step 3,000: loss ")
    assert re.findall(r"\n +now +3,000 +(\d+) ", out) == ["300", "600", "900"]
    record = json.loads(ok(["stable.csv", *LAW, "--json"], capsys))
    assert (record["horizon"], record["path"], record["final"]["loss"]) == (None, None, None)
    assert record["now"]["over"] == 600


def test_a_name_of_a_picture_gets_one(here, capsys):
    out = ok(["stable.csv", "--horizon", "6000", "-o", "f.PNG", *LAW, *DECAY], capsys)
    assert out.endswith("saved to f.PNG\n")
    assert Path("f.PNG").read_bytes().startswith(b"\x89PNG")


def test_json_is_what_is_saved(here, capsys):
    arguments = ["stable.csv", "--horizon", "6000", "--json", "-o", "f.json", *LAW, *DECAY]
    record = json.loads(ok(arguments, capsys))
    assert record == json.loads(Path("f.json").read_text())
    assert [each["when"] for each in record["endings"]] == ["now", "later"]
    assert record["final"]["lower"] < record["final"]["loss"] < record["final"]["upper"]


def test_earlier_runs_and_a_saved_fit(here, capsys):
    both = ["cosine_peak3e-3_T4000.csv", "wsd-linear-0.2_peak3e-3_T4000.csv"]
    with_runs = [text for name in both for text in ("--with", name)]
    out = ok(["stable.csv", "--horizon", "6000", *LAW, *DECAY, *with_runs], capsys)
    assert "this run and 2 runs before it, fitted together (effective)" in out
    assert run(["fit", *both, *LAW, "-o", "fit.json"]) == 0
    capsys.readouterr()
    out = ok(["stable.csv", "--horizon", "6000", "--fit", "fit.json", *DECAY], capsys)
    assert "a saved fit of 2 runs, brought up to date by this run" in out
    error = refused(["stable.csv", "--horizon", "6000", "--fit", "fit.json", *with_runs], capsys)
    assert "--fit and --with are both given" in error
    error = refused(["stable.csv", "--horizon", "6000", "--fit", "fit.json", *LAW], capsys)
    assert "--law with --fit" in error


def test_what_is_to_be_trusted_stands_first(here, capsys):
    arguments = ["stable.csv", "--horizon", "6000", *DECAY]
    out = ok(arguments, capsys)
    assert out.startswith("assumed, not confirmed: no rate in these logs has fallen much")
    record = json.loads(ok([*arguments, "--json"], capsys))
    assert " ".join(out.split()).startswith(record["trust"]["sentence"])
    assert record["trust"]["refused"] is False


def test_new_data_is_said_of_a_fit_or_earlier_runs(here, capsys):
    both = ["cosine_peak3e-3_T4000.csv", "wsd-linear-0.2_peak3e-3_T4000.csv"]
    assert run(["fit", *both, "-o", "fit.json"]) == 0
    capsys.readouterr()
    arguments = ["stable.csv", "--horizon", "6000", "--json", *DECAY]
    known = [*arguments, "--fit", "fit.json"]
    one, other = (json.loads(ok([*known, *more], capsys)) for more in ([], ["--new-data"]))
    assert other["final"]["upper"] > one["final"]["upper"]
    assert "give a fit" in refused([*arguments, "--new-data"], capsys)
    question = ["--schedule", "constant:peak=3e-3,horizon=6000,warmup=100", "--every", "6000"]
    widths = []
    for more in ([], ["--new-data"]):
        assert run(["predict", "fit.json", *question, "--json", *more]) == 0
        record = json.loads(capsys.readouterr().out)
        widths.append(record["upper"][0] - record["lower"][0])
        assert run(["score", "fit.json", "stable.csv", "--all", "--json", *more]) == 0
        widths.append(json.loads(capsys.readouterr().out)["curves"][0]["half_width"])
    assert widths[2] > widths[0]
    assert widths[3] > widths[1]


def test_a_plan_gives_the_rates_of_a_log_without_them(here, capsys):
    rows = [line.split(",") for line in Path("stable.csv").read_text().splitlines()]
    Path("bare.csv").write_text("\n".join(f"{step},{loss}" for step, _, loss in rows) + "\n")
    assert "no learning-rate column" in refused(["bare.csv", "--horizon", "6000"], capsys)
    plan = "wsd:peak=3e-3,horizon=6000,warmup=100,weight_decay=0.1"
    out = ok(["bare.csv", "--schedule", plan, "--warmup", "100", *LAW, *DECAY], capsys)
    assert "plan to step 6,000" in out
    assert "the rest as in the plan given" in out


def test_the_plan_must_agree_with_the_log(here, capsys):
    error = refused(["stable.csv", "--schedule", "cosine:peak=3e-3,horizon=6000"], capsys)
    assert "the given schedule is not that of 'stable': at step" in error
    assert "furthest apart at step 3000" in error


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["stable.csv", "--decay-over", "0%"], "--decay-over '0'"),
        (["stable.csv", "--decay-over", "x%"], "whole numbers of updates or shares"),
        (["stable.csv", "--horizon", "2000"], "horizon 2000 is not beyond the log of 'stable'"),
        (["*.csv", "--horizon", "6000"], "3 runs (cosine_peak3e-3_T4000, stable, wsd"),
        (["nope.csv", "--horizon", "6000"], "nope.csv: no such file"),
        (["stable.csv", "--horizon", "6000", "--decay-over", "5,x"], "--decay-over 'x'"),
        (["stable.csv", "--horizon", "6000", "--decay-over", ","], "expected whole numbers"),
        (["stable.csv", "--horizon", "6000", "--decay-over", "1.5"], "--decay-over '1.5'"),
        (["stable.csv", "--horizon", "6000", "--every", "0"], "--every 0"),
        (["stable.csv", "--horizon", "6000", "--with", "stable.csv"], "name only other runs"),
        (["stable.csv", "--horizon", "6000", "--fit", "stable.csv"], "stable.csv"),
        (["-", "--horizon", "6000", "--follow"], "--follow needs a file"),
        (["stable.csv", "--horizon", "6000", "-o", "no/f.json"], "the folder no does not exist"),
    ],
)
def test_bad_input_is_refused_in_one_line(here, capsys, arguments, words):
    assert words in refused(arguments, capsys)


def test_the_help_page_shows_the_reading_options(capsys):
    out = ok(["--help"], capsys)
    for option in ("--horizon", "--decay-over", "--follow", "--warmup", "--lr-is", "--fit"):
        assert option in out


class Trainer:
    """Writes the log between two looks; ends the command when it has nothing left to do."""

    def __init__(self, *scenes):
        self.scenes = list(scenes)

    def __call__(self, seconds):
        if not self.scenes:
            raise KeyboardInterrupt
        self.scenes.pop(0)()


def following(monkeypatch, capsys, *scenes, horizon="6000", more=()):
    monkeypatch.setattr(follow.time, "sleep", Trainer(*scenes))
    status = run(["forecast", "log.csv", "--horizon", horizon, "--follow", *LAW, *DECAY, *more])
    captured = capsys.readouterr()
    return status, captured.out.splitlines(), captured.err.splitlines()


@pytest.fixture
def rows(here):
    lines = Path("stable_rows.txt").read_text().splitlines(keepends=True)

    def write(count, cut=""):
        Path("log.csv").write_text("".join(lines[: count + 1]) + cut)

    write.lines = lines
    write(40)
    return write


def test_follow_prints_a_line_an_update_until_ctrl_c(rows, monkeypatch, capsys):
    status, out, err = following(
        monkeypatch, capsys, lambda: rows(50), lambda: None, lambda: rows(60)
    )
    assert status == 130
    assert err == ["losslaw: interrupted"]
    assert out[0].startswith("log: the rate stays at 0.003")
    assert out[1].split() == ["time", "step", "loss", "forecast", "interval", "band"]
    assert [line.split()[1] for line in out[2:]] == ["1,000", "1,250", "1,500"]
    assert all(re.match(r"\d\d:\d\d:\d\d  ", line) for line in out[2:])


def test_follow_says_what_is_to_be_trusted_when_that_changes(rows, monkeypatch, capsys):
    monkeypatch.setattr(follow.time, "sleep", Trainer(lambda: rows(50)))
    run(["forecast", "log.csv", "--horizon", "6000", "--follow", *DECAY])
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("assumed, not confirmed: ")
    assert [line.split()[1] for line in out[3:]] == ["1,000", "1,250"]


def test_follow_never_reads_a_half_written_line(rows, monkeypatch, capsys):
    """Cut inside its loss a row would still be three numbers, and the loss another one."""
    half = rows.lines[51][:-4]
    assert half.count(",") == 2
    status, out, err = following(
        monkeypatch, capsys, lambda: rows(50, half), lambda: rows(52), more=["--json"]
    )
    records = [json.loads(line) for line in out]
    assert [record["step"] for record in records] == [1000, 1250, 1300]
    seen = [float(line.split(",")[2]) for line in rows.lines[48:51]]
    assert records[1]["loss"] == pytest.approx(sum(seen) / 3)
    assert set(records[0]) > {"time", "step", "final", "band", "endings"}
    assert (status, err) == (130, ["losslaw: interrupted"])


def test_follow_survives_a_log_that_is_away_or_begun_again(rows, monkeypatch, capsys):
    status, out, err = following(
        monkeypatch,
        capsys,
        lambda: Path("log.csv").unlink(),
        lambda: None,
        lambda: rows(2),
        lambda: rows(20),
        lambda: rows(44),
    )
    assert status == 130
    assert [line.split()[1] for line in out[2:]] == ["1,000", "500", "1,100"]
    assert err[0] == "losslaw: waiting: log.csv: no such file"
    assert any("went back from step 1000" in line for line in err)
    assert any("too short for a forecast" in line for line in err)
    assert err.count("losslaw: waiting: log.csv: no such file") == 1


def test_follow_waits_for_enough_of_a_log(rows, monkeypatch, capsys):
    rows(3)
    status, out, err = following(monkeypatch, capsys, lambda: rows(30))
    assert status == 130
    assert [line.split()[1] for line in out[2:]] == ["750"]
    assert "possible from about step" in err[0]


def test_follow_without_a_horizon_follows_a_decay_now(rows, monkeypatch, capsys):
    monkeypatch.setattr(follow.time, "sleep", Trainer(lambda: rows(50)))
    assert run(["forecast", "log.csv", "--follow", *LAW, "--decay-over", "20%"]) == 130
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("log: not known: nothing says how long the run is to be")
    assert out[1] == "decay now: over 200 updates, 20% of those so far"
    assert out[2].split()[3:5] == ["decay", "now"]
    answers = [float(line.split()[3]) for line in out[3:]]
    seen = [float(line.split()[2]) for line in out[3:]]
    assert [line.split()[1] for line in out[3:]] == ["1,000", "1,250"]
    assert all(answer < loss - 0.05 for answer, loss in zip(answers, seen, strict=True))


def test_follow_stops_at_the_horizon(rows, monkeypatch, capsys):
    status, out, err = following(monkeypatch, capsys, lambda: rows(60), horizon="1500")
    assert (status, err) == (0, [])
    assert re.fullmatch(r"log has ended: loss \d\.\d{4} at step 1,500 of 1,500", out[-1])
    rows(59)  # the next row would be at 1500: it is waited for
    status, out, _ = following(monkeypatch, capsys, horizon="1500", more=["--json"])
    assert (status, json.loads(out[-1])["step"]) == (130, 1475)
    # The next one would be beyond 1490: none is.
    status, out, _ = following(monkeypatch, capsys, horizon="1490", more=["--json"])
    assert (status, json.loads(out[-1])["done"]) == (0, True)


def test_follow_keeps_each_forecast(rows, monkeypatch, capsys):
    following(monkeypatch, capsys, lambda: rows(50), more=["-o", "now.json"])
    assert json.loads(Path("now.json").read_text())["step"] == 1250


def test_follow_of_a_log_that_cannot_be_used_ends_at_once(here, monkeypatch, capsys):
    Path("log.csv").write_text("step,loss\n1,2\n2,3\n")
    status, out, err = following(monkeypatch, capsys)
    assert (status, out) == (2, [])
    assert "no learning-rate column" in err[0]
