"""Classification errors on features of models with default parameters.

    python doc/benchmarks/deep_features.py [--data FOLDER] [--only SET ...]

Errors of ``make_pipeline(MinMaxScaler(clip=True), model, LogisticRegression())`` on
held-out rows, compared with the same pipeline without a model, and the seconds that
each took to train. FOLDER holds the benchmark sets, read by its ``load.py``; without it
only scikit-learn's bundled digits are used, in five folds.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
from _data import load
from _machine import describe
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skdgm import DBM, DBN, BernoulliRBM

SETS = ["digits", "usps", "ocr_letters", "caltech101_silhouettes", "adult"]
MODELS = {"columns": None, "BernoulliRBM": BernoulliRBM, "DBN": DBN, "DBM": DBM}


def splits(folder, name):
    """Yield rows and labels for training, and held-out rows and labels."""
    if name == "digits":
        X, y = load_digits(return_X_y=True)
        X = X.astype(np.float32)
        for train, test in StratifiedKFold(5).split(X, y):
            yield (X[train], y[train]), (X[test], y[test])
        return
    data = load(folder, name)
    train, valid = (data[part].astype(np.float32) for part in ("train", "valid"))
    yield (train, data["train_y"]), (valid, data["valid_y"])


def error(model, folder, name):
    """Error in % on held-out rows, and seconds to train; means over the folds."""
    found = []
    for train, held_out in splits(folder, name):
        steps = [] if model is None else [model(random_state=0)]
        classify = LogisticRegression(max_iter=1000)
        start = time.perf_counter()
        pipeline = make_pipeline(MinMaxScaler(clip=True), *steps, classify).fit(*train)
        seconds = time.perf_counter() - start
        found.append((100 - 100 * pipeline.score(*held_out), seconds))
    return np.mean(found, axis=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--only", nargs="+", default=SETS)
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    options = parser.parse_args()
    names = options.only if options.data else ["digits"]
    print(describe())
    print("\n| error in % (seconds) | " + " | ".join(options.models) + " |")
    print("|---" * (1 + len(options.models)) + "|")
    for name in names:
        print(f"| {name}", end="", flush=True)
        for model in options.models:
            percent, seconds = error(MODELS[model], options.data, name)
            print(f" | {percent:.2f} ({seconds:.0f})", end="", flush=True)
        print(" |", flush=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
