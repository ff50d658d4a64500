"""Download, verification and caching of data sets.

A data set is cached as one .npz file with its parts ``train``, ``valid`` and ``test``
and their labels. Their SHA-256 checksums are compared at each call with the values in
this package or, without these, with those recorded at the first download.
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
    """URL of a public file, and the git blob id of its content, if known."""

    url: str
    blob: str | None = None

    @property
    def name(self):
        """Name of the file."""
        return self.url.rsplit("/")[-1]


class Dataset(NamedTuple):
    """Data set with a fixed division into parts, and values from 0 to ``highest``.

    ``read(get, data_home)`` returns the parts as a dict of arrays; ``get(source)``
    returns the path of a source, after a download if necessary. ``about`` is a
    description, and ``checksums`` are the SHA-256 of parts and labels (such as
    ``train_y``) as arrays of uint8.
    """

    name: str
    read: object
    n_rows: tuple
    n_columns: int
    highest: int
    about: str
    image_shape: tuple | None = None
    checksums: dict = {}


def fetch(dataset, subset, data_home, download_if_missing, return_X_y):
    """Fetch "train", "valid", "test" or "all" of a data set: a Bunch, or (X, y)."""
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
    description = {"image_shape": dataset.image_shape, "DESCR": dataset.about}
    return Bunch(data=X, target=y, subset=subset, **description)


def _keep(dataset, folder, data_home, path):
    """Read a data set from its sources, verify it, and cache it with its checksums."""
    fetched = []

    def get(source):
        checksums = folder / source.name
        if not checksums.exists():
            fetched.append(checksums)
            download(source, checksums, dataset.name, path)
        check_blob(source, checksums)
        return checksums

    try:
        arrays = dataset.read(get, data_home)
        checksums = check(dataset, arrays, {}, "what was fetched")
    except (DatasetError, MemoryError):
        raise
    # All errors that parsers raise for invalid input.
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
    path.with_suffix(".json").write_text(json.dumps(checksums, indent=1))
    os.replace(unfinished, path)


def download(source, path, name, cached):
    """Download a file, completely or not at all.

    DatasetError if there is no network, or nothing at the address.
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
    """DatasetError for a data set that could not be downloaded."""
    return DatasetError(
        f"{name} could not be fetched from {address} ({error}). Without a network, "
        f"copy {paths} from a machine that has one."
    )


def check_blob(source, path):
    """Raise ChecksumError unless the content of a file has the git blob id."""
    if source.blob is None:
        return
    data = path.read_bytes()
    if hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest() != source.blob:
        raise ChecksumError(
            f"{path.name} is not the file that {source.url} should be: delete it if it "
            "is there, and fetch it again."
        )


def _cached(dataset, path):
    """Arrays of a cached data set, after verification."""
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
    """Verify shapes, values and checksums of a data set; return checksums by name.

    Arrays without a known checksum are compared with the recorded one. ChecksumError
    names the place ``where`` of the data.
    """
    checksums = {}
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
        checksums[name] = digest
    return checksums
