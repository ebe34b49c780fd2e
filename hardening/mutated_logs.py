"""Logs of every format with every kind of damage: what is read of them, and what is said.

Each log of the tests, and each real one that is at hand, is damaged in every way that
`hardening.mutations` has, from a seed, and read in a process of its own.

* *same*: all losses and rates that the clean log has, and no others;
* *fewer*: some of them;
* *refused*: nothing, and one line that says why;
* *said*: a number that the clean log does not have, and a sentence that it does not have either
  (superseded rows, lines that cannot be read);
* *fault*: any other error, more than 20 s of processor time or 1 GB of memory, a message that is
  not one line of at most 1,000 letters, or **a number that the clean log does not have, and nothing
  said**. A loss or rate is right if the clean log, or the log that was mixed with it, has it at
  that step, or the damage wrote the number itself. Where the damage gives numbers another meaning
  (bytes changed, columns that change names), they are not compared.
"""

import random
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hardening.clean_logs import CleanLog, of_the_tests, real
from hardening.mutations import MUTATIONS, Mutated
from hardening.reading import Points, Reading, all_points, close, read
from hardening.watched import Fault, Watched

KINDS = ("same", "fewer", "refused", "said", "fault")


@dataclass(frozen=True)
class Case:
    """A log and a kind of damage."""

    log: CleanLog
    damage: str

    def __str__(self) -> str:
        return f"{self.log.name}, {self.damage}"

    def mutated(self, seed: int, others: list[CleanLog]) -> Mutated:
        """The damaged log; each has a seed of its own."""
        return MUTATIONS[self.damage].apply(self.log, random.Random(f"{seed} {self}"), others)


def cases(logs: list[CleanLog]) -> list[Case]:
    """Every log with every damage that fits it."""
    return [
        Case(log, name)
        for log in logs
        for name, mutation in MUTATIONS.items()
        if (mutation.texts if log.is_text else mutation.bytes)
    ]


class Judge:
    """Tells what a reading is worth, by the clean logs."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._points: dict[str, Points] = {}
        self._clean: dict[str, Reading] = {}

    def write(self, log: CleanLog, content: bytes) -> Path:
        """The file that a log is in."""
        path = self.folder / log.file
        path.write_bytes(content)
        return path

    def points(self, log: CleanLog) -> Points:
        """All that may be read of a clean log."""
        if log.name not in self._points:
            self._points[log.name] = all_points(self.write(log, log.content))
        return self._points[log.name]

    def clean(self, log: CleanLog) -> Reading:
        """What is read of a clean log."""
        if log.name not in self._clean:
            self._clean[log.name] = read(self.write(log, log.content))
        return self._clean[log.name]

    def verdict(self, log: CleanLog, mutated: Mutated, found: Reading) -> tuple[str, str]:
        """The kind of a reading, and where it is a fault or said a sentence on it."""
        if found.refused:
            return "refused", found.refused
        clean = self.clean(log)
        if found.points == clean.points:
            return "same", ""
        right = self.points(log)
        if mutated.other is not None:
            right |= self.points(mutated.other)
        made = {close(number) for number in mutated.made}
        wrong = sorted(point for point in found.points - right if not made & {point[1], point[2]})
        if wrong and mutated.compared:
            news = found.said - clean.said
            what, step, value = wrong[0]
            shown = (
                f"{len(wrong)} numbers are wrong, such as a {what} of {value:g} at step {step:g}"
            )
            if news:
                return "said", f"{shown}; {'; '.join(sorted(news))[:300]}"
            return "fault", f"{shown}, and nothing is said"
        return "fewer", ""


def run(seed: int, tell: Callable[[str], None]) -> tuple[str, int]:
    """Read all; a table and how many faults there are."""
    logs = of_the_tests() + real()
    every = cases(logs)
    counts: dict[str, dict[str, Counter[str]]] = {
        "damage": defaultdict(Counter),
        "log": defaultdict(Counter),
    }
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        judge = Judge(Path(folder))
        reads = Watched(read)
        try:
            for i, case in enumerate(every, 1):
                mutated = case.mutated(seed, logs)
                try:
                    kind, why = judge.verdict(
                        case.log, mutated, reads(judge.write(case.log, mutated.content))
                    )
                except Fault as fault:
                    kind, why = "fault", str(fault)
                counts["damage"][case.damage][kind] += 1
                counts["log"][case.log.name][kind] += 1
                if kind == "fault":
                    faults.append(f"{case}: {why}")
                    tell(f"FAULT {faults[-1]}")
                if i % 100 == 0 or i == len(every):
                    tell(f"{i} of {len(every)} damaged logs, {len(faults)} faults")
        finally:
            reads.close()
    return page(counts, faults, len(every)), len(faults)


def page(counts: dict[str, dict[str, Counter[str]]], faults: list[str], total: int) -> str:
    """The tables, by damage and by log."""
    lines: list[str] = [f"{total} damaged logs, {len(faults)} faults.", ""]
    for what, each in counts.items():
        lines += [f"| {what} | cases | {' | '.join(KINDS)} |", "|---" * (len(KINDS) + 2) + "|"]
        rows = {**each, "**all**": sum(each.values(), Counter())}
        lines += [
            f"| {name} | {count.total()} | {' | '.join(str(count[kind]) for kind in KINDS)} |"
            for name, count in rows.items()
        ]
        lines.append("")
    return "\n".join([*lines, *(f"* {fault}" for fault in faults)]).rstrip() + "\n"
