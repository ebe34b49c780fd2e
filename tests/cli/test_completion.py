"""Completion by a real shell: a command, an option, a name and a file, as somebody types them."""

import os
import pty
import select
import shutil
import subprocess
import sys
import time

import pytest

from losslaw.cli.main import run

SHELLS = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
}
SETUP = {
    "bash": "bind 'set enable-bracketed-paste off'; source <(losslaw completion bash)",
    "zsh": "autoload -Uz compinit; compinit -D -u; source <(losslaw completion zsh)",
}


@pytest.fixture(params=SHELLS)
def typed(request, tmp_path):
    """What a line becomes when the tabulator key is hit at its end, in a shell with the script."""
    shell = request.param
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    home = tmp_path / "home"
    home.mkdir()
    (home / "fitted_curve.json").touch()
    program = tmp_path / "bin" / "losslaw"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m losslaw "$@"\n')
    program.chmod(0o755)
    ours, theirs = pty.openpty()
    environment = os.environ | {
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "HOME": str(home),
        "TERM": "dumb",
        "COLUMNS": "200",
    }
    process = subprocess.Popen(
        SHELLS[shell], stdin=theirs, stdout=theirs, stderr=theirs, cwd=home, env=environment,
        start_new_session=True,
    )  # fmt: skip
    os.close(theirs)

    def hit(line: str, expected: str) -> None:
        os.write(ours, b"\x15" + line.encode())  # a new line in place of what stands there
        _read_until(ours, line)
        os.write(ours, b"\t")
        _read_until(ours, expected)

    try:
        os.write(ours, f"{SETUP[shell]}; echo set'' up\n".encode())
        _read_until(ours, "set up")
        yield hit
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def _read_until(stream: int, expected: str, seconds: float = 30) -> None:
    seen, end = "", time.monotonic() + seconds
    while expected not in seen:
        ready, _, _ = select.select([stream], [], [], max(0, end - time.monotonic()))
        assert ready, f"{expected!r} is not in {seen!r}"
        seen += os.read(stream, 4096).decode(errors="replace")


@pytest.mark.skipif(sys.platform == "win32", reason="has no pseudo-terminals")
def test_a_shell_completes_commands_options_names_and_files(typed):
    typed("losslaw run-l", "ength")
    typed("losslaw fit --keep-a", "ll")
    typed("losslaw fit --law multip", "ower")
    typed("losslaw compare --laws momentum,multip", "ower")
    typed("losslaw lab tr", "ain")
    typed("losslaw predict fitted_c", "urve.json")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_is_printed_for_each_shell(shell, capsys):
    assert run(["completion", shell]) == 0
    assert "_LOSSLAW_COMPLETE" in capsys.readouterr().out


def test_a_shell_that_is_not_known_is_told_which_are(capsys):
    assert run(["completion", "tcsh"]) == 2
    assert "bash, zsh, fish" in capsys.readouterr().err
