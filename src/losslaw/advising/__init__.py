"""Which run to do next: the cheapest one that would narrow the interval of an answer."""

from losslaw.advising.advise import advise
from losslaw.advising.record import Advice, Option

__all__ = ["Advice", "Option", "advise"]
