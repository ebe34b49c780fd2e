"""`read_curves`: formats, names, facts, restarts, and what is said about each."""

import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from losslaw.curves import read_curves
from losslaw.curves.rows import clean_rows
from losslaw.errors import InputError
from losslaw.files import Table
from losslaw.logs.columns import find_columns
from losslaw.schedules import constant, wsd

ROWS = [(1, 0.1, 3.0), (2, 0.2, 2.5), (3, 0.2, 2.0)]


def write(path, text):
    path.write_text(text)
    return path


def read_text(tmp_path, text, **arguments):
    (curve,) = read_curves(write(tmp_path / "log.csv", text), **arguments)
    return curve


def said(curve, *words):
    return any(all(word in line for word in words) for line in curve.assumptions + curve.warnings)


# --- formats ---------------------------------------------------------------------------------

FORMATS = {
    "csv": "step,lr,loss\n1,0.1,3\n2,0.2,2.5\n3,0.2,2\n",
    "tsv": "step\tlr\tloss\n1\t0.1\t3\n2\t0.2\t2.5\n3\t0.2\t2\n",
    "semicolons": "step;lr;loss\n1;0.1;3\n2;0.2;2.5\n3;0.2;2\n",
    "json lines": "".join(
        json.dumps({"step": s, "lr": lr, "loss": loss}) + "\n" for s, lr, loss in ROWS
    ),
    "a JSON array": json.dumps([{"step": s, "lr": lr, "loss": loss} for s, lr, loss in ROWS]),
    "nested JSON lines": "".join(
        json.dumps({"step": s, "optim": {"lr": lr}, "train": {"loss": loss}}) + "\n"
        for s, lr, loss in ROWS
    ),
    "byte order mark": "\ufeffstep,lr,loss\n1,0.1,3\n2,0.2,2.5\n3,0.2,2\n",
    "windows line ends": "step,lr,loss\r\n1,0.1,3\r\n2,0.2,2.5\r\n3,0.2,2\r\n",
    "blanks, comments and quotes": "# a note\n\n step , lr , loss\n1, 0.1, 3\n#x\n2,.2,2.5\n"
    '3,"0.2",2\n',
    "columns in another order": "loss,lr,step,note\n3,0.1,1,\n2.5,0.2,2,\n2,0.2,3,\n",
    "floats for steps": "step,lr,loss\n1.0,0.1,3\n2e0,0.2,2.5\n3.0,0.2,2\n",
    "equal rows twice": "step,lr,loss\n1,0.1,3\n2,0.2,2.5\n2,0.2,2.5\n3,0.2,2\n",
    "rate and loss on different rows": "step,lr,loss\n1,0.1,\n1,,3\n2,,2.5\n2,0.2,\n3,0.2,\n3,,2\n",
    "sparse JSON lines": '{"step":1,"lr":0.1}\n{"step":1,"loss":3}\n'
    '{"step":2,"lr":0.2,"loss":2.5}\n'
    '{"step":3,"lr":null,"loss":2}\n{"step":3,"lr":0.2}\n',
    "rows with neither": "step,lr,loss,val\n1,0.1,3,\n2,0.2,2.5,\n2,,,9\n3,0.2,2,\n",
}


@pytest.mark.parametrize("name", FORMATS)
def test_one_run_in_many_formats(name, tmp_path):
    path = tmp_path / "log.csv"
    path.write_bytes(FORMATS[name].encode())
    (curve,) = read_curves(path)
    assert curve.label == "log"
    assert_array_equal(curve.steps, [1, 2, 3])
    assert_array_equal(curve.loss, [3, 2.5, 2])
    assert_array_equal(curve.schedule.lr, [0.1, 0.2, 0.2])
    assert curve.warnings == ()


@pytest.mark.parametrize(
    "header",
    [
        "iter,learning_rate,train_loss",
        "Iteration,LR,Loss",
        "global_step,learning rate,train/loss",
        "_step,train/lr,val_loss",
        "trainer/global_step,lr-AdamW,val/loss",
        "updates,optim/LR (group 0),train/CE loss",
    ],
)
def test_the_names_that_trainers_use(header, tmp_path):
    curve = read_text(tmp_path, header + "\n1,0.1,3\n2,0.2,2.5\n3,0.2,2\n")
    assert_array_equal(curve.loss, [3, 2.5, 2])
    assert_array_equal(curve.schedule.lr, [0.1, 0.2, 0.2])


