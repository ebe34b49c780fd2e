"""Which run to do next: the cheapest one that would narrow the interval of an answer."""

from losslaw.advising.advise import Advice, Option, advise

__all__ = ["Advice", "Option", "advise"]
