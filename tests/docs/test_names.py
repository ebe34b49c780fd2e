"""Names of the package that pages and docstrings show in backquotes are there."""

import importlib
import re
from pathlib import Path

import losslaw

ROOT = Path(__file__).parents[2]
NAME = re.compile(r"`(?:ll|losslaw)\.([A-Za-z_][\w.]*)")


def is_there(name):
    found = losslaw
    way = name.split(".")
    for i, part in enumerate(way, 1):
        if not hasattr(found, part):
            try:
                importlib.import_module(".".join(["losslaw", *way[:i]]))
            except ImportError:
                return False
        found = getattr(found, part)
    return True


def test_every_name_that_is_shown_is_there():
    # CHANGELOG.md also has names that are gone.
    tops = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    pages = [*tops, *ROOT.glob("docs/**/*.md"), *ROOT.glob("src/**/*.py")]
    shown = {
        (page.name, name.rstrip("."))
        for page in pages
        for name in NAME.findall(page.read_text(encoding="utf-8"))
    }
    assert len(shown) > 20
    assert sorted(each for each in shown if not is_there(each[1])) == []
