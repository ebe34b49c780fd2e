"""Rows of plain numbers out of the bytes of a table, in machine code.

What is read here is what most cells are: digits, perhaps a sign, a point and an exponent. Whatever
else stands in a line - text, quotes, a comment, another count of cells - stops the reading in front
of it, and whoever called decides.

A number is read as Python reads it, to the last bit. Its digits make a whole number m below 10^18;
``m * 10^e`` is one rounding of two exact numbers if m is below 2^53 and e within 22. Otherwise it
is a product of two pairs of floats, with an error below 2^-100 of it: only where that might decide
about the last bit, which no printed float makes likely, the cell is left to Python.
"""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from losslaw.numerics.arrays import FloatArray, IntArray
from losslaw.numerics.compiled import compiled

ByteArray = NDArray[np.uint8]

# Powers of ten that are held as pairs of floats; the others are left to Python.
SPAN = 60
# Error of a product of two pairs, and a share of it to be safe.
DOUBT = 2.0**-100
SPLIT = 2.0**27 + 1
EXACT, EXACT_POWER = 2**53, 22
# Digits that fit into a whole number.
DIGITS = 18


def _powers() -> FloatArray:
    """10^e for e = -SPAN..SPAN as the nearest float, and the nearest to the rest. Shape (n, 2)."""
    exact = [Fraction(10) ** e for e in range(-SPAN, SPAN + 1)]
    return np.array([(float(x), float(x - Fraction(float(x)))) for x in exact])


POWERS = _powers()


@compiled()
def _product(m: int, e: int, powers: FloatArray) -> float:
    """``m * 10^e`` as the nearest float; NaN where that is in doubt."""
    high, low = powers[e + SPAN, 0], powers[e + SPAN, 1]
    if m < EXACT and -EXACT_POWER <= e <= EXACT_POWER:
        return m * high if e >= 0 else m / powers[SPAN - e, 0]
    a = float(m)
    rest = float(m - int(a))
    big = SPLIT * a
    a1 = big - (big - a)
    a2 = a - a1
    big = SPLIT * high
    b1 = big - (big - high)
    b2 = high - b1
    product = a * high
    error = ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2
    error += a * low + rest * high
    total = product + error
    left = error - (total - product)
    doubt = DOUBT * total
    return total if total + (left + doubt) == total and total + (left - doubt) == total else np.nan


@compiled()
def rows_of_numbers(
    data: ByteArray,
    at: int,
    delimiter: int,
    places: IntArray,
    out: FloatArray,
    count: int,
    powers: FloatArray,
) -> tuple[int, int]:
    """Read lines of numbers up to the end of the data, or to a line that is not so plain.

    Args:
        data: Bytes, the last of them the end of a line.
        at: Where the first line begins.
        delimiter: The byte between cells.
        places: For each cell of a line the row of ``out`` that it goes to; -1: it is not read.
        out: Filled with the numbers, NaN where a cell is empty. Shape ``(columns, rows)``.
        count: Rows of it that are there already.
        powers: `POWERS`.

    Returns:
        Where the first line begins that was not read, and how many rows there are now.
    """
    cells = places.size
    while at < data.size:
        begin, cell, plain = at, 0, True
        while data[at] == 32:
            at += 1
        if data[at] == 35 or data[at] == 10 or data[at] == 13:  # a comment or an empty line
            return begin, count
        while plain:
            while data[at] == 32:
                at += 1
            place = places[cell]
            if place >= 0:
                negative = data[at] == 45
                if negative or data[at] == 43:
                    at += 1
                m, digits, e, seen, point = 0, 0, 0, 0, False
                while True:
                    digit = data[at] - 48
                    if 0 <= digit <= 9:
                        if digits == DIGITS:  # one more might be beyond all whole numbers here
                            return begin, count
                        m = 10 * m + digit
                        digits += m > 0
                        seen += 1
                        e -= point
                    elif digit == -2 and not point:
                        point = True
                    else:
                        break
                    at += 1
                if seen and (data[at] == 101 or data[at] == 69):
                    at += 1
                    down = data[at] == 45
                    if down or data[at] == 43:
                        at += 1
                    power, long = 0, 0
                    while 48 <= data[at] <= 57 and long < 5:
                        power = 10 * power + data[at] - 48
                        long += 1
                        at += 1
                    if not long:
                        return begin, count
                    e += -power if down else power
                if seen:
                    if e < -SPAN or e > SPAN:
                        return begin, count
                    value = _product(m, e, powers)
                    if value != value:
                        return begin, count
                    out[place, count] = -value if negative else value
                elif negative or point or data[at - 1] == 43:
                    return begin, count
                else:
                    out[place, count] = np.nan
                while data[at] == 32:
                    at += 1
            else:
                while data[at] != delimiter and 32 <= data[at] < 127 and data[at] != 34:
                    at += 1
            if data[at] == delimiter:
                cell += 1
                at += 1
                plain = cell < cells
            elif data[at] == 13 and data[at + 1] == 10:
                at += 2
                break
            elif data[at] == 10:
                at += 1
                break
            else:
                plain = False
        if not plain or cell + 1 != cells:
            return begin, count
        count += 1
    return at, count
