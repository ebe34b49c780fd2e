"""Folders: the newest checkpoint of a run, all logs elsewhere, and what runs are called."""

import json
import shutil
from pathlib import Path

import pytest

from losslaw.cli.main import run
from losslaw.curves import read_curves
from losslaw.errors import InputError
from losslaw.logs import read_logs

TABLE = "step,lr,loss\n1,0.1,3\n2,0.1,2.5\n3,0.1,2\n"


def state(last, planned=100):
    history = [
        {"step": step, "learning_rate": 1e-3 * (1 - step / planned), "loss": 2 + 1 / step}
        for step in range(10, last + 1, 10)
    ]
    return json.dumps({"global_step": last, "log_history": history, "max_steps": planned})


def checkpoint(run, last, text=None):
    folder = run / f"checkpoint-{last}"
    folder.mkdir(parents=True)
    (folder / "trainer_state.json").write_text(state(last) if text is None else text)
    return folder


@pytest.fixture
def trained(tmp_path):
    made = tmp_path / "runs" / "first.v2"
    for last in (50, 90):
        checkpoint(made, last)
    (made / "config.json").write_text("{}")
    return made


def test_a_run_is_its_newest_checkpoint(trained):
    (curve,) = read_curves(trained)
    assert (curve.label, curve.steps[-1], curve.planned) == ("first.v2", 90, 100)
    (curve,) = read_curves(trained / "checkpoint-50")
    assert (curve.label, curve.steps[-1]) == ("first.v2", 50)
    (curve,) = read_curves(trained / "checkpoint-50" / "trainer_state.json")
    assert curve.label == "first.v2"


def test_the_state_at_the_end_counts_if_it_goes_as_far(trained):
    (trained / "trainer_state.json").write_text(state(100))
    assert read_curves(trained)[0].steps[-1] == 100
    (trained / "trainer_state.json").write_text(state(60))  # of a run that was continued
    assert read_curves(trained)[0].steps[-1] == 90


def test_a_checkpoint_that_is_being_written_gives_way_to_the_one_before(trained):
    checkpoint(trained, 95, state(95)[:200])
    assert read_curves(trained)[0].steps[-1] == 90


def test_of_any_other_folder_all_logs_are_read(trained):
    runs = trained.parent
    (runs / "table.csv").write_text(TABLE)
    (runs / "notes.txt").write_text("nothing to see\n")
    (runs / "picture.png").write_bytes(b"\x89PNG")
    (runs / "meta.json").write_text('{"runs": {"table": {"weight_decay": 0.1}}}')
    for name in ("a", "b"):
        (runs / name).mkdir()
        (runs / name / "run.csv").write_text(TABLE)
        (runs / name / "metrics.csv").write_text(TABLE)
    curves = {curve.label: curve for curve in read_curves(runs)}
    assert sorted(curves) == ["a", "a/run", "b", "b/run", "first.v2", "table"]
    assert curves["table"].schedule.weight_decay[0] == 0.1
    said = [text for text in curves["a"].assumptions if "left out, since they are no logs" in text]
    assert "notes.txt; the first: " in said[0]
    by_pattern = read_curves(f"{runs}/*/metrics.csv")
    assert [curve.label for curve in by_pattern] == ["a", "b"]


def test_a_folder_of_which_nothing_can_be_read(tmp_path):
    checkpoint(tmp_path, 10, "{")
    with pytest.raises(InputError, match=r"trainer_state\.json: damaged"):
        read_curves(tmp_path)


def test_the_forecast_of_a_folder_needs_no_horizon(trained, capsys):
    assert run(["forecast", str(trained), "--warmup", "0", "--skip", "0", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["horizon"] == 100
    (trained / "trainer_state.json").write_text(state(100))
    assert run(["forecast", str(trained), "--warmup", "0"]) == 0
    assert "the run has ended: 100 updates were planned" in capsys.readouterr().out


def test_what_was_recognised_is_shown(trained, capsys):
    assert run(["inspect", str(trained), "--warmup", "0"]) == 0
    assert "Logs\n  * Hugging Face trainer_state.json\n  * 100 up" in capsys.readouterr().out


DATA = Path(__file__).parent / "data"


def test_beside_event_files_other_logs_are_read_and_one_run_once(tmp_path):
    shutil.copy(
        DATA / "tensorboard" / "restarted" / "events.out.tfevents.1000000000.host.0", tmp_path
    )
    (only,) = read_logs(tmp_path)
    (tmp_path / "other.csv").write_text(TABLE)
    assert len(read_logs(tmp_path)) == 2
    cells = only.table.columns
    rows = zip(cells[only.columns.step], cells[only.columns.loss], strict=True)
    rows = [f"{step},0.1,{loss}\n" for step, loss in rows if loss]
    (tmp_path / "same.csv").write_text("step,lr,loss\n" + "".join(rows))
    formats = [log.format[:5] for log in read_logs(tmp_path)]
    assert formats == ["table", "table"]


def test_the_parts_of_reading_are_counted_to_the_end(tmp_path):
    for i in range(12):
        folder = tmp_path / f"run{i}" if i % 2 else tmp_path
        folder.mkdir(exist_ok=True)
        (folder / f"log{i}.csv").write_text(TABLE)
    (tmp_path / "notes.md").write_text("no log")
    told = []
    assert len(read_curves(tmp_path, progress=lambda *parts: told.append(parts))) == 12
    done, totals = zip(*told, strict=True)
    assert set(totals) == {2 * 13}
    assert list(done) == sorted(done)
    assert done[-1] == 26
    assert len(set(done)) > 20
