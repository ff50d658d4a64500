"""Model files: a zip of ``model.json`` and of one .npy file for each array.

Nothing in the zip is compressed, so that no file expands beyond its own size. An array
whose header disagrees with its number of bytes is rejected before memory is allocated.
Reading executes no code of the file: JSON describes a tree of objects whose types are
in a closed list, and arrays are read with ``allow_pickle=False``.
"""

import json
import os
import re
import zipfile
from functools import cache
from math import prod

import numpy as np
import sklearn

from skdgm.exceptions import (
    CorruptFileError,
    ModelFileError,
    NewerFileError,
    OlderFileError,
    OversizedFileError,
    UnsavableError,
)
from skdgm.persistence.decoder import Decoder, of_type
from skdgm.persistence.encoder import PLAIN, Encoder
from skdgm.persistence.target import path_of, replaced, target_of
from skdgm.persistence.types import ESTIMATORS, name_of, tag_of
from skdgm.typing import Any

# Version of the format, incremented when older versions of skdgm cannot read new files.
SCHEMA = 4
_FORMAT, _TREE = "skdgm model", "model.json"
# The earliest date of a zip, so that equal models have equal files.
_DATE = (1980, 1, 1, 0, 0, 0)
# Headers of .npy files as NumPy writes them.
_HEADER = re.compile(
    r"\{'descr': '([^']+)', 'fortran_order': (True|False), "
    r"'shape': \(([\d, ]*)\), \} *\n"
)
_LONGEST_HEADER = 2_000
# Maximum length of an error message about the content of a file.
_LONGEST_MESSAGE = 600


def save(estimator: object, path: str | os.PathLike) -> None:
    """Save an estimator to a file, without pickle.

    Parameters, fitted attributes and the state of training are stored exactly.
    :func:`load` returns an estimator with the same predictions, samples and further
    training, bit for bit. Callbacks are not stored.

    Parameters
    ----------
    estimator : estimator
        Estimator of skdgm, fitted or not, with estimators of skdgm as parameters.
    path : str or path-like
        File to write. An existing file is replaced atomically, with the same
        permissions, once the new file is complete. An error leaves it unchanged.

    Raises
    ------
    UnsavableError
        The estimator, a parameter or an attribute has a type that cannot be stored,
        such as your own class or a Pipeline.
    FileNotFoundError, IsADirectoryError
        The folder of the file does not exist, or ``path`` is a folder.

    Notes
    -----
    Neither the estimator nor the file contains rows of the training data: persistent
    chains are samples from the model. The file contains statistics of columns: their
    means, scales and categories.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> import skdgm
    >>> X = np.random.default_rng(0).integers(0, 2, (100, 6))
    >>> rbm = skdgm.BernoulliRBM(n_components=2, random_state=0).fit(X)
    >>> path = os.path.join(tempfile.mkdtemp(), "rbm.skdgm")
    >>> skdgm.save(rbm, path)
    >>> skdgm.load(path).score(X) == rbm.score(X)
    True
    """
    target = target_of(path)
    if tag_of(type(estimator)) not in ESTIMATORS:
        raise UnsavableError(
            "skdgm.save keeps estimators of skdgm, not objects of "
            f"{name_of(type(estimator))}: save "
            "Pipelines and other estimators with skops, with "
            "trusted=skdgm.persistence.TRUSTED_TYPES at loading."
        )
    encoder = Encoder()
    tree = {
        "format": _FORMAT,
        "schema": SCHEMA,
        "numpy": np.__version__,
        "scikit-learn": sklearn.__version__,
        "estimator": encoder.node(estimator, type(estimator).__name__),
    }
    with replaced(target) as file:
        _write(file, tree, encoder.arrays)


