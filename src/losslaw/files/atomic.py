"""Write aside, then rename: a reader sees the old file or the new one, never half of one."""

import errno
import os
import tempfile
from pathlib import Path

from losslaw.errors import InputError, expect


def write_text(path: str | Path, text: str) -> Path:
    """Write ``text`` (UTF-8) to ``path`` in one step and return the path.

    Raises:
        InputError: the folder is missing, the path is a folder, or the disk refuses; whatever was
            at ``path`` before is untouched.
    """
    return write_bytes(path, text.encode("utf-8"))


def write_bytes(path: str | Path, data: bytes) -> Path:
    """Write ``data`` to ``path`` in one step; see `write_text`."""
    expect("a path", path, (str, os.PathLike), "the path of a file")
    path = Path(path)
    if str(path) == "-":
        raise InputError("cannot write to '-': name a file; --json prints to standard output")
    if "\0" in str(path):
        raise InputError(f"cannot write {path}: no file has such a name")
    if path.is_dir():
        raise InputError(f"cannot write {path}: it is a folder; name a file inside it")
    if not path.parent.is_dir():
        raise InputError(f"cannot write {path}: the folder {path.parent} does not exist")
    if path.exists() and not path.is_file():  # a device or a pipe cannot be replaced by renaming
        try:
            path.write_bytes(data)
        except OSError as error:
            raise InputError(f"cannot write {path}: {error.strerror or error}") from None
        return path
    aside = None
    target = Path(os.path.realpath(path))  # a link stays, and what it points to is written
    try:
        if target.is_symlink():
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        handle, aside = tempfile.mkstemp(prefix=".losslaw.", suffix=".part", dir=target.parent)
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        # mkstemp makes private files; give the artefact the mode a plain open() would have.
        mask = os.umask(0)
        os.umask(mask)
        Path(aside).chmod(0o666 & ~mask)
        Path(aside).replace(target)
    except OSError as error:
        if aside is not None:
            Path(aside).unlink(missing_ok=True)
        reason = error.strerror or str(error)
        raise InputError(f"cannot write {path}: {reason}; nothing was changed") from None
    except BaseException:
        if aside is not None:
            Path(aside).unlink(missing_ok=True)
        raise
    return path
