"""Schedules: the learning rate, batch size and weight decay of every update."""

from losslaw.schedules.families import (
    FAMILIES,
    constant,
    cosine,
    cyclic,
    decay_rates,
    exponential,
    from_knots,
    inverse_power,
    inverse_sqrt,
    linear,
    power,
    step,
    twostage,
    wsd,
)
from losslaw.schedules.knots import knots
from losslaw.schedules.pieces import LongSchedule, Piece
from losslaw.schedules.recognise import Recognised, recognise
from losslaw.schedules.schedule import Schedule, join
from losslaw.schedules.text import (
    ScheduleLike,
    format_schedule,
    parse_long_schedule,
    parse_schedule,
    read_schedule,
    schedule_csv,
    schedule_of,
    schedules_of,
)

__all__ = [
    "FAMILIES",
    "LongSchedule",
    "Piece",
    "Recognised",
    "Schedule",
    "ScheduleLike",
    "constant",
    "cosine",
    "cyclic",
    "decay_rates",
    "exponential",
    "format_schedule",
    "from_knots",
    "inverse_power",
    "inverse_sqrt",
    "join",
    "knots",
    "linear",
    "parse_long_schedule",
    "parse_schedule",
    "power",
    "read_schedule",
    "recognise",
    "schedule_csv",
    "schedule_of",
    "schedules_of",
    "step",
    "twostage",
    "wsd",
]
