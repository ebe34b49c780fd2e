"""What accidents, other programs and enemies do to a log, each by its name.

A mutation gets a log and a seeded generator. It says which numbers it wrote itself, and whether it
changed the meaning of others (columns that change their names): those are not compared with the
clean log.
"""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from hardening.clean_logs import CleanLog

Random = random.Random

NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w.])")
EXTREME = ("1e308", "1e300", "-1e300", "1e-300", "5e-324", "1e30", "-3.5", "1e-30", "0", "-0.0")
NOT_FINITE = ("nan", "NaN", "inf", "-inf", "Infinity", "null", "None", "")
FOREIGN = (
    "WARNING: something {else} happened, step 12 of 9: loss was 1.5, lr 3e-4",
    'Traceback (most recent call last):\n  File "train.py", line 7, in <module>\nValueError: 3',
    "  7%|\u258b         | 35/500 [00:12<02:46,  2.79it/s]\r",
    "| 0  NVIDIA A100-SXM4-80GB | 00000000:07:00.0 Off | 73C  P0 | 39811MiB / 81920MiB |",
    "{'loss': nan, 'learning_rate': inf}",
    '{"epoch": 1, "loss": [1, 2], "num_updates": {}, "lr": null}',
    "\ufffd\x07;;;,,,|||",
    "step,lr,loss",
    "# lr_is: sometimes",
    "7",
    "[1, 2, 3]",
    "[rank1]: loss: 7.7 step: 12",
    "iteration 9/ 10",
    "=" * 100,
)


@dataclass(frozen=True)
class Mutated:
    """A damaged log.

    Attributes:
        content: What is in its file.
        made: Numbers that the mutation wrote.
        other: A further log whose numbers may be read.
        compared: Whether numbers mean what they meant.
    """

    content: bytes
    made: frozenset[float] = frozenset()
    other: CleanLog | None = None
    compared: bool = True


@dataclass(frozen=True)
class Mutation:
    """A kind of damage.

    Attributes:
        apply: Damages a log; the third argument are the other logs.
        texts, bytes: Whether it is for logs of text, and for others.
    """

    apply: Callable[[CleanLog, Random, list[CleanLog]], Mutated]
    texts: bool = True
    bytes: bool = False


MUTATIONS: dict[str, Mutation] = {}


def mutation(name: str, texts: bool = True, bytes: bool = False):
    """Register a function under the name that tables have for it."""

    def register(apply):
        def whole(log: CleanLog, rng: Random, others: list[CleanLog]) -> Mutated:
            made = apply(log.content if bytes else log.content.decode(), rng, log, others)
            if isinstance(made, Mutated):
                return made
            return encoded(made) if isinstance(made, str) else Mutated(made)

        MUTATIONS[name] = Mutation(whole, texts, bytes)
        return apply

    return register


def encoded(text: str, **more) -> Mutated:
    """A damaged text."""
    return Mutated(text.encode("utf-8", "replace"), **more)


# Bytes of any log


@mutation("cut off at a byte", bytes=True)
def _cut(content, rng, log, others):
    return content[: rng.randrange(1, len(content))]


@mutation("a piece is missing", bytes=True)
def _missing(content, rng, log, others):
    at = rng.randrange(len(content))
    # What stands on both sides of a hole may join to another number.
    return Mutated(content[:at] + content[at + rng.randrange(1, 400) :], compared=False)


@mutation("a piece again (restart)", bytes=True)
def _again(content, rng, log, others):
    at = rng.randrange(len(content))
    end = at + rng.randrange(1, 4000)
    if log.is_text:
        at = content.rfind(b"\n", 0, at) + 1
        end = content.find(b"\n", end) + 1 or len(content)
    return content[:end] + content[at:]


@mutation("bytes changed", bytes=True)
def _changed(content, rng, log, others):
    damaged = bytearray(content)
    for _ in range(rng.choice((1, 3, 30))):
        damaged[rng.randrange(len(damaged))] = rng.randrange(256)
    return Mutated(bytes(damaged), compared=False)


