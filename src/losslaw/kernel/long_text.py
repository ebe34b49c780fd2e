"""The text of a schedule as pieces: the same words as `losslaw.schedules`, at any horizon.

``wsd:peak=0.3,horizon=1e12,cooldown=0.1`` means what it means everywhere, but is not written out
update by update. Families made of a few smooth pieces are known here; a table of rates, or knots,
are written out and need no other form.
"""

from losslaw.errors import InputError
from losslaw.kernel.simulate.pieces import LongSchedule, Piece
from losslaw.schedules import parse_schedule
from losslaw.schedules.text import ALIASES

FAMILIES = ("constant", "linear", "cosine", "exponential", "power", "wsd", "step", "twostage")
# A small horizon at which the family itself checks keys and numbers.
TRIAL = 1000


def parse_long_schedule(text: str) -> LongSchedule:
    """Pieces that `losslaw.parse_schedule` would write out.

    Raises:
        InputError: a family that is not made of a few pieces, or the family's own complaint.

    >>> parse_long_schedule("wsd:peak=1,horizon=1e12,cooldown=0.2").pieces[1].updates
    200000000000
    >>> short = parse_long_schedule("linear:peak=1,horizon=4,warmup=2")
    >>> short.written_out().lr.tolist()
    [0.5, 1.0, 0.5, 0.0]
    """
    name, _, rest = text.strip().partition(":")
    name = ALIASES.get(name.strip(), name.strip())
    if name not in FAMILIES or " + " in text:
        raise InputError(
            f"schedule {text.strip()!r}: in pieces there are {', '.join(FAMILIES)};"
            " the other methods run every schedule"
        )
    pairs = {key.strip(): value.strip() for key, _, value in map(_halves, rest.split(","))}
    horizon = _whole("horizon", pairs.get("horizon", "0"))
    warmup = _whole("warmup", pairs.get("warmup", "0"))
    if "horizon" in pairs:  # the family checks all the rest, at a horizon that costs nothing
        trial = dict(pairs, horizon=str(TRIAL))
        if warmup:
            trial["warmup"] = str(round(TRIAL * min(warmup / max(horizon, 1), 1.0)))
        if _above_one(pairs.get("switch")):  # a number of updates, not a share
            trial["switch"] = str(round(TRIAL * min(float(pairs["switch"]) / max(horizon, 1), 2.0)))
        parse_schedule(f"{name}:" + ",".join(f"{key}={value}" for key, value in trial.items()))
    else:
        parse_schedule(text)
    if not 0 <= warmup < horizon:
        raise InputError(f"schedule {name}: warmup is {warmup}, expected 0 to below the horizon")

    def number(key: str, default: float) -> float:
        return float(pairs.get(key, default))

    peak, final, batch = number("peak", 0), number("final", 0), number("batch", 1)
    exponent = number("exponent", 1)
    pieces: list[Piece] = []

    def add(updates: int, start: float, end: float, shape: str) -> None:
        if updates > 0:
            pieces.append(Piece(updates, start, end, shape, exponent, batch))

    add(warmup, 0.0, peak, "linear")
    rest_updates = horizon - warmup
    if name in ("linear", "cosine", "exponential", "power"):
        add(rest_updates, peak, final, name)
    elif name == "wsd":
        falling = round(number("cooldown", 0.2) * horizon)
        add(rest_updates - falling, peak, peak, "constant")
        add(falling, peak, final, pairs.get("decay", "linear"))
    elif name == "step":
        factor = number("factor", 10**0.5)
        one, two = round(number("first", 0.8) * horizon), round(number("second", 0.9) * horizon)
        add(one - warmup, peak, peak, "constant")
        add(two - one, peak / factor, peak / factor, "constant")
        add(horizon - two, peak / factor**2, peak / factor**2, "constant")
    elif name == "twostage":
        second, switch = number("second", 0), number("switch", 0.5)
        at = round(switch * horizon) if switch < 1 else round(switch)
        add(at - warmup, peak, peak, "constant")
        add(horizon - at, second, second, "constant")
    else:
        add(rest_updates, peak, peak, "constant")
    made = LongSchedule(tuple(pieces))
    if made.horizon != horizon:
        raise InputError(
            f"schedule {name}: its parts have {made.horizon} updates, more than the horizon,"
            f" {horizon}; shorten one of them"
        )
    return made


def _above_one(value: str | None) -> bool:
    try:
        return value is not None and float(value) >= 1
    except ValueError:
        return False  # the family says what is wrong with it


def _halves(pair: str) -> tuple[str, str, str]:
    return pair.partition("=")


def _whole(key: str, value: str) -> int:
    try:
        number = float(value)
    except ValueError:
        raise InputError(f"{key} is {value!r}, expected a number") from None
    if not (abs(number) < 1e300 and number.is_integer()):
        raise InputError(f"{key} is {value!r}, expected a whole number")
    return int(number)