def test_of_several_losses_the_first_is_taken_and_said(tmp_path):
    text = "step,lr,val_loss,train_loss\n1,1,9,3\n2,1,9,2\n"
    curve = read_text(tmp_path, text)
    assert_array_equal(curve.loss, [3, 2])
    assert said(curve, "loss is column 'train_loss', not 'val_loss'")
    assert_array_equal(read_text(tmp_path, text, loss_column="val_loss").loss, [9, 9])


def test_a_named_rate_column(tmp_path):
    text = "step,lr,eta,loss\n1,1,0.5,3\n2,1,0.5,2\n"
    assert read_text(tmp_path, text, lr_column="eta").schedule.peak_lr == 0.5


def test_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(FORMATS["csv"]))
    (curve,) = read_curves("-")
    assert curve.label == "stdin"


def test_curves_come_in_the_order_asked_and_patterns_in_order_of_names(tmp_path):
    for name in ("b", "a", "c[1]"):
        write(tmp_path / f"{name}.csv", FORMATS["csv"])
    labels = [c.label for c in read_curves([tmp_path / "c[1].csv", f"{tmp_path}/[ab].csv"])]
    assert labels == ["c[1]", "a", "b"]


# --- facts -----------------------------------------------------------------------------------


def test_arguments_before_comments_before_the_sidecar(tmp_path):
    write(tmp_path / "log.csv", "# batch: 8\n# warmup: 2\n" + FORMATS["csv"])
    meta = {"warmup_steps": 3, "batch": 99, "weight_decay": 0.1, "params": 124e6, "colour": "red"}
    write(tmp_path / "meta.json", json.dumps({"runs": {"log": meta}}))
    (curve,) = read_curves(tmp_path / "log.csv", batch=4)
    assert_array_equal(curve.schedule.batch, [4, 4, 4])
    assert curve.schedule.warmup == 2
    assert_array_equal(curve.schedule.weight_decay, [0.1, 0.1, 0.1])
    assert curve.model_size == 124e6


@pytest.mark.parametrize(
    ("said", "comment", "sidecar", "optimizer", "sentence"),
    [
        (None, None, None, None, None),
        ("Muon", "adamw", "sgd", "muon", "the optimiser is muon (said)"),
        (None, "adamw_torch", "sgd", "adamw", "adamw (found in the log: 'adamw_torch')"),
        (None, None, "sgd", "sgd", "the optimiser is sgd (said)"),
        (None, "dion", None, "other", "is other: 'dion' (found in the log) is none of adamw,"),
        (None, None, "dion", "other", "is other: 'dion' (said) is none of"),
    ],
)
def test_the_optimiser_is_said_or_found(tmp_path, said, comment, sidecar, optimizer, sentence):
    if sidecar:
        meta = {"model": {"optimizer": sidecar}, "runs": {"log": {"seed": 1}}}
        write(tmp_path / "meta.json", json.dumps(meta))
    first = f"# optimizer: {comment}\n" if comment else ""
    curve = read_text(tmp_path, first + FORMATS["csv"], optimizer=said)
    assert curve.optimizer == optimizer
    assert curve.until(2).optimizer == optimizer
    told = [text for text in curve.assumptions if "optimiser" in text]
    assert len(told) == (sentence is not None)
    assert (sentence or "") in "".join(told)


def test_the_optimiser_may_be_in_the_name_of_a_rate(tmp_path):
    (tmp_path / "log.csv").write_text("step,lr-AdamW,lr-Muon,loss\n1,1e-3,1e-2,3\n2,1e-3,1e-2,2\n")
    (curve,) = read_curves(tmp_path / "log.csv")
    assert curve.optimizer == "muon"


def test_an_optimiser_that_is_none_is_refused(tmp_path):
    with pytest.raises(InputError, match="optimizer is 'sdg', expected one of adamw, adam"):
        read_text(tmp_path, FORMATS["csv"], optimizer="sdg")


def test_what_nobody_says_is_not_known(tmp_path):
    curve = read_text(tmp_path, FORMATS["csv"])
    assert curve.schedule.batch is None
    assert curve.schedule.weight_decay is None
    assert curve.model_size is None


def test_tokens_and_sequence_length_give_the_batch(tmp_path):
    curve = read_text(
        tmp_path, "# tokens_per_update: 2048\n# sequence_length: 128\n" + FORMATS["csv"]
    )
    assert_array_equal(curve.schedule.batch, [16, 16, 16])
    assert_array_equal(curve.schedule.tokens, [2048, 4096, 6144])


