"""Files for trainers that cannot be installed here, against their formulas, written out anew.

What a trainer documents is written as a loop over its own count, in its own words; what a file
tells it is read out of the file, by a parser of YAML or by the shell.
"""

import math
import shutil
import subprocess
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from losslaw.exporting import prepare
from losslaw.schedules import Schedule, constant, cosine, cyclic, linear, wsd

N = 397
SCHEDULES = {
    "wsd": wsd(peak=3e-3, horizon=N, warmup=20, cooldown=0.2),
    "wsd cosine": wsd(peak=3e-3, horizon=N, warmup=3, cooldown=0.31, decay="cosine", final=2e-4),
    "1-sqrt": wsd(peak=3e-3, horizon=N, cooldown=0.2, decay="1-sqrt"),
    "cosine": cosine(peak=3e-3, horizon=N, warmup=20, final=3e-4),
    "linear": linear(peak=3e-3, horizon=N, warmup=1),
    "constant": constant(peak=3e-3, horizon=N, warmup=20),
    "cycles": cyclic(peak=3e-3, horizon=N, warmup=20),
}
each_schedule = pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
SIZES = np.repeat([8.0, 16.0, 48.0], [100, 200, N - 300])


def told_in_yaml(done):
    yaml = pytest.importorskip("yaml", reason="pyyaml is not installed")
    return yaml.safe_load(done.text)


def told_in_shell(done, tmp_path, **variables):
    if shutil.which("bash") is None:
        pytest.skip("no bash")
    (tmp_path / "schedule.sh").write_text(done.text)
    show = 'source ./schedule.sh && printf "%s\\n" "${SCHEDULE_ARGS[@]}"'
    words = subprocess.run(
        ["bash", "-c", show], cwd=tmp_path, capture_output=True, text=True, env=variables
    )
    assert words.returncode == 0, words.stderr
    lines = words.stdout.splitlines()
    return dict(zip(lines[::2], lines[1::2], strict=True))


@each_schedule
@pytest.mark.parametrize("target", ["nanogpt", "nanochat"])
def test_functions_of_the_updates_done(schedule, target):
    done = prepare(schedule.with_(batch=SIZES), target)
    assert done.exact
    assert "batch_size" in done.notes[0]
    scope = {}
    exec(done.text, scope)
    rates = [
        scope["get_lr"](it)
        if target == "nanogpt"
        else scope["PEAK"] * scope["get_lr_multiplier"](it)
        for it in range(N + 5)
    ]
    # The pieces are within 1e-6 of each rate; below 1 % of the peak, of that.
    wanted = [*schedule.lr, *[schedule.lr[-1]] * 5]
    assert_allclose(rates, wanted, rtol=1.01e-6, atol=1.01e-8 * 3e-3)
    assert [scope["batch_size"](it) for it in range(N)] == SIZES.tolist()


@each_schedule
def test_nanochats_own_schedule(schedule):
    near = prepare(schedule, "nanochat").nearest
    told = near.arguments
    count, warmup = told["--num-iterations"], told["--warmup-steps"]
    warmdown, final = round(told["--warmdown-ratio"] * count), told["--final-lr-frac"]
    rates = []
    for it in range(count):
        if it < warmup:
            rates.append((it + 1) / warmup)
        elif it <= count - warmdown:
            rates.append(1.0)
        else:
            part = (count - it) / warmdown
            rates.append(part + (1 - part) * final)
    assert_allclose(near.peak * np.array(rates), near.lr, rtol=1e-9, atol=1e-15)


