"""Image data sets: MNIST, binarized MNIST and Caltech 101 silhouettes."""

from importlib.util import find_spec
from typing import Literal

import numpy as np
from scipy.io import loadmat
from sklearn.datasets import fetch_openml
from sklearn.utils import Bunch

from skdgm.datasets.store import PARTS, Dataset, Source, fetch, offline
from skdgm.typing import PathLike

_TORONTO = "http://www.cs.toronto.edu/~larocheh/public/datasets/binarized_mnist/"
_BITS = [Source(f"{_TORONTO}binarized_mnist_{part}.amat") for part in PARTS]
_SILHOUETTES = Source(
    "https://people.cs.umass.edu/~marlin/data/caltech101_silhouettes_28_split1.mat"
)
_SIZES = 50_000, 10_000, 10_000


def _read_mnist(get, data_home):
    # The default parser needs pandas, an extra.
    parser = "pandas" if find_spec("pandas") else "liac-arff"
    options = {"version": 1, "return_X_y": True, "as_frame": False, "parser": parser}
    try:
        X, y = fetch_openml("mnist_784", data_home=data_home, **options)
    except OSError as error:
        cached = "the folder skdgm, or openml, of scikit-learn's data home"
        raise offline("mnist", "openml.org", error, cached) from error
    X, y = X.astype(np.uint8), y.astype(np.uint8)
    ends = np.cumsum(_SIZES)[:-1]
    arrays = dict(zip(PARTS, np.split(X, ends)))
    return arrays | {f"{name}_y": part for name, part in zip(PARTS, np.split(y, ends))}


def _read_bits(get, data_home):
    def bits(path):
        # Each pixel is a character, followed by a space or a new line.
        data = np.frombuffer(path.read_bytes().translate(None, b" \r\n"), np.uint8)
        return (data - ord("0")).reshape(-1, 784)

    return {name: bits(get(source)) for name, source in zip(PARTS, _BITS)}


def _read_silhouettes(get, data_home):
    file = loadmat(get(_SILHOUETTES))
    arrays = {}
    for name, file_part in zip(PARTS, ("train", "val", "test")):
        arrays[name] = np.ascontiguousarray(file[f"{file_part}_data"], dtype=np.uint8)
        arrays[f"{name}_y"] = file[f"{file_part}_labels"].ravel().astype(np.uint8)
    return arrays


MNIST = Dataset(
    "mnist",
    _read_mnist,
    _SIZES,
    784,
    255,
    """MNIST: handwritten digits

70,000 images of 28 x 28 pixels from 0 to 255, labels 0 to 9, from OpenML (mnist_784,
version 1), which keeps the order of the original files. The 60,000 training images are
divided into the first 50,000 (train) and the last 10,000 (valid).

LeCun, Bottou, Bengio and Haffner (1998). Gradient-based learning applied to document
recognition. Proceedings of the IEEE 86.
""",
    (28, 28),
    {
        "train": "c80ceb24eedca80f31cfca280b8fb911cbb41b9990f998bebd40e26b1ab6d0f8",
        "valid": "2b079632b0defaf508a5ebf8c4ac1e18ce15c8b337da087e9c3e1c84c618d244",
        "train_y": "6072d13d0c3b831e9e4dc3ba693426579504082fc45c186db0f74c0a3092638d",
        "valid_y": "f46875b7c22368a38a50c5c7639c3842341b81fe4d628c55fa1818e21e96ab3b",
    },
)
BINARIZED_MNIST = Dataset(
    "binarized_mnist",
    _read_bits,
    _SIZES,
    784,
    1,
    """Binarized MNIST: one fixed draw of the bits of MNIST

50,000, 10,000 and 10,000 images of 28 x 28 bits, without labels: the files of
Larochelle and Murray, with which autoregressive models are compared. Likelihoods of
models that are trained or tested on other draws, or on thresholded pixels, are not
comparable. Test rows are sorted by digit.

Salakhutdinov and Murray (2008). On the quantitative analysis of deep belief networks.
ICML. Larochelle and Murray (2011). The neural autoregressive distribution estimator.
AISTATS.
""",
    (28, 28),
    {
        "train": "43490d4d6ac9002727af4426d8748609fdb7e4094fa65ad8d681ea60082a7a5a",
        "valid": "069b4f0beb389b776478c3e872b4df71c95ac4be64d7cbe6d32e24ebac8e6d5e",
    },
)
SILHOUETTES = Dataset(
    "caltech101_silhouettes",
    _read_silhouettes,
    (4100, 2264, 2307),
    784,
    1,
    """Caltech 101 silhouettes

4,100, 2,264 and 2,307 silhouettes of objects, 28 x 28 bits, labels 1 to 101. Images are
column by column, as in the file: transpose them to look at them.

Marlin, Swersky, Chen and de Freitas (2010). Inductive principles for restricted
Boltzmann machine learning. AISTATS.
""",
    (28, 28),
    {
        "train": "e16c69228270895ecb557b51da4924fbb288b477fd5923c533614c3159aaccc3",
        "valid": "67a4e3a2ee22d8dce7242c3227f1bd643554efcbdb4d6cce6249832f7d623754",
        "train_y": "ceea4e4868a5be4e79438fa7a7e3379fa03bb0aebc9753af708a9aeb3c35d44a",
        "valid_y": "facd8da6a7aeeb9cf52a9d00bd6c384cdcf8dc416ed8f812acab132f092b4846",
    },
)