def _write(file, tree, arrays):
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        text = json.dumps(tree, allow_nan=False, indent=1)
        archive.writestr(zipfile.ZipInfo(_TREE, _DATE), text)
        for number, array in enumerate(arrays):
            info = zipfile.ZipInfo(_member(number), _DATE)
            with archive.open(info, "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def load(path: str | os.PathLike) -> Any:
    """Load an estimator that :func:`save` wrote.

    No code of the file is executed, and only classes of skdgm are instantiated.

    Parameters
    ----------
    path : str or path-like

    Returns
    -------
    estimator : estimator

    Raises
    ------
    CorruptFileError
        The file is not a model, or is truncated, modified or invalid.
    NewerFileError, OlderFileError
        The file was written by another version of skdgm, in a format that this version
        cannot read.
    OversizedFileError
        The file claims to contain more than its number of bytes.
    UnknownTypeError
        The file refers to a class that is not in skdgm.

    Notes
    -----
    All these errors are subclasses of :class:`~skdgm.exceptions.ModelFileError`. The
    numbers in a file are only as trustworthy as its source. Loading a malicious file
    executes no code, but its model may return arbitrary values, and inconsistent arrays
    may crash a later method call.
    """
    with open(path_of(path), "rb") as file:
        try:
            return _read(file)
        except ModelFileError as error:
            raise type(error)(_brief(error)) from error.__cause__
        except MemoryError:
            raise
        # All errors that parsers of zip, JSON and .npy raise for invalid input.
        except Exception as error:
            reason = f" ({_brief(error)})" if str(error) else ""
            raise CorruptFileError(
                f"{os.fspath(path)!r} is no sound model file{reason}: it was not "
                "written by skdgm.save, or not in full, or was changed since."
            ) from error


def _brief(error):
    """Message of an error, without its middle if it is long."""
    text, half = str(error), _LONGEST_MESSAGE // 2
    return text if len(text) <= 2 * half else f"{text[:half]} ... {text[-half:]}"


def _read(file):
    with zipfile.ZipFile(file) as archive:
        n_bytes = os.fstat(file.fileno()).st_size
        members = _members(archive, n_bytes)
        tree = of_type(json.loads(archive.read(members.pop(_TREE))), dict)
        _check_version(tree)

        @cache
        def array(number):
            return _array(archive, members.pop(_member(number)))

        estimator = Decoder(array, n_bytes).value(of_type(tree["estimator"], dict))
        if tag_of(type(estimator)) not in ESTIMATORS:
            raise CorruptFileError("The file has no estimator.")
    if members:
        raise CorruptFileError(f"The file has more than a model: {sorted(members)}.")
    return estimator


def _check_version(tree):
    if tree.get("format") != _FORMAT:
        raise CorruptFileError("The file was not written by skdgm.save.")
    schema = of_type(tree["schema"], int)
    if schema > SCHEMA:
        raise NewerFileError(
            f"The file is of format {schema}, and this version of skdgm reads formats "
            f"up to {SCHEMA}: update skdgm."
        )
    if schema < SCHEMA:
        raise OlderFileError(
            f"The file is of format {schema}, of an earlier version of skdgm, which "
            "had other options, and cannot be read: fit the model again."
        )


def _members(archive, n_bytes):
    """Members of the zip by name; raises an error if they cannot fit into the file."""
    infos = archive.infolist()
    if any(info.compress_type != zipfile.ZIP_STORED for info in infos):
        raise CorruptFileError(
            "The file has compressed parts, which no model file has."
        )
    if any(info.file_size != info.compress_size for info in infos) or (
        sum(info.file_size for info in infos) > n_bytes
    ):
        raise OversizedFileError("The file claims to hold more than its own size.")
    members = {info.filename: info for info in infos}
    if len(members) < len(infos) or _TREE not in members:
        raise CorruptFileError("The file has parts of the same name, or no model.json.")
    return members


def _member(number):
    return f"arrays/{number}.npy"


def _array(archive, info):
    """Read an array in the memory order in which it was written."""
    with archive.open(info) as member:
        version = np.lib.format.read_magic(member)
        length = int.from_bytes(member.read(2 if version == (1, 0) else 4), "little")
        header = member.read(min(length, _LONGEST_HEADER)).decode("latin1")
        match = _HEADER.fullmatch(header)
        if not match or not PLAIN.fullmatch(match[1]):
            raise CorruptFileError(f"{info.filename} has the header {header!r}.")
        shape = tuple(int(size) for size in match[3].split(",") if size.strip())
        dtype, order = np.dtype(match[1]), "F" if match[2] == "True" else "C"
        n_bytes = prod(shape) * dtype.itemsize
        if n_bytes != info.file_size - member.tell():
            raise OversizedFileError(
                f"{info.filename} claims to have the shape {shape} of {dtype}, which "
                f"is {n_bytes} bytes, and has {info.file_size - member.tell()}."
            )
        data = np.empty(n_bytes, np.uint8)
        if n_bytes and member.readinto(data) != n_bytes:
            raise CorruptFileError(f"{info.filename} ends too early.")
    _check_values(data, dtype, info.filename)
    return data.view(dtype).reshape(shape, order=order)


def _check_values(data, dtype, name):
    """Raise CorruptFileError for bytes that are not valid booleans or characters."""
    is_invalid = dtype.kind == "b" and (data > 1).any()
    if dtype.kind == "U":
        is_invalid = (data.view(f"{dtype.str[0]}u4") > 0x10FFFF).any()
    if is_invalid:
        raise CorruptFileError(f"{name} has bytes that are no {dtype}.")
