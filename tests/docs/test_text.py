"""How the pages are set: lines of at most 100 characters, decimals that begin with a digit."""

import re

import pytest
from helpers.shown import PAGES, ROOT

FENCE = re.compile(r"^```.*?^```", re.M | re.S)
ELSEWHERE = re.compile(r"`[^`]*`|\]\([^)]*\)")  # code, and where links lead
BARE = re.compile(r"(?<![\w.\d/])[+\-±]?\.\d")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_is_set_like_the_others(page):
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    # Tables, images and formulas have no other place to break.
    free = ("|", "!", "    ")
    long = [x for x in text.splitlines() if len(x) > 100 and not x.startswith(free)]
    assert not long
    assert not BARE.findall(ELSEWHERE.sub("", text)), "write 0.5, as the programs do"
