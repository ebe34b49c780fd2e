"""Every relative link and image of every page leads somewhere, headings included."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("docs", "src", "validation", "benchmarks", "examples")
PAGES = [*ROOT.glob("*.md"), *(page for name in FOLDERS for page in (ROOT / name).rglob("*.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)")
# What the programs of validation write quotes their docstrings, and is made again with them.
WRITTEN = [page for page in PAGES if page.parent.name != "results"]
FENCE = re.compile(r"^```.*?^```", re.M | re.S)


def anchors(page: Path) -> set[str]:
    """What the headings of a page are called in links."""
    heads = re.findall(r"^#+ (.*)$", FENCE.sub("", page.read_text()), re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", sorted(PAGES), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for link in LINK.findall(FENCE.sub("", page.read_text())):
        if ":" in link:  # another site
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), f"{link} is not there"
        assert not anchor or anchor in anchors(target), f"{link}: no such heading"


def test_every_page_of_the_docs_is_in_the_index():
    index = ROOT / "docs" / "index.md"
    listed = {(index.parent / link).resolve() for link in LINK.findall(index.read_text())}
    missing = set((ROOT / "docs").rglob("*.md")) - listed - {index}
    assert not missing


@pytest.mark.parametrize("page", sorted(WRITTEN), ids=lambda page: str(page.relative_to(ROOT)))
def test_files_named_in_the_text_are_there(page):
    text = FENCE.sub("", page.read_text())
    for name in re.findall(r"`((?:[\w.]+/)+\w+\.\w+)`", text):
        places = (ROOT / name, ROOT / "src" / "losslaw" / name, page.parent / name)
        assert any(place.exists() for place in places), f"{name} is not there"