def test_a_logged_batch_holds_up_to_the_row_it_is_logged_at(tmp_path):
    text = "step,lr,loss,batch_size\n2,1,3,8\n4,1,2,16\n5,1,2,\n"
    curve = read_text(tmp_path, text, warmup=0)
    assert_array_equal(curve.schedule.batch, [8, 8, 16, 16, 16])


# --- which update a rate belongs to ----------------------------------------------------------


def test_used_and_next_differ_by_one_update(tmp_path):
    text = "step,lr,loss\n1,0.1,3\n2,0.2,2.5\n3,0.3,2\n4,0.3,1.9\n"
    used = read_text(tmp_path, text, lr_is="used")
    following = read_text(tmp_path, text, lr_is="next")
    assert_array_equal(used.schedule.lr, [0.1, 0.2, 0.3, 0.3])
    assert_array_equal(following.schedule.lr[1:], [0.1, 0.2, 0.3])
    assert not said(used, "logged rate is that of")
    assert said(read_text(tmp_path, text), "the update just done")


def test_a_rate_at_step_0_can_only_be_the_next_one(tmp_path):
    curve = read_text(tmp_path, "step,lr,loss\n0,0.1,9\n1,0.2,3\n2,0.2,2\n")
    assert_array_equal(curve.schedule.lr, [0.1, 0.2])
    assert_array_equal(curve.steps, [1, 2])
    assert said(curve, "next update", "step 0")
    assert said(curve, "loss at step 0", "left out")


def test_a_zero_rate_at_step_0_is_where_the_warm_up_comes_from(tmp_path):
    curve = read_text(tmp_path, "step,lr,loss\n0,0,9\n2,0.2,3\n4,0.4,2\n6,0.4,2\n")
    np.testing.assert_allclose(curve.schedule.lr, [0.1, 0.2, 0.3, 0.4, 0.4, 0.4])
    assert curve.schedule.warmup == 4


def test_losses_after_the_last_rate_are_said(tmp_path):
    curve = read_text(tmp_path, "step,lr,loss\n1,1,3\n2,1,3\n9,,2\n")
    assert curve.schedule.horizon == 9
    assert said(curve, "last rate is logged at step 2", "constant up to 9")


def test_a_given_schedule_stands_in_for_the_rates(tmp_path):
    schedule = wsd(peak=1.0, horizon=10, warmup=2, batch=4.0)
    curve = read_text(tmp_path, "step,loss\n5,3\n10,2\n", schedule=schedule, weight_decay=0.1)
    assert_array_equal(curve.schedule.lr, schedule.lr)
    assert_array_equal(curve.schedule.batch, schedule.batch)
    assert curve.schedule.weight_decay is not None
    text = "wsd:peak=1,horizon=10,warmup=2"
    curve = read_text(tmp_path, FORMATS["csv"], schedule=text)
    assert_array_equal(curve.schedule.lr, schedule.lr)
    assert curve.schedule.spec == text
    assert said(curve, "given schedule, not the log's")


# --- restarts, repeats, nan, gaps ------------------------------------------------------------


def test_a_restart_supersedes_what_it_logs_again(tmp_path):
    text = "step,lr,loss\n1,1,5\n2,1,4\n3,1,9\n4,1,9\n2,1,4.1\n3,1,3\n5,1,2\n"
    curve = read_text(tmp_path, text)
    assert_array_equal(curve.steps, [1, 2, 3, 5])
    assert_array_equal(curve.loss, [5, 4.1, 3, 2])
    assert said(curve, "restarted once", "3 rows are superseded")


def test_a_restart_that_repeats_a_row_exactly(tmp_path):
    text = "step,lr,loss\n1,1,5\n2,1,4\n3,1,9\n4,1,9\n2,1,4\n3,1,3\n5,1,2\n"
    curve = read_text(tmp_path, text)
    assert_array_equal(curve.loss, [5, 4, 3, 2])
    assert said(curve, "restarted once", "2 rows are superseded")


def test_two_restarts(tmp_path):
    text = "step,lr,loss\n1,1,5\n2,1,9\n2,1,8\n3,1,8\n2,1,4\n3,1,3\n3,1,2.9\n"
    curve = read_text(tmp_path, text)
    assert_array_equal(curve.loss, [5, 4, 2.9])
    assert said(curve, "restarted once", "2 rows")
    assert said(curve, "2 rows repeat a step with other values")


