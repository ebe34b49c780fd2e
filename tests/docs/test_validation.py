"""The tables of validation: every page has its module, and older results are compared rightly."""

import pytest

compare = pytest.importorskip("validation.compare", reason="validation/ is not here")
from validation.__main__ import RESULTS, TABLES  # noqa: E402

OLD = """# A page

## errors

| law | RMSE | s |
|---|---|---|
| auto | 0.0030 | 1.5 |
| auto | 1,200 | 1.5 |
| momentum | 0.0098 ± 0.0001 | 0.1 |
"""


def test_every_page_of_results_has_its_module():
    assert {page.stem for page in RESULTS.glob("*.md")} == set(TABLES)
    assert all(
        (RESULTS.parent / f"{name}.py").exists() or (RESULTS.parent / name).is_dir()
        for name in TABLES
    )


def test_what_moved_is_said(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    for folder, text in ((old, OLD), (new, OLD)):
        folder.mkdir()
        (folder / "page.md").write_text(text)
    assert "0 of 4 numbers moved" in compare.compared(old, new, ["page"])
    moved = OLD.replace("1,200", "1,300").replace("0.0030", "0.0031").replace("| 1.5", "| 9.5")
    (new / "page.md").write_text(moved.replace("momentum", "chinchilla"))
    report = compare.compared(old, new, ["page", "none"])
    assert "page: 1 of 2 numbers moved; 2 are gone, 2 are new" in report
    assert "1200 -> 1300  errors / auto (2) / RMSE" in report
    assert "none: not in both folders" in report
