"""Output that is closed, or whose encoding lacks a character."""

import os
import subprocess
import sys

LOG = "step,lr,loss\n" + "".join(f"{i},0.1,{2 + 1 / i}\n" for i in range(1, 40))


def losslaw(words, place, **environment):
    return subprocess.run(
        f"{sys.executable} -m losslaw {words}",
        shell=True,
        cwd=place,
        capture_output=True,
        check=False,
        env={**os.environ, **environment},
    )


def test_output_may_be_closed(tmp_path):
    (tmp_path / "log.csv").write_text(LOG)
    done = losslaw("inspect log.csv >&-", tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_plus_minus_sign_is_said_in_ascii(tmp_path):
    (tmp_path / "log.csv").write_text(LOG)
    done = losslaw("fit log.csv --law momentum", tmp_path, PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert b" +- " in done.stdout
