"""Fetching, checking and caching of data sets.

A set is cached as one .npz file of its parts, ``train``, ``valid`` and ``test``, and of
their labels. Their SHA-256 is checked at each call: against the value in this package
if there is one, otherwise against the value that was recorded at the first download.
"""

import hashlib
import json
import os
import shutil
import zipfile
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

import numpy as np
from sklearn.datasets import get_data_home
from sklearn.utils import Bunch

from skdgm.exceptions import ChecksumError, DatasetError

PARTS = "train", "valid", "test"
_TIMEOUT = 60


class Source(NamedTuple):
    """A public file, and the id that git gives to its bytes, if it is known."""

    url: str
    blob: str = None

    @property
    def name(self):
        """Name of the file."""
        return self.url.rsplit("/")[-1]


class Dataset(NamedTuple):
    """Data set with a fixed division into parts, with values up to ``highest``.

    ``read(get, data_home)`` returns the parts as a dict of arrays; ``get`` gives the
    path of a source, which it downloads if it must. ``about`` is a description;
    ``checksums`` are SHA-256 of the parts and the labels (``train_y``), as arrays of
    uint8.
    """

    name: str
    read: object
    n_rows: tuple
    n_columns: int
    highest: int
    about: str
    image_shape: tuple = None
    checksums: dict = {}


def fetch(dataset, subset, data_home, download_if_missing, return_X_y):
    """Fetch parts of a data set, "train", "valid", "test" or "all", as its function
    says: a Bunch, or (X, y)."""
    if not isinstance(subset, str) or subset not in (*PARTS, "all"):
        raise ValueError(f"subset must be one of {(*PARTS, 'all')}; got {subset!r}.")
    folder = Path(get_data_home(data_home)) / "skdgm"
    path = folder / f"{dataset.name}.npz"
    if not path.exists():
        if not download_if_missing:
            raise DatasetError(
                f"{dataset.name} is not in {folder}, and download_if_missing=False."
            )
        folder.mkdir(exist_ok=True)
        _keep(dataset, folder, data_home, path)
    arrays = _cached(dataset, path)
    names = PARTS if subset == "all" else (subset,)
    X = np.concatenate([arrays[name] for name in names])
    labels = [arrays[f"{name}_y"] for name in names if f"{name}_y" in arrays]
    y = np.concatenate(labels) if labels else None
    if return_X_y:
        return X, y
    facts = {"image_shape": dataset.image_shape, "DESCR": dataset.about}
    return Bunch(data=X, target=y, subset=subset, **facts)


def _keep(dataset, folder, data_home, path):
    """Read a set from its sources, check it, and write it with its checksums."""
    fetched = []

    def get(source):
        found = folder / source.name
        if not found.exists():
            fetched.append(found)
            download(source, found, dataset.name, path)
        check_blob(source, found)
        return found

    try:
        arrays = dataset.read(get, data_home)
        found = check(dataset, arrays, {}, "what was fetched")
    except (DatasetError, MemoryError):
        raise
    # All that parsers raise of what is not of their format.
    except Exception as error:
        raise ChecksumError(
            f"What was fetched for {dataset.name} cannot be read ({error}): the "
            "address may have given a page instead of data."
        ) from error
    finally:
        for file in fetched:
            file.unlink(missing_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}.tmp")
    with open(unfinished, "wb") as file:
        np.savez_compressed(file, **arrays)
    path.with_suffix(".json").write_text(json.dumps(found, indent=1))
    os.replace(unfinished, path)


def download(source, path, name, cached):
    """Download a file, completely or not at all.

    Raise DatasetError if there is no network, or nothing at the address.
    """
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with (
            urlopen(source.url, timeout=_TIMEOUT) as remote,
            open(unfinished, "wb") as file,
        ):
            shutil.copyfileobj(remote, file)
            expected = remote.headers.get("Content-Length")
            if expected and int(expected) != file.tell():
                raise OSError(f"{file.tell()} of {expected} bytes came")
        os.replace(unfinished, path)
    except OSError as error:
        files = f"{cached} and its .json, or {path},"
        raise offline(name, source.url, error, files) from error
    finally:
        unfinished.unlink(missing_ok=True)


def offline(name, address, error, paths):
    """DatasetError for a set that could not be fetched."""
    return DatasetError(
        f"{name} could not be fetched from {address} ({error}). Without a network, "
        f"copy {paths} from a machine that has one."
    )


def check_blob(source, path):
    """Raise ChecksumError unless a file has the bytes that git knows."""
    if source.blob is None:
        return
    data = path.read_bytes()
    if hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest() != source.blob:
        raise ChecksumError(
            f"{path.name} is not the file that {source.url} should be: delete it if it "
            "is there, and fetch it again."
        )


def _cached(dataset, path):
    """Arrays of a cached set, after checks."""
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as parts:
            arrays = dict(parts)
        recorded = json.loads(path.with_suffix(".json").read_text())
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise ChecksumError(
            f"{path} and its .json cannot be read ({error}): delete both, and fetch "
            f"{dataset.name} again."
        ) from error
    check(dataset, arrays, recorded, path)
    return arrays


def check(dataset, arrays, recorded, where):
    """Check the shapes, values and checksums of a set, and return these, by name.
    ChecksumError, which names the place ``where``, if they are not as expected, or as
    recorded, for arrays of which no other one is known."""
    found = {}
    for name, n_rows in zip(PARTS, dataset.n_rows):
        X, y = arrays.get(name), arrays.get(f"{name}_y")
        shape = n_rows, dataset.n_columns
        if X is None or X.shape != shape or X.dtype != np.uint8:
            raise ChecksumError(
                f"{dataset.name} in {where} should have {name} rows of shape {shape}."
            )
        if X.max() > dataset.highest or (y is not None and y.shape != (n_rows,)):
            raise ChecksumError(
                f"{dataset.name} in {where} has {name} rows above {dataset.highest}, "
                "or not as many labels as rows."
            )
    for name, array in arrays.items():
        digest = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
        expected = dataset.checksums.get(name, recorded.get(name, digest))
        if digest != expected:
            raise ChecksumError(
                f"{name} of {dataset.name} in {where} differs from the expected "
                f"data: its SHA-256 is {digest}, not {expected}. Delete it, and fetch "
                "it again."
            )
        found[name] = digest
    return found
