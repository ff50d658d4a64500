"""Anomalies by autoencoders.

    python doc/benchmarks/autoencoders.py --data DATA

Area under the ROC curve of scores of held-out rows, of a class that was learned and of
anomalies: rows of other classes, or rows in which two entries are those of other rows.
Default parameters; columns are standardized, or mixed.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from _data import load
from _machine import describe


def tables(options):
    """Yield sets by name: rows to learn, rows to score, and which are anomalies; None
    or the columns that are categories."""
    from sklearn import datasets

    rng = np.random.default_rng(0)
    for name, normal in ("breast_cancer", 1), ("wine", 1), ("iris", 1), ("digits", 8):
        X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        inside = rng.permutation(np.flatnonzero(y == normal))
        half = len(inside) // 2
        test = np.concatenate([inside[half:], np.flatnonzero(y != normal)])
        yield name, X[inside[:half]], X[test], y[test] != normal, None
    if options.data:
        found = load(options.data, "adult_mixed")
        X, V = (found[part].astype(np.float32) for part in ("train", "valid"))
        X[X < 0], V[V < 0] = np.nan, np.nan
        odd = np.arange(len(V)) % 2 == 1
        for row in np.flatnonzero(odd):
            for j in rng.choice(V.shape[1], 2, replace=False):
                V[row, j] = X[rng.integers(len(X)), j]
        yield "adult_mixed", X, V, odd, found["is_categorical"]


def scores(X, V, coded):
    """Yield scores of anomalies by name, and seconds."""
    from sklearn.compose import make_column_transformer
    from sklearn.decomposition import PCA
    from sklearn.ensemble import IsolationForest
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    from skdgm import Autoencoder, ContractiveAutoencoder, DenoisingAutoencoder

    kinds, plain = "gaussian", StandardScaler()
    if coded is not None:
        names = [("categorical" if own else "numeric") for own in coded]
        kinds, real = tuple(names), np.flatnonzero(~coded)
        codes = make_pipeline(
            SimpleImputer(strategy="most_frequent"),
            OneHotEncoder(handle_unknown="ignore", sparse_output=False),
        )
        plain = make_column_transformer((codes, np.flatnonzero(coded)), (plain, real))
    A, B = plain.fit(X).transform(X), plain.transform(V)
    start = time.perf_counter()
    found = -IsolationForest(random_state=0).fit(A).score_samples(B)
    yield "IsolationForest", found, time.perf_counter() - start
    start = time.perf_counter()
    pca = PCA(0.9).fit(A)
    found = ((pca.inverse_transform(pca.transform(B)) - B) ** 2).sum(axis=1)
    yield "PCA", found, time.perf_counter() - start
    for kind in Autoencoder, DenoisingAutoencoder, ContractiveAutoencoder:
        start = time.perf_counter()
        net = kind(column_types=kinds, random_state=0).fit(X)
        found = -net.score_samples(V)
        yield kind.__name__, found, time.perf_counter() - start


def anomalies(options):
    """Table of areas under ROC curves."""
    from sklearn.metrics import roc_auc_score

    for number, (name, X, V, odd, coded) in enumerate(tables(options)):
        found = list(scores(X, V, coded))
        if not number:
            print("| set |", " | ".join(own[0] for own in found), "|")
            print("|---" * (len(found) + 1) + "|")
        areas = [f"{roc_auc_score(odd, own):.3f} ({s:.1f} s)" for _, own, s in found]
        print(f"| {name} |", " | ".join(areas), "|", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path)
    options = parser.parse_args()
    print(describe(), "\n", flush=True)
    anomalies(options)


if __name__ == "__main__":
    main()