def fetch_mnist(
    *,
    subset: Literal["train", "valid", "test", "all"] = "train",
    data_home: PathLike | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
) -> Bunch:
    """Fetch MNIST: 28 x 28 images of digits with labels, gray values 0 to 255.

    The data are from OpenML. Training and validation rows are verified by known SHA-256
    checksums, and test rows by the checksum that was recorded at the first download.

    Parameters
    ----------
    subset : {"train", "valid", "test", "all"}, default="train"
        50,000, 10,000 and 10,000 rows. The first two are the original training set.
    data_home : str or path-like, default=None
        Folder for the data; by default scikit-learn's data home.
    download_if_missing : bool, default=True
        Whether to download the data if there is no copy; otherwise DatasetError is
        raised.
    return_X_y : bool, default=False
        Whether to return only the rows and the labels.

    Returns
    -------
    found : Bunch
        ``data``, an array of uint8 of shape (n_samples, 784), ``target``, ``DESCR``,
        ``image_shape`` and ``subset``; or the tuple (data, target).

    Raises
    ------
    DatasetError
        There is no copy and no network.
    ChecksumError
        The copy or the downloaded data differ from this data set.
    """
    return fetch(MNIST, subset, data_home, download_if_missing, return_X_y)


def fetch_binarized_mnist(
    *,
    subset: Literal["train", "valid", "test", "all"] = "train",
    data_home: PathLike | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
) -> Bunch:
    """Fetch binarized MNIST, the fixed bits of Larochelle and Murray, without labels.

    Training and validation rows are verified by known SHA-256 checksums, and test rows
    by the checksum that was recorded at the first download.

    Parameters
    ----------
    subset : {"train", "valid", "test", "all"}, default="train"
        50,000, 10,000 and 10,000 rows.
    data_home : str or path-like, default=None
        Folder for the data; by default scikit-learn's data home.
    download_if_missing : bool, default=True
        Whether to download the data if there is no copy; otherwise DatasetError is
        raised.
    return_X_y : bool, default=False
        Whether to return only the rows and None.

    Returns
    -------
    found : Bunch
        ``data``, an array of uint8 of shape (n_samples, 784), ``target`` (None),
        ``DESCR``, ``image_shape`` and ``subset``; or the tuple (data, None).

    Raises
    ------
    DatasetError
        There is no copy and no network.
    ChecksumError
        The copy or the downloaded data differ from this data set.
    """
    return fetch(BINARIZED_MNIST, subset, data_home, download_if_missing, return_X_y)


def fetch_caltech_silhouettes(
    *,
    subset: Literal["train", "valid", "test", "all"] = "train",
    data_home: PathLike | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
) -> Bunch:
    """Fetch the Caltech 101 silhouettes, 28 x 28 bits, with labels.

    Training and validation rows are verified by known SHA-256 checksums, and test rows
    by the checksum that was recorded at the first download.

    Parameters
    ----------
    subset : {"train", "valid", "test", "all"}, default="train"
        4,100, 2,264 and 2,307 rows.
    data_home : str or path-like, default=None
        Folder for the data; by default scikit-learn's data home.
    download_if_missing : bool, default=True
        Whether to download the data if there is no copy; otherwise DatasetError is
        raised.
    return_X_y : bool, default=False
        Whether to return only the rows and the labels.

    Returns
    -------
    found : Bunch
        ``data``, an array of uint8 of shape (n_samples, 784), ``target``, 1 to 101,
        ``DESCR``, ``image_shape`` and ``subset``; or the tuple (data, target).

    Raises
    ------
    DatasetError
        There is no copy and no network.
    ChecksumError
        The copy or the downloaded data differ from this data set.
    """
    return fetch(SILHOUETTES, subset, data_home, download_if_missing, return_X_y)
