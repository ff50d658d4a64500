"""Data sets, fetched from files instead of a network."""

import hashlib
import json
import os
from urllib.error import URLError

import numpy as np
import pytest
from scipy.io import savemat

from skdgm import datasets
from skdgm.datasets import images, store, tables
from skdgm.datasets.store import PARTS, Source
from skdgm.exceptions import ChecksumError, DatasetError

RNG = np.random.default_rng(0)
SIZES = 5, 3, 2
BITS = {
    part: RNG.integers(0, 2, (n, 784)).astype(np.uint8) for part, n in zip(PARTS, SIZES)
}
LABELS = {f"{part}_y": np.arange(n, dtype=np.uint8) for part, n in zip(PARTS, SIZES)}


def small(dataset, arrays, **others):
    """A set of fewer rows, with the checksums of all but the test rows."""
    known = {
        name: hashlib.sha256(part.tobytes()).hexdigest()
        for name, part in arrays.items()
        if "test" not in name and name in dataset.checksums
    }
    return dataset._replace(n_rows=SIZES, checksums=known, **others)


@pytest.fixture
def far(tmp_path):
    """A folder in place of the network."""
    folder = tmp_path / "far"
    folder.mkdir()
    return folder


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def bits(monkeypatch, far):
    sources = [Source((far / f"bits_{part}.amat").as_uri()) for part in PARTS]
    for part in PARTS:
        rows = "\n".join(" ".join(map(str, row)) + " " for row in BITS[part])
        (far / f"bits_{part}.amat").write_text(rows + "\n")
    monkeypatch.setattr(images, "_BITS", sources)
    monkeypatch.setattr(images, "BINARIZED_MNIST", small(images.BINARIZED_MNIST, BITS))
    return datasets.fetch_binarized_mnist


def test_bits(bits, home, far):
    with pytest.raises(DatasetError, match="download_if_missing=False"):
        bits(data_home=home, download_if_missing=False)
    found = bits(data_home=home)
    np.testing.assert_array_equal(found.data, BITS["train"])
    assert found.data.dtype == np.uint8
    assert found.target is None
    assert found.image_shape == (28, 28)
    assert "Larochelle" in found.DESCR
    # From now on without the network.
    for file in far.iterdir():
        file.unlink()
    X, y = bits(subset="test", data_home=home, return_X_y=True)
    np.testing.assert_array_equal(X, BITS["test"])
    assert y is None
    X = bits(subset="all", data_home=home, download_if_missing=False).data
    np.testing.assert_array_equal(X, np.concatenate([BITS[part] for part in PARTS]))
    assert sorted(os.listdir(home / "skdgm")) == [
        "binarized_mnist.json",
        "binarized_mnist.npz",
    ]
    for subset in "both", np.arange(2), {}:
        with pytest.raises(ValueError, match="subset must be one of"):
            bits(subset=subset, data_home=home)


def test_no_network(bits, home, far):
    (far / "bits_valid.amat").unlink()
    told = r"binarized_mnist could not be fetched from file:.*Without a network, "
    told += r"copy .*binarized_mnist.npz and its .json, or .*bits_valid.amat, from a "
    with pytest.raises(DatasetError, match=told):
        bits(data_home=home)
    # No half of a file.
    assert not os.listdir(home / "skdgm")
    rows = "\n".join(" ".join(map(str, row)) for row in BITS["valid"])
    (home / "skdgm" / "bits_valid.amat").write_text(rows)
    np.testing.assert_array_equal(
        bits(subset="valid", data_home=home).data, BITS["valid"]
    )
    assert (home / "skdgm" / "bits_valid.amat").exists()


