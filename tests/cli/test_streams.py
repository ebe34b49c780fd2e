"""Output that is closed, or whose encoding lacks a character."""

import os
import re
import subprocess
import sys

import pytest

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


@pytest.mark.parametrize("words", ["--help", "fit --help", "fit log.csv --law momentum", "fit no"])
def test_no_color_is_respected_on_a_terminal(words, tmp_path):
    (tmp_path / "log.csv").write_text(LOG)
    colours = re.compile(rb"\x1b\[[0-9;]*[3-9][0-9;]*m")
    kept = {k: v for k, v in os.environ.items() if k not in ("FORCE_COLOR", "NO_COLOR")}
    settings: tuple[dict[str, str], ...] = ({}, {"NO_COLOR": "1"})
    for colour in settings:
        main, other = os.openpty()
        with subprocess.Popen(
            [sys.executable, "-m", "losslaw", *words.split()],
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=other,
            stderr=other,
            env={**kept, "TERM": "xterm-256color", **colour},
        ):
            os.close(other)
            text = _read(main)
        os.close(main)
        assert text
        if colour:
            assert not colours.search(text), text
        elif words == "--help":
            assert colours.search(text), text


def _read(terminal):
    text = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # the other end is closed
            part = b""
        if not part:
            return text
        text += part
