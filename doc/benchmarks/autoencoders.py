"""Autoencoders: time of an epoch, compared with PyTorch, and anomalies.

    python doc/benchmarks/autoencoders.py speed --torch RIVAL/bin/python
    python doc/benchmarks/autoencoders.py anomalies --data DATA

``speed``: seconds of an epoch of 784-512-784 with tanh units, batches of 100, Adam,
10,000 rows of gray values in float32, of which entries are masked with probability 0.3.
RIVAL is a virtual environment with PyTorch (2.13 on the CPU, eager, as many threads).
Processes take turns; a figure is the median of their epochs, without the first one.

``anomalies``: area under the ROC curve of scores of held-out rows, of a class that was
learned and of anomalies: rows of other classes, or rows in which two entries are those
of other rows. Default parameters; columns are standardized, or mixed.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

import numpy as np
from _processes import asked

from skdgm.options import Adam

N_ROWS, N_EPOCHS, N_ROUNDS = 10_000, 4, 2


def gray():
    """Rows of gray values, most of them zero, as of MNIST."""
    rng = np.random.default_rng(0)
    X = rng.random((N_ROWS, 784), dtype=np.float32)
    return np.where(rng.random(X.shape) < 0.2, X, 0).astype(np.float32)


def ours(X):
    """Seconds of each epoch of skdgm."""
    from skdgm import DenoisingAutoencoder

    net = DenoisingAutoencoder(
        512, learning_rate=1e-3, solver=Adam(schedule="constant"), n_iter=1
    )
    net.set_params(random_state=0)
    seconds = []
    for _ in range(N_EPOCHS):
        start = time.perf_counter()
        net.partial_fit(X)
        seconds.append(time.perf_counter() - start)
    return seconds


def theirs(X):
    """Seconds of each epoch of the same model in PyTorch, as commonly written, with the
    loss of all rows after an epoch that ours has, too."""
    import torch
    from torch import nn
    from torch.nn import functional

    torch.set_num_threads(int(os.environ["NUMBA_NUM_THREADS"]))
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(784, 512), nn.Tanh(), nn.Linear(512, 784))
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)
    rows, seconds = torch.from_numpy(X), []
    for _ in range(N_EPOCHS):
        start = time.perf_counter()
        for index in torch.split(torch.randperm(len(rows)), 100):
            x = rows[index]
            out = net(x * (torch.rand_like(x) >= 0.3))
            loss = functional.binary_cross_entropy_with_logits(out, x, reduction="sum")
            optimizer.zero_grad()
            (loss / len(x)).backward()
            optimizer.step()
        seconds.append(time.perf_counter() - start)
    return seconds


def speed(options):
    """Table of seconds of an epoch."""
    print("| threads | skdgm | PyTorch | ratio |\n|---|---|---|---|")
    for n_threads in (1, os.cpu_count()):
        times = {"ours": [], "theirs": []}
        for _ in range(N_ROUNDS):
            for who, python in ("ours", sys.executable), ("theirs", options.torch):
                times[who] += asked(__file__, n_threads, python, run=who)[1:]
        mine, other = (np.median(times[who]) for who in ("ours", "theirs"))
        print(f"| {n_threads} | {mine:.2f} s | {other:.2f} s | {mine / other:.2f} |")


def tables(options):
    """Yield sets by name: rows to learn, rows to score, and which are anomalies; None
    or the columns that are categories."""
    from _data import load
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
    parts = {"speed": speed, "anomalies": anomalies}
    parser.add_argument("part", choices=parts, nargs="?")
    parser.add_argument("--torch", default=sys.executable)
    parser.add_argument("--run", choices=("ours", "theirs"))
    parser.add_argument("--data", type=Path)
    options = parser.parse_args()
    if options.run:
        print(json.dumps({"ours": ours, "theirs": theirs}[options.run](gray())))
        return
    from _machine import describe

    print(describe(), "\n", flush=True)
    parts[options.part](options)


if __name__ == "__main__":
    main()