@each_schedule
def test_levanter(schedule, monkeypatch):
    """The class, registered and built as Levanter does where there is no warm-up of its own."""
    pytest.importorskip("jax", reason="jax is not installed")
    import jax

    known = {}

    class LrSchedule:
        @staticmethod
        def register_subclass(name):
            return lambda made: known.setdefault(name, made)

    for name in ("levanter", "levanter.optim", "levanter.optim.config"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    sys.modules["levanter.optim.config"].LrSchedule = LrSchedule
    done = prepare(schedule.with_(batch=SIZES), "levanter")
    assert done.exact
    head = [line[2:] for line in done.text.splitlines() if line.startswith("#     ")]
    yaml = pytest.importorskip("yaml", reason="pyyaml is not installed")
    last = next(i for i, line in enumerate(head) if line.endswith("type: designed"))
    told = yaml.safe_load("\n".join(head[: last + 1]))
    assert told["trainer"]["num_train_steps"] == N
    assert told["optimizer"]["warmup"] == 0
    starts = {each["start"]: each["value"] for each in told["trainer"]["train_batch_size"]}
    assert starts == {0: 8, 100: 16, 300: 48}
    exec(done.text, {"__name__": "designed"})
    made = known[told["optimizer"]["lr_schedule"]["type"]]()
    rate = made.build(SimpleNamespace(learning_rate=told["optimizer"]["learning_rate"]))
    counts = np.arange(N + 5)
    rates = jax.jit(jax.vmap(rate))(counts)
    wanted = [*schedule.lr, *[schedule.lr[-1]] * 5]
    assert_allclose(rates, wanted, rtol=1.5e-6, atol=1.01e-8 * 3e-3)  # float32


@each_schedule
def test_levanters_own_schedules(schedule):
    near = prepare(schedule, "levanter").nearest
    told = near.arguments

    def steps(value):
        return int(value * N) if value <= 1 else int(value)

    warmup, decay = steps(told["warmup"]), steps(told["decay"])
    peak, low = told["learning_rate"], told["learning_rate"] * told["min_lr_ratio"]
    rates = []
    for count in range(N):
        if count < warmup:
            rates.append(peak * count / warmup)
            continue
        z = max(count - (N - decay), 0) / decay
        level = 1 - z if told["lr_schedule"] == "linear" else (1 + math.cos(math.pi * z)) / 2
        rates.append(low + (peak - low) * level)
    assert_allclose(rates, near.lr, rtol=1e-8, atol=1e-15)


@each_schedule
def test_maxtext(schedule):
    done = prepare(schedule, "maxtext")
    told = told_in_yaml(done)
    steps = told["learning_rate_schedule_steps"]
    assert steps == told["steps"] == N
    warmup = int(steps * told["warmup_steps_fraction"])
    peak = told["learning_rate"]
    low = peak * told["learning_rate_final_fraction"]
    kind = told["lr_schedule_type"]
    style = told.get("wsd_decay_style", "cosine")
    decay = int(steps * told["wsd_decay_steps_fraction"]) if kind == "wsd" else steps - warmup
    rates = []
    for step in range(steps):
        if step < warmup:
            rates.append(peak * step / warmup)
            continue
        inside = step - (steps - decay)
        if inside < 0:
            rates.append(peak)
            continue
        part = inside / (decay - 1)
        level = 1 - part if style == "linear" else (math.cos(math.pi * part) + 1) / 2
        rates.append(peak * level + low * (1 - level))
    assert_allclose(rates, done.nearest.lr, rtol=1e-8, atol=1e-15)
    if schedule is SCHEDULES["1-sqrt"]:
        assert "differs from the schedule by at most" in " ".join(done.text.split())


def test_maxtexts_shares_and_a_schedule_that_is_its_own():
    """Where the warm-up begins at 0 and the decay ends with the run it is exact."""
    lr = np.concatenate([np.arange(30) / 30, np.ones(287), np.linspace(1, 0.1, 80)]) * 2e-3
    done = prepare(Schedule(lr, warmup=30), "maxtext")
    assert done.exact
    told = told_in_yaml(done)
    assert (told["lr_schedule_type"], told["wsd_decay_style"]) == ("wsd", "linear")
    assert int(N * told["warmup_steps_fraction"]) == 30
    assert int(N * told["wsd_decay_steps_fraction"]) == 80


@each_schedule
@pytest.mark.parametrize("target", ["axolotl", "llamafactory"])
def test_yaml_of_the_trainer_of_transformers(schedule, target):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    done = prepare(schedule, target)
    told = told_in_yaml(done)
    name = told["lr_scheduler" if target == "axolotl" else "lr_scheduler_type"]
    assert isinstance(told["learning_rate"], float)
    assert target != "axolotl" or told["warmup_steps"] != 1  # it would make it 2
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=told["learning_rate"])
    kwargs = dict(told.get("lr_scheduler_kwargs", {}))
    total = None if "num_stable_steps" in kwargs else told["max_steps"]
    scheduler = transformers.get_scheduler(name, optimizer, told["warmup_steps"], total, kwargs)
    assert_allclose(Schedule.from_torch(scheduler, N).lr, done.nearest.lr, rtol=1e-6, atol=1e-9)


