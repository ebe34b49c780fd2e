"""Lines among others: every format survives what happens to text, and reads no half a number."""

import random
import time

import pytest
from helpers.printed_logs import LAST, PRINTED
from helpers.read_text import log_in, points

from losslaw.errors import InputError
from losslaw.logs import FORMATS, read_logs
from losslaw.logs.source import Source

FOREIGN = [
    "WARNING: NCCL timeout on rank 3 (step 12) | loss of connection: 5 | retry 3/10 |",
    "  0%|          | 0/8712 [00:00<?, ?it/s]",
    "Traceback (most recent call last):",
    "\x1b[32mloss\x1b[0m = \x1b[1m",
    "loss: nan | lr: nope | iteration | step: | s: | step:/ | iteration: / |",
    "",
]


@pytest.fixture(params=list(PRINTED))
def lines(request):
    return PRINTED[request.param]()


def all_points(log):
    return {name: points(log, name) for name in log.losses}


@pytest.mark.parametrize("name", PRINTED)
def test_each_is_claimed_by_its_own_format_first(tmp_path, name):
    path = tmp_path / "run.log"
    path.write_text("\n".join(PRINTED[name]()))
    first = next(each for each in FORMATS if each.claims(Source(path)))
    assert first.name == name.partition(" (")[0]


def test_colours_and_foreign_lines_change_nothing(tmp_path, lines):
    expected = all_points(log_in(tmp_path, lines))
    mixed = []
    for i, line in enumerate(lines):
        mixed += [f"\x1b[1;34m{line}\x1b[0m" if i % 3 else line, FOREIGN[i % len(FOREIGN)]]
    assert all_points(log_in(tmp_path, mixed)) == expected


def test_of_a_truncated_file_the_points_that_are_left_are_right(tmp_path, lines):
    expected = {name: dict(pairs) for name, pairs in all_points(log_in(tmp_path, lines)).items()}
    text = "\n".join(lines) + "\n"
    cuts = {len(text) * quarter // 4 for quarter in (1, 2, 3)}
    cuts |= set(range(len(text) // 2, len(text) // 2 + 300, 7))
    for cut in sorted(cuts):
        path = tmp_path / "cut.log"
        path.write_text(text[:cut])
        try:
            (log,) = read_logs(path)
        except InputError:
            continue
        for name, pairs in all_points(log).items():
            assert dict(pairs).items() <= expected[name].items()


def test_halves_and_mixtures_of_lines_give_no_wrong_points(tmp_path, lines):
    expected = all_points(log_in(tmp_path, lines))
    draw = random.Random(0)
    for _ in range(20):
        damaged = list(lines)
        for at in draw.sample(range(len(lines)), 4):
            line, other = damaged[at], draw.choice(lines)
            cut = draw.randrange(len(line) + 1)
            ways = [line[:cut], line[:cut] + other, line[:cut] + "\n" + other]
            # Where a step has several lines, the beginning of another one would be a new step.
            damaged[at] = line[:cut] if "[step=" in lines[1] else draw.choice(ways)
        try:
            log = log_in(tmp_path, damaged)
        except InputError:
            continue
        for name, pairs in all_points(log).items():
            # A step that two lines make together (37 and 23) is refused by its place among others.
            assert {pair for pair in pairs if pair[0] <= LAST} <= set(expected[name])


def test_long_lines_take_no_long_time(tmp_path, lines):
    begins = [line for line in lines if line.strip()][-3:]
    garbage = [line[: len(line) // 2] * 2000 + "x" * 1000 for line in begins]
    garbage += ["1" * 200_000, "iteration " * 20_000, " " * 200_000, "a=" * 100_000]
    started = time.perf_counter()
    log_in(tmp_path, [*lines, *garbage])
    assert time.perf_counter() - started < 5
