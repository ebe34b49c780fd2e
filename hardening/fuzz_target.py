"""The process that a search by coverage runs in: ``python -m hardening.fuzz_target FOUND ...``.

Further arguments are libFuzzer's. The first byte of an input says what its file is called.
"""

import json
import random
import sys
import tempfile
import traceback
import warnings
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["losslaw.logs", "losslaw.files", "losslaw.curves"]):
    from hardening.clean_logs import FILES  # imports losslaw, too
    from hardening.reading import read


def changed(data: bytes, most: int, seed: int) -> bytes:
    """An input with bytes, numbers or lines changed."""
    rng = random.Random(seed)
    if rng.random() < 0.5 or len(data) < 3:
        return atheris.Mutate(data, most)
    lines = data[1:].splitlines(keepends=True)
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    kind = rng.randrange(4)
    if kind == 0:
        lines.insert(i, lines[j])
    elif kind == 1:
        lines[i] = lines[i][: rng.randrange(len(lines[i]) + 1)] + lines[j]
    elif kind == 2:
        del lines[i]
    else:
        words = lines[i].split(b" ")
        words[rng.randrange(len(words))] = rng.choice(
            (b"1e308", b"nan", b"-1", b"0", b"1_0", b'"', b"{", b"9" * 30, b"", b"1e-320", b"null")
        )
        lines[i] = b" ".join(words)
    return (data[:1] + b"".join(lines))[:most]


class Target:
    """Reads inputs, and keeps the first one of each place where a fault is met."""

    def __init__(self, found: Path):
        self.found = found
        self.folder = Path(tempfile.mkdtemp())
        self.faults: dict[str, str] = {}
        self.count = 0

    def __call__(self, data: bytes) -> None:
        """Read one input."""
        self.count += 1
        if self.count % 100 == 0:
            self.say()
        path = self.folder / FILES[data[0] % len(FILES) if data else 0]
        path.write_bytes(data[1:])
        try:
            read(path)
        except Exception as error:
            places = traceback.extract_tb(error.__traceback__)
            place = ([each for each in places if "/losslaw/" in each.filename] or places)[-1]
            name = f"{place.filename.rpartition('/losslaw/')[2]}:{place.lineno}"
            if name not in self.faults:
                said = " ".join(str(error).split())[:200]
                self.faults[name] = f"{type(error).__name__} at {name}: {said}"
                (self.found / f"fault-{len(self.faults)}-{path.name}").write_bytes(data[1:])
                self.say()

    def say(self) -> None:
        """Write down what was found so far."""
        said = {"executions": self.count, "faults": list(self.faults.values())}
        (self.found / "said.json").write_text(json.dumps(said))


if __name__ == "__main__":
    warnings.simplefilter("error")
    target = Target(Path(sys.argv[1]))
    atheris.Setup([sys.argv[0], *sys.argv[2:]], target, custom_mutator=changed)
    atheris.Fuzz()
