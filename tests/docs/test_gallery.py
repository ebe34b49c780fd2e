"""The gallery shows every script and its picture; `test_commands` runs what the page shows."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from scripts import gallery  # noqa: E402


def test_the_page_shows_the_scripts():
    assert gallery.PAGE.read_text(encoding="utf-8") == gallery.page(), "python scripts/gallery.py"


def test_every_script_is_shown_and_has_its_picture():
    scripts = {path.stem: path.read_text() for path in gallery.SCRIPTS.glob("*.py")}
    pictures = {path.stem: path.stat().st_size for path in gallery.IMAGES.glob("*.png")}
    assert set(scripts) == set(pictures) == set(gallery.TITLES)
    assert max(pictures.values()) < 40_000
    for name, text in scripts.items():
        assert f'savefig("{name}.png"' in text
        assert len(text.splitlines()) <= 16
