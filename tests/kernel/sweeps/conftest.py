import os
from pathlib import Path

import pytest

HERE = str(Path(__file__).parent)


@pytest.fixture
def jobs_module(monkeypatch):
    """The module of test jobs, importable here and in every worker started from here."""
    monkeypatch.syspath_prepend(HERE)
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join(filter(None, [HERE, os.environ.get("PYTHONPATH")]))
    )
    import sweepjobs

    return sweepjobs


@pytest.fixture
def marks(tmp_path):
    folder = tmp_path / "marks"
    folder.mkdir()
    return folder
