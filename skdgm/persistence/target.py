"""Atomic replacement of the file to which a model is saved."""

import os
import stat
import uuid
from contextlib import contextmanager
from errno import EISDIR, ENOENT
from hashlib import sha256
from pathlib import Path


def target_of(path):
    """File to which a path refers, with symbolic links resolved.

    FileNotFoundError if its folder does not exist; IsADirectoryError if it is a folder.
    """
    target = Path(os.path.realpath(path_of(path)))
    if not target.parent.is_dir():
        raise FileNotFoundError(ENOENT, "There is no such folder", str(target.parent))
    if target.is_dir():
        raise IsADirectoryError(EISDIR, "There is a folder of that name", str(target))
    return target


def path_of(path):
    """A path as text; TypeError if it is neither text nor a path."""
    if not isinstance(path, str | bytes | os.PathLike):
        raise TypeError(f"path must be text or a path; got {path!r}.")
    return os.fsdecode(path)


@contextmanager
def replaced(target):
    """Context with a new file that replaces ``target``, with its permissions."""
    unfinished = target.with_name(f"{_prefix(target)}{uuid.uuid4().hex}.tmp")
    try:
        with open(unfinished, "xb") as file:
            if target.exists():
                mode = stat.S_IMODE(target.stat().st_mode)
                # Some file systems have one mode for all files and cannot set it.
                if mode != stat.S_IMODE(unfinished.stat().st_mode):
                    unfinished.chmod(mode)
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, target)
    finally:
        unfinished.unlink(missing_ok=True)


def check_writable(target):
    """Raise OSError unless a file can be created in the folder of a target; remove
    unfinished files that a crash left."""
    prefix = _prefix(target)
    with os.scandir(target.parent) as entries:
        leftovers = [entry.name for entry in entries if entry.name.startswith(prefix)]
    for name in leftovers:
        target.with_name(name).unlink(missing_ok=True)
    probe = target.with_name(f"{prefix}{uuid.uuid4().hex}.tmp")
    try:
        with open(probe, "xb"):
            pass
        probe.unlink()
    except OSError as error:
        # OSError selects the subclass of the error number.
        message = f"{error.strerror}: no file can be written in the folder"
        raise OSError(error.errno, message, str(target.parent)) from error


def _prefix(target):
    """Beginning of the names of unfinished files, unique to the target. It is short,
    because lengths of names are limited."""
    return f".skdgm-{sha256(os.fsencode(target.name)).hexdigest()[:32]}-"
