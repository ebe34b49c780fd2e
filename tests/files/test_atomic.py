"""Nothing half-written: the old file or the new one."""

import errno
import os
from pathlib import Path

import pytest

from losslaw.errors import InputError
from losslaw.files import write_bytes, write_text


def refuse(*_args, **_kwargs):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_what_is_written_is_there(tmp_path):
    path = tmp_path / "a.json"
    assert write_text(path, "Gauß\n") == path
    assert path.read_text(encoding="utf-8") == "Gauß\n"
    write_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_the_file_has_the_mode_of_any_other(tmp_path):
    plain = tmp_path / "plain"
    plain.write_text("")
    assert write_text(tmp_path / "ours", "").stat().st_mode == plain.stat().st_mode


@pytest.mark.parametrize("fails", ["fsync", "fdopen", "replace"])
def test_a_full_disk_leaves_the_old_file(fails, tmp_path, monkeypatch):
    path = tmp_path / "fit.json"
    path.write_text("old")
    if fails == "replace":
        monkeypatch.setattr(Path, "replace", refuse)
    else:
        monkeypatch.setattr(os, fails, refuse)
    with pytest.raises(InputError, match=r"cannot write .*fit\.json: No space left.*nothing was"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["fit.json"]


def test_an_interruption_leaves_the_old_file(tmp_path, monkeypatch):
    def interrupt(_handle):
        raise KeyboardInterrupt

    path = tmp_path / "fit.json"
    path.write_text("old")
    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["fit.json"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (".", "is a folder; name a file inside it"),
        ("nowhere/a.csv", "the folder .*nowhere does not exist"),
    ],
)
def test_a_place_that_takes_no_file(name, message, tmp_path):
    with pytest.raises(InputError, match=message):
        write_text(tmp_path / name, "x")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_device():
    with pytest.raises(InputError, match=r"cannot write /dev/full: No space left"):
        write_text("/dev/full", "x")


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="this system has no /dev/null")
def test_a_device_is_written_to_and_not_replaced():
    write_text("/dev/null", "x")
    assert not Path("/dev/null").is_file()