@mutation("garbage put in", bytes=True)
def _garbage(content, rng, log, others):
    damaged = content
    for _ in range(rng.choice((1, 5))):
        at = rng.randrange(len(damaged))
        piece = rng.choice((rng.randbytes(40), b"\xff" * 9, b"\xfe\xff\0", b"\x1b[3\x07", b"\xc3"))
        damaged = damaged[:at] + piece + damaged[at:]
    return Mutated(damaged, compared=False)


@mutation("zeros put in", bytes=True)
def _zeros(content, rng, log, others):
    at = rng.randrange(len(content) + 1)
    return Mutated(content[:at] + b"\0" * rng.choice((1, 40, 5000)) + content[at:], compared=False)


@mutation("lengths damaged", texts=False, bytes=True)
def _lengths(content, rng, log, others):
    damaged = bytearray(content)
    for _ in range(rng.choice((1, 4))):
        at = rng.randrange(len(damaged) - 9)
        damaged[at : at + rng.randrange(1, 9)] = rng.choice((b"\xff" * 9, b"\x80" * 9, b"\x7f" * 4))
    return Mutated(bytes(damaged), compared=False)


@mutation("the head of another log", texts=False, bytes=True)
def _other_head(content, rng, log, others):
    other = rng.choice(others)
    return Mutated(other.content[: rng.randrange(64)] + content[64:], compared=False)


@mutation("pages moved", texts=False, bytes=True)
def _pages(content, rng, log, others):
    pages = [content[at : at + 1024] for at in range(0, len(content), 1024)]
    i, j = rng.randrange(len(pages)), rng.randrange(len(pages))
    pages[i], pages[j] = pages[j], pages[i]
    return Mutated(b"".join(pages), compared=False)


@mutation("UTF-16", bytes=True)
def _utf16(content, rng, log, others):
    if not log.is_text:
        return content + b"\xff\xfe"
    return content.decode().encode(rng.choice(("utf-16", "utf-16-le")))


@mutation("BOM", bytes=True)
def _bom(content, rng, log, others):
    return b"\xef\xbb\xbf" * rng.choice((1, 2)) + content


# Lines of a text


def by_lines(change):
    """A mutation of the lines of a text, each with its end."""

    def whole(text, rng, log, others):
        lines = text.splitlines(keepends=True)
        made = change(lines, rng, log, others)
        return made if isinstance(made, Mutated) else encoded("".join(made))

    return whole


@mutation("half lines")
@by_lines
def _half(lines, rng, log, others):
    return [
        line[: rng.randrange(len(line))] + "\n" if rng.random() < 0.1 and len(line) > 1 else line
        for line in lines
    ]


@mutation("two lines written at once")
@by_lines
def _at_once(lines, rng, log, others):
    for _ in range(3):
        i = rng.randrange(len(lines))
        line, other = lines[i].rstrip("\n"), rng.choice(lines)
        at = rng.randrange(len(line) + 1)
        lines[i] = line[:at] + other.rstrip("\n") + line[at:] + "\n"
    return lines


@mutation("line ends lost")
@by_lines
def _joined(lines, rng, log, others):
    return [line.rstrip("\n") if rng.random() < 0.1 else line for line in lines]


@mutation("foreign lines between")
@by_lines
def _foreign(lines, rng, log, others):
    for _ in range(rng.choice((1, 8))):
        lines.insert(rng.randrange(len(lines) + 1), rng.choice(FOREIGN) + "\n")
    return lines


@mutation("another log between")
@by_lines
def _another(lines, rng, log, others):
    other = rng.choice([each for each in others if each.is_text])
    more = other.content.decode().splitlines(keepends=True)
    made: list[str] = []
    while lines or more:
        source = lines if lines and (not more or rng.random() < 0.5) else more
        size = rng.randrange(1, 7)
        made += source[:size]
        del source[:size]
    return encoded("".join(made), other=other)


@mutation("a log before it")
@by_lines
def _before(lines, rng, log, others):
    other = rng.choice([each for each in others if each.is_text])
    return encoded(other.content.decode() + "".join(lines), other=other)


@mutation("rows shuffled")
@by_lines
def _shuffled(lines, rng, log, others):
    rest = lines[1:]
    rng.shuffle(rest)
    return lines[:1] + rest


@mutation("rows missing")
@by_lines
def _rows_missing(lines, rng, log, others):
    return lines[:1] + [line for line in lines[1:] if rng.random() > 0.2]


