"""The page of schemas is made from them; `tests/cli/test_schemas` holds answers against them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from scripts import schemas_page


def test_the_page_is_made_from_the_schemas():
    text = schemas_page.PAGE.read_text(encoding="utf-8")
    assert text == schemas_page.page(), "python scripts/schemas_page.py"