def test_other_data_than_expected(bits, home, far):
    text = (far / "bits_train.amat").read_text()
    for changed, told in (
        (
            text.replace("1", "0", 1),
            "train of binarized_mnist in what was fetched differs from",
        ),
        (text[: text.index("\n")], "should have train rows of shape"),
        (text.replace("1", "2", 1), "has train rows above 1"),
        ("<html>not found</html>", "cannot be read"),
        ("", "should have train rows of shape"),
    ):
        (far / "bits_train.amat").write_text(changed)
        with pytest.raises(ChecksumError, match=told):
            bits(data_home=home)
    assert not os.listdir(home / "skdgm")


def test_a_copy_that_changed(bits, home):
    bits(data_home=home)
    path = home / "skdgm" / "binarized_mnist.npz"
    data = path.read_bytes()
    # Rows whose checksum is known only from the first time.
    with np.load(path) as file:
        arrays = dict(file)
    arrays["test"] = 1 - arrays["test"]
    np.savez_compressed(path, **arrays)
    with pytest.raises(ChecksumError, match=r"test of binarized_mnist in .* Delete it"):
        bits(data_home=home)
    path.write_bytes(data[:-100])
    with pytest.raises(ChecksumError, match="cannot be read .*: delete both"):
        bits(data_home=home)
    path.write_bytes(data)
    path.with_suffix(".json").write_text("{")
    with pytest.raises(ChecksumError, match="cannot be read .*: delete both"):
        bits(data_home=home)
    path.with_suffix(".json").unlink()
    with pytest.raises(ChecksumError, match="cannot be read .*: delete both"):
        bits(data_home=home)


def test_a_download_that_ends_early(bits, home, monkeypatch):
    class Short:
        """An answer with fewer bytes than it says."""

        headers = {"Content-Length": "100"}

        def __init__(self):
            self.parts = [b"0 1", b""]

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def read(self, *_):
            return self.parts.pop(0)

    monkeypatch.setattr(store, "urlopen", lambda *_, **__: Short())
    with pytest.raises(DatasetError, match="3 of 100 bytes came"):
        bits(data_home=home)
    assert not os.listdir(home / "skdgm")


def test_silhouettes(home, far, monkeypatch):
    names = {"train": "train", "valid": "val", "test": "test"}
    path = far / "silhouettes.mat"
    parts = {f"{names[part]}_data": BITS[part] for part in PARTS}
    labels = {f"{names[part]}_labels": LABELS[f"{part}_y"][:, None] for part in PARTS}
    savemat(path, {k: v.astype(float) for k, v in (parts | labels).items()})
    monkeypatch.setattr(images, "_SILHOUETTES", Source(path.as_uri()))
    smaller = small(images.SILHOUETTES, BITS | LABELS)
    monkeypatch.setattr(images, "SILHOUETTES", smaller)
    X, y = datasets.fetch_caltech_silhouettes(data_home=home, return_X_y=True)
    np.testing.assert_array_equal(X, BITS["train"])
    np.testing.assert_array_equal(y, LABELS["train_y"])
    y = datasets.fetch_caltech_silhouettes(subset="all", data_home=home).target
    np.testing.assert_array_equal(y, np.concatenate(list(LABELS.values())))


def test_mnist(home, monkeypatch):
    def openml(name, *, version, data_home, return_X_y, as_frame, parser):
        assert (name, version, return_X_y, as_frame) == ("mnist_784", 1, True, False)
        assert data_home == home
        y = np.concatenate(list(LABELS.values()))
        return np.concatenate([*BITS.values()]) * 255, y.astype(str).astype(object)

    gray = {name: part * np.uint8(255) for name, part in BITS.items()}
    monkeypatch.setattr(images, "_SIZES", SIZES)
    monkeypatch.setattr(images, "MNIST", small(images.MNIST, gray | LABELS))
    monkeypatch.setattr(images, "fetch_openml", openml)
    found = datasets.fetch_mnist(subset="valid", data_home=home)
    np.testing.assert_array_equal(found.data, gray["valid"])
    np.testing.assert_array_equal(found.target, LABELS["valid_y"])
    assert found.target.dtype == np.uint8

    def unreachable(*_, **__):
        raise URLError("no network")

    monkeypatch.setattr(images, "fetch_openml", unreachable)
    (home / "skdgm" / "mnist.npz").unlink()
    with pytest.raises(DatasetError, match="mnist could not be fetched from openml"):
        datasets.fetch_mnist(data_home=home)