@mutation("a very long line")
@by_lines
def _long(lines, rng, log, others):
    at = rng.randrange(len(lines))
    line = lines[at].rstrip("\n")
    lines[at] = rng.choice((line * 3000, "9" * 300_000, line + "x" * 200_000, " " * 400_000)) + "\n"
    return lines


@mutation("nested without end")
@by_lines
def _nested(lines, rng, log, others):
    deep = rng.choice(('{"a":' * 100_000, "[" * 100_000, '{"step": 1, "loss": ' + "[" * 100_000))
    lines.insert(rng.choice((0, rng.randrange(len(lines)))), deep + "\n")
    return lines


# Characters and cells of a text


@mutation("colours of a terminal")
def _colours(text, rng, log, others):
    made = re.sub(r"[^ \n]+", lambda m: f"\x1b[3{rng.randrange(8)}m{m[0]}\x1b[0m"
                  if rng.random() < 0.3 else m[0], text)  # fmt: skip
    return encoded(made)


@mutation("CRLF")
def _crlf(text, rng, log, others):
    return encoded(text.replace("\n", rng.choice(("\r\n", "\r"))))


def replaced(text: str, rng: Random, new: Callable[[str], str], count: int = 1) -> str:
    """The text with some of its numbers written anew."""
    places = list(NUMBER.finditer(text))
    for match in sorted(rng.sample(places, min(count, len(places))), key=lambda m: -m.start()):
        text = text[: match.start()] + new(match[0]) + text[match.end() :]
    return text


@mutation("a number that cannot be")
def _extreme(text, rng, log, others):
    new = rng.choice(EXTREME)
    made = replaced(text, rng, lambda old: new, rng.choice((1, 10, 1000)))
    return encoded(made, made=frozenset({float(new)}))


@mutation("no number")
def _not_finite(text, rng, log, others):
    new = rng.choice(NOT_FINITE)
    return encoded(replaced(text, rng, lambda old: new, rng.choice((1, 10))))


@mutation("thousands of digits")
def _digits(text, rng, log, others):
    many = rng.choice((400, 5000, 200_000))
    return encoded(replaced(text, rng, lambda old: old + "9" * many), compared=False)


@mutation("a cell of 200,000 letters")
def _letters(text, rng, log, others):
    return encoded(replaced(text, rng, lambda old: "x" * 200_000))


@mutation("underscores in numbers")
def _underscores(text, rng, log, others):
    return encoded(replaced(text, rng, lambda old: old.replace(".", "_"), rng.choice((1, 5, 100))))


@mutation("numbers change places")
@by_lines
def _places(lines, rng, log, others):
    def turned(line):
        found = list(NUMBER.finditer(line))
        if len(found) < 2:
            return line
        one, two = sorted(rng.sample(found, 2), key=lambda m: m.start())
        return (line[: one.start()] + two[0] + line[one.end() : two.start()]
                + one[0] + line[two.end() :])  # fmt: skip

    return encoded("".join(map(turned, lines)), compared=False)


@mutation("names change places")
def _names(text, rng, log, others):
    names = sorted(set(re.findall(r"[A-Za-z_]{2,}", text[:4000])))
    if len(names) < 2:
        return text
    one, two = rng.sample(names, 2)
    swap = {one: two, two: one}
    made = re.sub(rf"\b(?:{one}|{two})\b", lambda m: swap[m[0]], text)
    return encoded(made, compared=False)


@mutation("a key twice")
@by_lines
def _twice(lines, rng, log, others):
    pair = re.compile(r"""(['"]?\b[a-z_]*(?:step|loss|lr|rate)\b['"]?\s?[:=]\s?)[\d.eE-]+""")
    at = rng.randrange(len(lines))
    lines[at] = pair.sub(lambda m: rng.choice((f"{m[1]}7, {m[0]}", f"{m[0]}, {m[1]}7")), lines[at])
    return lines


@mutation("100,000 columns")
@by_lines
def _columns(lines, rng, log, others):
    names = ",".join(f"c{i}" for i in range(100_000))
    line = lines[0].rstrip("\n")
    lines[0] = rng.choice(
        (f"{names},{line}\n", f"{line},{names}\n", ",step,lr,loss" * 30_000 + "\n")
    )
    return lines