def test_nan_can_be_left_out_but_not_in_silence(tmp_path):
    curve = read_text(tmp_path, "step,lr,loss\n1,1,3\n2,1,nan\n3,1,2\n4,1,-inf\n", on_nan="drop")
    assert_array_equal(curve.steps, [1, 3])
    assert curve.schedule.horizon == 4
    assert said(curve, "2 values of 'loss'", "left out")


def test_an_empty_cell_is_no_nan(tmp_path):
    curve = read_text(tmp_path, "step,lr,loss\n1,1,3\n2,,2.5\n3,1,\n4,1,2\n")
    assert_array_equal(curve.steps, [1, 2, 4])
    assert curve.warnings == ()


def test_a_gap_is_said(tmp_path):
    steps = [*range(10, 110, 10), 900, 910]
    text = "step,lr,loss\n" + "".join(f"{s},1,2\n" for s in steps)
    curve = read_text(tmp_path, text, warmup=0)
    assert said(curve, "no loss between steps 100 and 900", "every 10 steps")


def table_of(steps, losses):
    columns = {
        "step": [str(s) for s in steps],
        "lr": ["1"] * len(steps),
        "loss": [repr(x) for x in losses],
    }
    return Table("made up", columns, list(range(2, 2 + len(steps))))


@given(st.lists(st.integers(1, 8), min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_after_any_restarts_each_step_has_its_last_loss(lengths, random):
    """Runs that each go on from a step of the last one: the merged log is the final truth."""
    steps: list[int] = []
    losses: list[float] = []
    truth: dict[int, float] = {}
    at = 1
    for attempt, length in enumerate(lengths):
        for step in range(at, at + length):
            truth = {s: x for s, x in truth.items() if s < step} | {step: attempt + step / 100 + 1}
            steps.append(step)
            losses.append(truth[step])
        at = random.randint(1, max(truth))
    table = table_of(steps, losses)
    rows = clean_rows(table, find_columns(table))
    # An attempt that begins where the last one ended only repeats that step: later wins as well.
    assert_array_equal(rows.steps, sorted(truth))
    assert_array_equal(rows.loss, [truth[s] for s in sorted(truth)])


@given(st.lists(st.floats(1e-6, 1.0), min_size=2, max_size=30), st.integers(0, 2**32))
def test_rows_of_a_step_in_any_split_are_one_row(rates, seed):
    """Rate and loss of a step on one row or two, in either order, make the same rows."""
    rng = np.random.default_rng(seed)
    step, lr, loss = [], [], []
    for k, rate in enumerate(rates, start=1):
        split = rng.integers(3)
        cells = [(repr(rate), "2.0")] if split == 0 else [(repr(rate), None), (None, "2.0")]
        for first, second in cells[:: -1 if split == 2 else 1]:
            step.append(str(k))
            lr.append(first)
            loss.append(second)
    table = Table("made up", {"step": step, "lr": lr, "loss": loss}, list(range(len(step))))
    rows = clean_rows(table, find_columns(table))
    assert_array_equal(rows.lr, rates)
    assert rows.warnings == ()


def test_a_curve_of_a_constant_run_is_that_of_the_family(tmp_path):
    schedule = constant(peak=0.3, horizon=40, warmup=4)
    text = "step,lr,loss\n" + "".join(f"{k},{schedule.lr[k - 1]},2\n" for k in range(1, 41))
    assert read_text(tmp_path, text).schedule == schedule


# --- what people say against what is usual -----------------------------------------------------

HISTORY = [
    {"step": k, "learning_rate": 1e-3 * (1 - k / 400), "loss": 3.0} for k in range(20, 401, 20)
]


@pytest.mark.parametrize("how", ["argument", "sidecar"])
def test_what_is_said_of_the_rates_wins_and_the_evidence_against_it_is_a_warning(tmp_path, how):
    """The line is that of the next update, as is usual in such logs too."""
    write(tmp_path / "run.json", json.dumps({"log_history": HISTORY, "max_steps": 400}))
    if how == "sidecar":
        write(tmp_path / "meta.json", '{"runs": {"run": {"lr_is": "used"}}}')
    given = {"lr_is": "used"} if how == "argument" else {}
    (curve,) = read_curves(tmp_path / "run.json", warmup=0, **given)
    assert curve.origin.lr_is == "used"
    assert curve.schedule.lr[19] == pytest.approx(1e-3 * (1 - 20 / 400))
    assert said(curve, "lr_is used, as declared, overrules")
    assert any("by the arithmetic of all rates it would be" in line for line in curve.warnings)
    assert not said(curve, "is that of the next update, as in")


def test_a_comment_wins_over_arithmetic(tmp_path):
    rows = "".join(f"{r['step']},{r['learning_rate']},3\n" for r in HISTORY)
    text = f"# lr_is: used\n# warmup: 0\nstep,lr,loss\n{rows}"
    curve = read_text(tmp_path, text)
    assert curve.origin.lr_is == "used"


def test_a_sidecar_says_what_a_loss_is(tmp_path):
    write(tmp_path / "run.json", json.dumps({"log_history": HISTORY, "max_steps": 400}))
    write(tmp_path / "meta.json", '{"runs": {"run": {"loss_is": "instant"}}}')
    (curve,) = read_curves(tmp_path / "run.json", warmup=0)
    assert curve.loss_is == "instant"
    assert said(curve, "a logged loss is that of one update, as declared")


def test_the_optimiser_of_a_sidecar_has_three_names(tmp_path):
    for name in ("optimizer", "optim", "opt"):
        write(tmp_path / "meta.json", json.dumps({"runs": {"log": {name: "AdamW"}}}))
        assert read_text(tmp_path, FORMATS["csv"]).optimizer == "adamw"


@pytest.mark.parametrize(
    ("entry", "warmup"),
    [
        ({"warmup": 30, "unit": "samples", "batch_sequences": 16}, 2),
        ({"warmup": 4000, "unit": "tokens", "tokens_per_update": 2000}, 2),
        ({"warmup": 2, "unit": "updates"}, 2),
    ],
)
def test_a_warm_up_may_count_samples_or_tokens(tmp_path, entry, warmup):
    write(tmp_path / "meta.json", json.dumps({"runs": {"log": entry}}))
    assert read_text(tmp_path, FORMATS["csv"]).schedule.warmup == warmup


def test_a_warm_up_in_samples_needs_the_batch(tmp_path):
    entry = {"warmup": 3906252, "unit": "samples"}
    write(tmp_path / "meta.json", json.dumps({"runs": {"log": entry}}))
    with pytest.raises(InputError, match="counts samples, and how many an update has is not said"):
        read_text(tmp_path, FORMATS["csv"])
    write(tmp_path / "meta.json", json.dumps({"runs": {"log": {"warmup": 3906252}}}))
    curve = read_text(tmp_path, FORMATS["csv"])
    assert any("if that counts samples or tokens" in line for line in curve.warnings)


@pytest.mark.parametrize(("given", "warmup"), [(0.05, 5), (5, 5), (0.001, 1)])
def test_a_warmup_may_be_a_share_of_the_run(given, warmup, tmp_path):
    text = "step,lr,loss\n" + "".join(f"{k},1e-3,3\n" for k in range(10, 101, 10))
    curve = read_text(tmp_path, text, warmup=given)
    assert curve.schedule.warmup == warmup
    planned = read_text(tmp_path, text.replace("1e-3,", ","), warmup=given, schedule=COSINE)
    assert planned.schedule.warmup == {0.05: 10}.get(given, warmup)


COSINE = "cosine:peak=1e-3,horizon=200,warmup=20"


def test_a_header_that_a_restart_wrote_again_is_no_row(tmp_path):
    once = "step,lr,loss\n10,1e-3,3\n20,1e-3,2.9\n30,1e-3,2.8\n"
    again = once + "step,lr,loss\n20,1e-3,2.95\n30,1e-3,2.85\n40,1e-3,2.8\n"
    curve = read_text(tmp_path, again)
    assert curve.steps.tolist() == [10, 20, 30, 40]
    assert curve.loss[1] == 2.95
    assert said(curve, "restarted once", "2 rows are superseded")


def test_decimal_commas_between_semicolons_are_read_and_said(tmp_path):
    text = "step;lr;loss\n10;1e-3;3,5\n20;0,001;2,95\n30;0,001;2,9"
    curve = read_text(tmp_path, text)
    assert curve.loss.tolist() == [3.5, 2.95, 2.9]
    assert "numbers have decimal commas: 0,5 is 0.5" in curve.assumptions
    with pytest.raises(InputError, match="4 cells, expected 3"):
        read_text(tmp_path, "step,lr,loss\n10,1e-3,3,5\n")


@pytest.mark.parametrize("name", ["ce_loss", "val_ce", "train/nll", "eval/ce_loss"])
def test_a_cross_entropy_is_a_loss(name, tmp_path):
    curve = read_text(tmp_path, f"step,lr,{name}\n10,1e-3,3\n20,1e-3,2\n")
    assert curve.loss.tolist() == [3, 2]