def blob(data):
    """The id that git gives to a file."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def test_tables(home, far, monkeypatch):
    rows = {part: BITS[part][:, :16] for part in PARTS}
    folder = far / "nltcs"
    folder.mkdir()
    blobs = []
    for part in PARTS:
        text = "".join(",".join(map(str, row)) + "\n" for row in rows[part])
        (folder / f"nltcs.{part}.data").write_text(text)
        blobs.append(blob(text.encode()))
    monkeypatch.setattr(tables, "_DEBD", far.as_uri())
    table = tables._table("nltcs", SIZES, 16, blobs)
    monkeypatch.setitem(tables.TABLES, "nltcs", table)
    found = datasets.fetch_binary_table("nltcs", subset="all", data_home=home)
    np.testing.assert_array_equal(found.data, np.concatenate([*rows.values()]))
    assert "5, 3 and 2 rows of 16 columns" in found.DESCR
    (home / "skdgm" / "nltcs.npz").unlink()
    (folder / "nltcs.test.data").write_text("0\n")
    with pytest.raises(ChecksumError, match=r"nltcs\.test\.data is not the file that"):
        datasets.fetch_binary_table("nltcs", data_home=home)
    with pytest.raises(ValueError, match="name must be one of"):
        datasets.fetch_binary_table({})
    with pytest.raises(ValueError, match="name must be one of"):
        datasets.fetch_binary_table("nonsense")


def test_dna(home, far, monkeypatch):
    rows = {part: BITS[part][:, :180] for part in PARTS}
    data = {f"{part}_data": X.astype(np.float32) for part, X in rows.items()}
    np.savez(far / "dna.npz", **data)
    source = Source((far / "dna.npz").as_uri(), blob((far / "dna.npz").read_bytes()))
    monkeypatch.setattr(tables, "_DNA", source)
    dna = tables.TABLES["dna"]._replace(n_rows=SIZES)
    monkeypatch.setitem(tables.TABLES, "dna", dna)
    X, _ = datasets.fetch_binary_table("dna", data_home=home, return_X_y=True)
    np.testing.assert_array_equal(X, rows["train"])


def test_what_is_known_of_the_sets():
    every = [images.MNIST, images.BINARIZED_MNIST, images.SILHOUETTES]
    every += tables.TABLES.values()
    for dataset in every:
        assert dataset.name in dataset.about or dataset.image_shape
        assert len(dataset.n_rows) == 3
        assert all(len(digest) == 64 for digest in dataset.checksums.values())
    assert len({dataset.name for dataset in every}) == 14
    assert tables._DNA.name == "dna.npz"
    assert json.dumps([dataset.checksums for dataset in every])


def test_shapes_and_sizes_of_the_sets():
    for dataset in (images.MNIST, images.BINARIZED_MNIST, images.SILHOUETTES):
        assert np.prod(dataset.image_shape) == dataset.n_columns == 784
    assert [sum(s.n_rows) for s in (images.MNIST, images.SILHOUETTES)] == [70_000, 8671]
    assert images.MNIST.highest == 255
    tables_of = tables.TABLES
    assert {name for name in tables_of if tables_of[name].image_shape} == {
        "ocr_letters"
    }
    assert np.prod(tables_of["ocr_letters"].image_shape) == 128
    assert tables_of["dna"].n_rows == (1400, 600, 1186)
    assert {name: t.n_columns for name, t in tables_of.items()} == {
        **{"accidents": 111, "adult": 123, "baudio": 100, "connect4": 126, "dna": 180},
        **{"jester": 100, "mushrooms": 112, "nips": 500, "nltcs": 16},
        **{"ocr_letters": 128, "plants": 69},
    }
    assert all(t.highest == 1 for t in tables_of.values())
