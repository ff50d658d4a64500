"""Binary tables: the suite of Larochelle and Murray, and further tables."""

import warnings
from typing import Literal

import numpy as np
from sklearn.utils import Bunch

from skdgm.datasets.store import PARTS, Dataset, Source, fetch
from skdgm.typing import PathLike

# Name of each table, sizes of its parts, number of columns, and git blob ids of the
# files of the parts at this commit.
_DEBD = (
    "https://raw.githubusercontent.com/arranger1044/DEBD/"
    "850908666388f1b1c766a304b37dae14613f1e51/datasets"
)
_TABLES = """
accidents 12758 1700 2551 111
cefacb1816aec82768b2786006b3999d008def9f e7ac288dfa26a82b3dcf75ebe0812be98672d459
25ff1e5d35f133d0f28f1b511c62b58761e9ca68
adult 5000 1414 26147 123
101be82a729802294177e86594095fa14fc5d5ca 1d1f0853a75e2db49968c3380d5db92692c7d26a
ca1a6642228f20971897abba6fb5ddc620bc80a3
baudio 15000 2000 3000 100
53b36fd25aab0415e83d7d0b68979404b11a0eb0 049656e05dec8a816429a2fb250b5ed1f7168eae
3e07f701215c85bd4368828074567218c8e1ab9b
connect4 16000 4000 47557 126
93b42c60aeca67df76fd821ef0ae5b8ceb8b8b01 71f641a9b87507bb3e9f930c455748f118a6c9e0
088e6da63a6e9d5cab1af67518fd6b202cef6f51
jester 9000 1000 4116 100
bfb2d367627f73eccea33606e8f0633970d7a59a 48e7a863427503785fe8509c7261cb821cee6c68
cb8e29d787084cf9d511355fbc9ac747ca2860ec
mushrooms 2000 500 5624 112
563ba3a28eb60c63fc39b46134d5914738e7a09e 9f125c50d027c89cc56a704c5b3c4db6bb165893
1372a949dbcf6bc62e19885d59dac25f8f88477f
nips 400 100 1240 500
583d8a180c2851793724e6d93f701966a079c817 5e0137e210086a03b342a692705bd806b90f4c3c
8787df72842c24be8af223ddd773998c5095b65f
nltcs 16181 2157 3236 16
8c47cc2d814ec699f6d509d4a77dd10ffa2f8a33 717b851a5d543747dd0e7eab65af54b01ecb52ff
127d1f67947bf06d872b2a6c5178374727df8233
ocr_letters 32152 10000 10000 128
5deb8ce789bfb4f94849b1b5f57e7c841ec9f538 ebbd09fef2383f0b507ee4addd17f0c5f3b4313b
25b4cdcc1b5fb8602a4baacf7df16bd15947565c
plants 17412 2321 3482 69
3e6263dd8dc8ea93d37db22b05334b0a9b862f29 1a4fe9824e52a573ff7386786caf765f804cdf19
e1e04c157a53499fc94c67279cc98963ab38c156
"""
# DEBD divides the rows of this table differently.
_DNA = Source(
    "https://raw.githubusercontent.com/mgermain/MADE/"
    "514849eb9451311c02049f9e2d9a17fac589996a/datasets/dna.npz",
    "6375b479f1a0c6cdc4ff836d7e53c0814e10873f",
)
_ABOUT = """{name}: a table of bits

{sizes} rows of {n_columns} columns, of the tables by which density estimators of bits
are compared, in the usual division into training, validation and test rows; without
labels. From {url}.

Larochelle and Murray (2011). The neural autoregressive distribution estimator. AISTATS.
Van Haaren and Davis (2012). Markov network structure learning: a randomized feature
generation approach. AAAI.
"""


def _reader(sources):
    def read(get, data_home):
        return {name: _bits(get(source)) for name, source in zip(PARTS, sources)}

    return read


def _bits(path):
    """Rows of a text file of comma-separated zeros and ones."""
    lines = path.read_bytes().splitlines()
    rows = [np.frombuffer(line.replace(b",", b""), np.uint8) for line in lines]
    return np.array(rows) - np.uint8(ord("0"))


def _read_dna(get, data_home):
    with warnings.catch_warnings():
        # The file was written by Python 2.
        warnings.filterwarnings("ignore", "Reading .*header parsing", UserWarning)
        with np.load(get(_DNA), allow_pickle=False) as file:
            return {name: file[f"{name}_data"].astype(np.uint8) for name in PARTS}


def _dataset(name, n_rows, n_columns, read, url):
    n_train, n_valid, n_test = n_rows
    sizes = f"{n_train:,}, {n_valid:,} and {n_test:,}"
    about = _ABOUT.format(name=name, sizes=sizes, n_columns=n_columns, url=url)
    shape = (16, 8) if name == "ocr_letters" else None
    return Dataset(name, read, n_rows, n_columns, 1, about, shape)


def _table(name, n_rows, n_columns, blobs):
    sources = [
        Source(f"{_DEBD}/{name}/{name}.{part}.data", blob)
        for part, blob in zip(PARTS, blobs)
    ]
    return _dataset(name, n_rows, n_columns, _reader(sources), _DEBD)


TABLES = {
    name: _table(name, tuple(map(int, sizes)), int(n_columns), blobs)
    for name, *sizes, n_columns, blobs in (
        (*row[:5], row[5:]) for row in np.reshape(_TABLES.split(), (-1, 8)).tolist()
    )
}
TABLES["dna"] = _dataset("dna", (1400, 600, 1186), 180, _read_dna, _DNA.url)


def fetch_binary_table(
    name: str,
    *,
    subset: Literal["train", "valid", "test", "all"] = "train",
    data_home: PathLike | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
) -> Bunch:
    """Fetch one of the binary tables on which density estimators are compared.

    Files are downloaded from a fixed commit of a public repository and verified by
    their git blob ids.

    Parameters
    ----------
    name : {"accidents", "adult", "baudio", "connect4", "dna", "jester", "mushrooms", \
            "nips", "nltcs", "ocr_letters", "plants"}
    subset : {"train", "valid", "test", "all"}, default="train"
        Part of the usual division; ``DESCR`` has the sizes.
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
        ``data``, an array of uint8 of shape (n_samples, n_features), ``target`` (None),
        ``DESCR``, ``image_shape`` and ``subset``; or the tuple (data, None).

    Raises
    ------
    DatasetError
        There is no copy and no network.
    ChecksumError
        The copy or the downloaded data differ from this data set.
    """
    if not isinstance(name, str) or name not in TABLES:
        raise ValueError(f"name must be one of {sorted(TABLES)}; got {name!r}.")
    return fetch(TABLES[name], subset, data_home, download_if_missing, return_X_y)
