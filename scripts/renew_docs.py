"""Write into README and docs what their commands print now: ``python scripts/renew_docs.py``.

Names of pages, or parts of names, renew only those. The tests (tests/docs) compare what is printed
with what is shown; read the difference before it is committed.
"""

import os
import sys
import tempfile
from pathlib import Path

os.environ["COLUMNS"] = "100"  # before anything asks how wide the terminal is
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from helpers import shown


def main(names: list[str]) -> None:
    """Renew the named pages, or all."""
    with tempfile.TemporaryDirectory() as place:
        files = Path(place) / "files"
        files.mkdir()
        shown.make_files(files)
        for i, page in enumerate(shown.PAGES):
            name = str(page.relative_to(shown.ROOT))
            if names and not any(part in name for part in names):
                continue
            changed = shown.renew(page, files, Path(place) / str(i))
            print(f"{name}: {'renewed' if changed else 'as it was'}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
