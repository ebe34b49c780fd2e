"""The site: every page has its place, it is built without a warning, and needs no network."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import losslaw

ROOT = Path(__file__).parents[2]
# What a page loads by itself, and where it comes from.
LOADED = re.compile(r"<(?:script|img|iframe|link rel=\"?stylesheet)[^>]*(?:src|href)=\"?(\S+)")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("mkdocs", reason="the docs group is not installed")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_of_the_docs_has_its_place():
    listed = re.findall(r"(\S+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.M)
    docs = ROOT / "docs"
    pages = {path.relative_to(docs).as_posix() for path in docs.rglob("*.md")}
    assert set(listed) == pages | {"CHANGELOG.md", "CONTRIBUTING.md"}
    assert len(listed) == len(set(listed))


def test_every_public_name_and_command_is_on_a_page(site):
    api = "".join(page.read_text(encoding="utf-8") for page in (site / "api").glob("*.html"))
    missing = [name for name in losslaw.__all__ if f"<code>{name}</code></a></td>" not in api]
    assert missing == ["__version__"]
    commands = (site / "commands.html").read_text(encoding="utf-8")
    assert "<code>--weight-decay" in commands
    assert "one of: chinchilla, " in commands
    named = re.findall(r"^\| `losslaw ([\w-]+)", (ROOT / "docs/commands.md").read_text(), re.M)
    assert [name for name in named if f"losslaw-{name}" not in commands] == []


def test_nothing_is_loaded_from_elsewhere(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 50
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"unpkg|fonts\.g|cdn\.", text), page
        loaded = LOADED.findall(text)
        assert loaded
        for link in loaded:
            path = link.strip('"').partition("?")[0]
            assert ":" not in path or path.startswith("data:"), f"{page.name}: {link}"