@each_schedule
def test_llmc(schedule, tmp_path):
    done = prepare(schedule, "llmc")
    told = told_in_shell(done, tmp_path)
    count, warmup = int(told["-x"]), int(told["-u"])
    peak, low = float(told["-l"]), float(told["-l"]) * float(told["-q"])
    start = {"wsd": int(np.float32(0.8) * np.float32(count))}.get(told["-k"], warmup)
    rates = []
    for step in range(count):
        if step < warmup:
            rates.append(peak * (step + 1) / warmup)
            continue
        z = max(step - start, 0) / (count - start)
        level = {
            "linear": 1 - z, "cosine": (1 + math.cos(math.pi * z)) / 2, "wsd": 1 - math.sqrt(z)
        }[told["-k"]]  # fmt: skip
        rates.append(low + level * (peak - low))
    assert_allclose(rates, done.nearest.lr, rtol=1e-8, atol=1e-15)
    assert done.exact == (schedule is SCHEDULES["constant"])


def of_megatron(told, sequence_length):
    """Batch size and rate of every update, as Megatron works them out of its arguments."""
    entries = [each.split(":") for each in told["--step-batch-size-schedule"].split()]
    table = sorted((int(float(tokens)) // sequence_length, int(size)) for tokens, size in entries)
    assert table[0][0] == 0
    peak, low = float(told["--lr"]), float(told["--min-lr"])
    first = float(told.get("--lr-warmup-init", 0))
    warmup, end = int(told["--lr-warmup-samples"]), int(told["--lr-decay-samples"])
    decay = int(told.get("--lr-wsd-decay-samples", 0))
    consumed, sizes, rates = 0, [], []
    while consumed < int(told["--train-samples"]):
        if warmup and consumed <= warmup:
            rates.append(first + (peak - first) * consumed / warmup)
        elif told["--lr-decay-style"] == "constant":
            rates.append(peak)
        elif consumed > end:
            rates.append(low)
        else:
            begun = end - decay if told["--lr-decay-style"] == "WSD" else warmup
            z = max(consumed - begun, 0) / (end - begun)
            shape = told.get("--lr-wsd-decay-style", told["--lr-decay-style"])
            level = {
                "linear": 1 - z,
                "cosine": (1 + math.cos(math.pi * z)) / 2,
                "minus_sqrt": 1 - math.sqrt(z),
                "exponential": 2 * 0.5**z - 1,
            }[shape]
            rates.append(low + (peak - low) * level)
        sizes.append([size for samples, size in table if consumed >= samples][-1])
        consumed += sizes[-1]
    return sizes, rates


@each_schedule
@pytest.mark.parametrize("known", [True, False], ids=["length known", "length open"])
def test_megatron_steps_its_batch_size_and_counts_samples(schedule, known, tmp_path):
    length = 2048
    given = schedule.with_(batch=SIZES, sequence_length=length if known else None)
    done = prepare(given, "megatron")
    told = told_in_shell(done, tmp_path, **({} if known else {"SEQ_LENGTH": str(length)}))
    assert "--global-batch-size" not in told
    sizes, rates = of_megatron(told, length)
    assert_array_equal(sizes, SIZES)
    assert_allclose(rates, done.nearest.lr, rtol=1e-8, atol=1e-15)


def test_megatron_finds_a_schedule_that_falls_with_samples(tmp_path):
    consumed = np.concatenate([[0.0], np.cumsum(SIZES)[:-1]])
    start, end = consumed[250], consumed[-1]
    lr = 1e-3 * np.minimum(1.0, (end - consumed) / (end - start))
    done = prepare(Schedule(lr, batch=SIZES), "megatron")
    assert done.exact
    assert done.nearest.arguments["--lr-wsd-decay-samples"] == end - start
    # Without the length of a sequence nothing is guessed.
    with pytest.raises(AssertionError, match="SEQ_LENGTH"):
        told_in_shell(done, tmp_path)


def test_megatron_says_what_of_a_batch_it_cannot_be_told():
    fractions = prepare(SCHEDULES["wsd"].with_(batch=SIZES + 0.25), "megatron")
    assert "rounded to whole sequences" in fractions.notes[0]
    many = constant(peak=1e-3, horizon=9000).with_(batch=np.arange(1.0, 9001.0))
    assert "changes 8,999 times and these arguments hold it" in prepare(many, "megatron").notes[0]


@pytest.mark.parametrize("target", ["maxtext", "axolotl", "llamafactory", "llmc", "nanochat",
                                    "nanogpt", "levanter", "megatron"])  # fmt: skip
@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_the_shortest_schedules_have_a_file(target, n):
    done = prepare(constant(peak=0.1, horizon=n), target)
    assert done.data
    if done.nearest is not None:
        assert np.isfinite(done.nearest.lr).all()
