"""How exported files are written: numbers, lists, and comments that stay comments.

Labels come from users: file names, texts of schedules. Whatever is not a printable character is
escaped, so that no label can end its comment line; and labels never stand in the first two lines,
where Python would read an encoding out of them.
"""

import textwrap
from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np

from losslaw.numerics.arrays import FloatArray, IntArray
from losslaw.text import escaped

# Significant digits of exported numbers: rounding adds at most 5e-10 of a number.
DIGITS = 10

WIDTH = 96


def number(value: float) -> str:
    """A number in Python, JSON, YAML and on a command line.

    >>> number(3e-4), number(24000.0), number(2 / 3), number(1e-7)
    ('0.0003', '24000.0', '0.6666666667', '1e-07')
    """
    return repr(float(f"{value:.{DIGITS}g}"))


def rounded(values: FloatArray) -> FloatArray:
    """Values as `number` writes them."""
    return np.array([float(number(value)) for value in values.tolist()])


def comment(lines: Sequence[str], mark: str = "#") -> str:
    """Comment lines, wrapped; an empty one stays empty."""
    out: list[str] = []
    for line in lines:
        lead = f"{mark} " + " " * (len(line) - len(line.lstrip(" ")))
        pieces = textwrap.wrap(
            escaped(line.strip(" ")),
            WIDTH,
            initial_indent=lead,
            subsequent_indent=lead,
            break_long_words=False,
            break_on_hyphens=False,
        )
        out += pieces or [mark]
    return "\n".join(out)


def int_list(name: str, values: IntArray) -> str:
    """A Python list of whole numbers over as many lines as it needs."""
    return _list(name, [str(value) for value in values.tolist()])


def float_list(name: str, values: FloatArray) -> str:
    """A Python list of numbers over as many lines as it needs."""
    return _list(name, [number(value) for value in values.tolist()])


def python_value(value: object, indent: str = "") -> str:
    """A dictionary of texts, numbers and dictionaries as Python writes it, an entry a line.

    >>> print(python_value({"a": 1, "b": {"c": 0.5}}))
    {
        "a": 1,
        "b": {
            "c": 0.5,
        },
    }
    """
    if isinstance(value, dict):
        inner = indent + "    "
        entries = cast(dict[str, object], value)
        lines = [f'{inner}"{key}": {python_value(each, inner)},' for key, each in entries.items()]
        return "\n".join(["{", *lines, indent + "}"])
    if isinstance(value, str):
        return f'"{value}"'
    return number(value) if isinstance(value, float) else repr(value)


def shell_array(arguments: Mapping[str, object]) -> list[str]:
    """Lines of a shell array with these arguments."""
    cells = [
        f"    {key} {number(value) if isinstance(value, float) else value}"
        for key, value in arguments.items()
    ]
    return ["SCHEDULE_ARGS=(", *cells, ")"]


def yaml_lines(values: Mapping[str, object], indent: str = "") -> list[str]:
    """A dictionary of plain texts, numbers, dictionaries and lists of texts as lines of YAML.

    >>> yaml_lines({"style": "wsd", "floor": 1e-7, "more": {"steps": 5}})
    ['style: wsd', 'floor: 1.0e-07', 'more:', '  steps: 5']
    """
    lines: list[str] = []
    for key, value in values.items():
        if isinstance(value, dict):
            inner = yaml_lines(cast(dict[str, object], value), indent + "  ")
            lines += [f"{indent}{key}:", *inner]
        elif isinstance(value, list):
            inner = [f"{indent}  - {each}" for each in cast(list[object], value)]
            lines += [f"{indent}{key}:", *inner]
        else:
            lines.append(f"{indent}{key}: {yaml_value(value)}")
    return lines


def yaml_value(value: object) -> str:
    """Numbers as YAML 1.1 reads them: 1e-07 without a point would be a text."""
    if not isinstance(value, float):
        return str(value)
    mantissa, e, exponent = number(value).partition("e")
    return mantissa if not e else f"{mantissa if '.' in mantissa else mantissa + '.0'}e{exponent}"


def share_of(updates: int, horizon: int) -> float:
    """The shortest share that gives these updates back where a trainer cuts off the rest.

    >>> [int(share_of(updates, 7) * 7) for updates in range(8)]
    [0, 1, 2, 3, 4, 5, 6, 7]
    """
    for digits in range(1, 17):
        share = round(updates / horizon, digits)
        if int(share * horizon) == updates:
            return share
    return float(np.nextafter(updates / horizon, 1.0))


def python_call(name: str, arguments: Mapping[str, object]) -> str:
    """A call with keyword arguments, one a line.

    >>> print(python_call("WSD", {"warmup": 100, "decay_fraction": None}))
    WSD(
        warmup=100,
        decay_fraction=None,
    )
    """
    lines = [f"    {key}={python_value(value, '    ')}," for key, value in arguments.items()]
    return "\n".join([f"{name}(", *lines, ")"])


def _list(name: str, cells: list[str]) -> str:
    short = f"{name} = [{', '.join(cells)}]"
    if len(short) <= WIDTH:
        return short
    body = textwrap.wrap(
        ", ".join(cells) + ",",
        WIDTH,
        initial_indent="    ",
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join([f"{name} = [", *body, "]"])
