"""Kinds of the values of arrays, as ``column_types="auto"`` reads them, by set.

    python doc/benchmarks/kinds.py [--data DATA] [--csv FOLDER] [--readings NAME ...]

Sets of bits, pixels, probabilities, scaled columns, counts and tables of which it is
known what they are; more of them with DATA, a folder or "public" (see ``_data.py``).
``r`` is the share of the variance of bits that columns of eight values and more have.
With a FOLDER of CSV files, none of which has pixels or probabilities, columns are
scaled in several ways, and the files named that are read as levels or as gray.
``--readings`` fits models that read sets (all, if none are named) as bits and as real
columns to 250 rows: test accuracy, %, and the error of 30 % of the entries imputed.
"""

import argparse
import inspect
import warnings
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp
from _data import load
from _machine import describe
from sklearn import datasets
from sklearn.decomposition import LatentDirichletAllocation
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.image import extract_patches_2d
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import cross_val_predict, train_test_split
from sklearn.neural_network import BernoulliRBM
from sklearn.preprocessing import (
    MinMaxScaler,
    OneHotEncoder,
    QuantileTransformer,
    StandardScaler,
    normalize,
)
from sklearn.utils import all_estimators
from threadpoolctl import threadpool_limits

import skdgm
from skdgm.data.auto import top_of_gray
from skdgm.utils.threading.parallel import limit

N_ROWS, N_TRAINED = 3000, 250
# What is right: two names where both readings are.
BITS, LEVELS, GRAY, NUMBERS = "bits", "levels", "gray", "numbers"
EITHER, PIXELS = (GRAY, NUMBERS), (LEVELS, NUMBERS)
CLASSIFIERS = (
    skdgm.RBMClassifier,
    skdgm.DBNClassifier,
    skdgm.StackedAutoencoderClassifier,
)
IMPUTERS = skdgm.VAE, skdgm.RBM


def bundled(name):
    """Rows and classes of a set of scikit-learn, or whether targets are high."""
    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    return X, y > np.median(y) if name == "diabetes" else y


def rescaled(X):
    return MinMaxScaler().fit_transform(X)


def clipped(X):
    """Columns in [0, 1], the lowest and the highest twentieth of their values at these
    ends."""
    low, high = np.nanquantile(X, (0.05, 0.95), axis=0)
    return np.clip((X - low) / np.where(high > low, high - low, 1), 0, 1)


def uniform(X):
    return QuantileTransformer(n_quantiles=min(100, len(X))).fit_transform(X)


def holed(X):
    return np.where(np.random.default_rng(0).random(X.shape) < 0.1, np.nan, X)


def pooled(X, side, size):
    """Means of squares of images."""
    squares = X.reshape(len(X), side // size, size, side // size, size)
    return squares.mean(axis=(2, 4)).reshape(len(X), -1)


def patches(index, shape, n=2000):
    """Patches of a photograph, gray or in colors, as bytes."""
    photograph = datasets.load_sample_images().images[index]
    if index == 0:
        photograph = np.rint(photograph @ [0.299, 0.587, 0.114])
    found = extract_patches_2d(photograph, shape, max_patches=n, random_state=0)
    return found.reshape(n, -1)


def words(n_words):
    """Counts of words in scikit-learn's docstrings."""
    found = {}
    for _, kind in all_estimators():
        public = (own for name, own in vars(kind).items() if name[0] != "_")
        for own in (kind, *filter(callable, public)):
            found[inspect.getdoc(own) or ""] = None
    texts = [text for text in found if len(text) > 300]
    return CountVectorizer(max_features=n_words).fit_transform(texts)


def ratings(low, high):
    """Answers to 20 questions, by two traits."""
    rng = np.random.default_rng(0)
    traits = rng.normal(size=(1000, 2)) @ rng.normal(size=(2, 20))
    n_levels = high - low + 1
    noise = rng.normal(size=traits.shape) + rng.normal(size=20)
    steps = np.floor(((traits + noise) / 4 + 0.5) * n_levels)
    return low + np.clip(steps, 0, n_levels - 1)


def drawn(draw):
    return draw(np.random.default_rng(0))


def predicted(model, name):
    """Probabilities of classes by cross-validation."""
    X, y = bundled(name)
    return cross_val_predict(model, X, y, method="predict_proba"), y


def memberships():
    X, y = bundled("breast_cancer")
    X = StandardScaler().fit_transform(X)
    mixture = GaussianMixture(8, reg_covar=1e-3, random_state=0)
    return mixture.fit(X).predict_proba(X), y


def shares(rng, n_tosses=None):
    """Probabilities by three factors, or frequencies in so many tosses."""
    logits = rng.normal(size=(800, 3)) @ rng.normal(size=(3, 20))
    if n_tosses is None:
        return 1 / (1 + np.exp(-logits / 1.5))
    return rng.binomial(n_tosses, 1 / (1 + np.exp(-1.5 * logits))) / n_tosses


def public_sets():
    """Groups of sets without a folder: what is right, and a call that loads each."""
    digits, labels = bundled("digits")
    iris, wine = partial(bundled, "iris"), partial(bundled, "wine")
    cells, diabetes = partial(bundled, "breast_cancer"), partial(bundled, "diabetes")

    def of(call, change):
        X, y = call()
        return change(X), y

    def rows(change, *arguments):
        return lambda: (change(*arguments), None)

    forest, logistic = RandomForestClassifier(random_state=0), LogisticRegression()
    hidden = BernoulliRBM(32, learning_rate=0.05, n_iter=20, random_state=0)
    topics = LatentDirichletAllocation(10, max_iter=5, random_state=0)
    bits = drawn(lambda rng: rng.random((1000, 30)) < rng.random(30))
    texts = words(300)
    return {
        "bits": {
            "digits above 7": (BITS, lambda: (digits > 7, labels)),
            "four rows of xor": (
                BITS,
                rows(np.array, [[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]]),
            ),
            "random bits, a tenth missing": (BITS, rows(holed, bits)),
        },
        "pixels, whole": {
            "digits": (LEVELS, lambda: (digits, labels)),
            "digits, a tenth missing": (LEVELS, lambda: (holed(digits), labels)),
            "digits, zeros alone": (LEVELS, lambda: (digits[labels == 0], None)),
            "digits, of 4 bits": (LEVELS, lambda: (np.minimum(digits, 15), labels)),
            "patches of a temple": (PIXELS, rows(patches, 0, (8, 8))),
            "patches of a flower, RGB": (PIXELS, rows(patches, 1, (6, 6))),
        },
        "pixels in [0, 1]": {
            "digits / 16": (GRAY, lambda: (digits / 16, labels)),
            "digits / 16, a tenth missing": (
                GRAY,
                lambda: (holed(digits / 16), labels),
            ),
            "digits, scaled by column": (GRAY, lambda: (rescaled(digits), labels)),
            "patches of a temple / 255": (
                EITHER,
                lambda: (patches(0, (8, 8)) / 255, None),
            ),
        },
        "probabilities": {
            "classes of digits, logistic": (
                GRAY,
                partial(predicted, logistic, "digits"),
            ),
            "classes of iris, logistic": (GRAY, partial(predicted, logistic, "iris")),
            "classes of wine, forest": (GRAY, partial(predicted, forest, "wine")),
            "memberships of cells": (GRAY, memberships),
            "hidden units, digits": (
                GRAY,
                lambda: (hidden.fit_transform(digits / 16), labels),
            ),
            "hidden units, random bits": (
                EITHER,
                lambda: (BernoulliRBM(16, random_state=0).fit_transform(bits), None),
            ),
            "topics": (EITHER, lambda: (topics.fit_transform(texts), None)),
            "Dirichlet(0.3)": (
                EITHER,
                rows(drawn, lambda rng: rng.dirichlet(np.full(10, 0.3), 600)),
            ),
            "frequencies in 10 tosses": (
                GRAY,
                rows(drawn, partial(shares, n_tosses=10)),
            ),
            "Beta(1/2, 1/2)": (
                GRAY,
                rows(drawn, lambda rng: rng.beta(0.5, 0.5, (600, 10))),
            ),
            "logistic of normal numbers": (EITHER, rows(drawn, shares)),
            "word frequencies": (
                EITHER,
                rows(normalize, texts.astype(np.float64), "l1"),
            ),
            "tf-idf": (EITHER, rows(TfidfTransformer().fit_transform, texts)),
        },
        "real columns, scaled": {
            "iris, scaled": (NUMBERS, partial(of, iris, rescaled)),
            "iris, scaled, float32": (
                NUMBERS,
                partial(of, iris, lambda X: rescaled(X.astype(np.float32))),
            ),
            "iris, clipped": (NUMBERS, partial(of, iris, clipped)),
            "wine, scaled": (NUMBERS, partial(of, wine, rescaled)),
            "wine, clipped": (NUMBERS, partial(of, wine, clipped)),
            "wine, uniform": (NUMBERS, partial(of, wine, uniform)),
            "wine, by largest value": (
                NUMBERS,
                partial(of, wine, lambda X: X / X.max(axis=0)),
            ),
            "cells, scaled": (NUMBERS, partial(of, cells, rescaled)),
            "cells, a third of the scaled": (
                NUMBERS,
                lambda: (rescaled(cells()[0])[::3], cells()[1][::3]),
            ),
            "cells, clipped": (NUMBERS, partial(of, cells, clipped)),
            "cells, uniform": (NUMBERS, partial(of, cells, uniform)),
            "diabetes, scaled": (NUMBERS, partial(of, diabetes, rescaled)),
            "linnerud, scaled": (
                NUMBERS,
                rows(rescaled, datasets.load_linnerud(return_X_y=True)[0]),
            ),
            "moons, scaled": (
                NUMBERS,
                lambda: of(
                    partial(datasets.make_moons, 500, noise=0.1, random_state=0),
                    rescaled,
                ),
            ),
            "roll, scaled": (
                NUMBERS,
                rows(rescaled, datasets.make_swiss_roll(1000, random_state=0)[0]),
            ),
            "uniform numbers": (
                NUMBERS,
                rows(drawn, lambda rng: rng.random((600, 10))),
            ),
            "clusters in 20 columns, scaled": (
                NUMBERS,
                lambda: of(
                    partial(
                        datasets.make_classification,
                        *(800, 20),
                        n_informative=8,
                        n_classes=3,
                        random_state=0,
                    ),
                    rescaled,
                ),
            ),
        },
        "counts, ratings and codes": {
            "100 words": (NUMBERS, lambda: (words(100).toarray(), None)),
            "1,000 words, sparse": (NUMBERS, rows(words, 1000)),
            "Poisson(3)": (
                NUMBERS,
                rows(drawn, lambda rng: rng.poisson(3, (1000, 30))),
            ),
            "Poisson, many rates": (
                NUMBERS,
                rows(drawn, lambda rng: rng.poisson(rng.gamma(1, 3, 40), (500, 40))),
            ),
            "negative binomial": (
                NUMBERS,
                rows(drawn, lambda rng: rng.negative_binomial(2, 0.2, (1000, 20))),
            ),
            "binomial(10, 0.3)": (
                NUMBERS,
                rows(drawn, lambda rng: rng.binomial(10, 0.3, (1000, 20))),
            ),
            "ratings, 1 to 5": (NUMBERS, rows(ratings, 1, 5)),
            "ratings, 0 to 4": (NUMBERS, rows(ratings, 0, 4)),
            "ratings, 0 to 10": (PIXELS, rows(ratings, 0, 10)),
            "dice": (NUMBERS, rows(drawn, lambda rng: rng.integers(1, 7, (500, 20)))),
            "ten codes": (
                NUMBERS,
                rows(drawn, lambda rng: rng.integers(0, 10, (500, 20))),
            ),
            "genotypes": (
                NUMBERS,
                rows(drawn, lambda rng: rng.binomial(2, rng.random(50), (500, 50))),
            ),
        },
        "tables": {
            "iris": (NUMBERS, iris),
            "iris, in millimetres": (
                NUMBERS,
                partial(of, iris, lambda X: np.rint(10 * X)),
            ),
            "wine": (NUMBERS, wine),
            "cells": (NUMBERS, cells),
            "diabetes": (NUMBERS, diabetes),
            "linnerud": (NUMBERS, partial(bundled, "linnerud")),
            "ages and bits": (
                NUMBERS,
                rows(
                    drawn,
                    lambda rng: np.c_[
                        rng.integers(18, 90, 300), rng.random((300, 6)) < 0.4
                    ],
                ),
            ),
        },
    }


def folder_sets(folder):
    """Groups of the sets of a folder."""

    def of(name, change=lambda X: X):
        found = load(folder, name)
        labels = found.get("train_y")
        rows = change(found["train"][:N_ROWS])
        return rows, None if labels is None else labels[:N_ROWS]

    def codes(name, n_values):
        return lambda: of(
            name, lambda X: X.reshape(len(X), -1, n_values).argmax(axis=2)
        )

    def adult(change):
        found = load(folder, "adult_mixed")
        rows, named = found["train"][:N_ROWS], found["is_categorical"].astype(bool)
        numbers = np.where(rows < 0, np.nan, rows)[:, ~named]
        return change(numbers, rows[:, named]), found["train_y"][:N_ROWS]

    def one_hot(numbers, named):
        coded = OneHotEncoder(sparse_output=False).fit_transform(named)
        return np.c_[rescaled(numbers), coded]

    def share(X):
        return (X / 255).astype(np.float32)

    bits = "binarized_mnist", "ocr_letters", "caltech101_silhouettes", "adult"
    bits += "connect4", "nips", "nltcs", "plants"
    return {
        "bits": {name: (BITS, partial(of, name)) for name in bits}
        | {"rcv1_sub, sparse": (BITS, partial(of, "rcv1_sub", sp.csr_array))},
        "pixels, whole": {
            "mnist": (LEVELS, partial(of, "mnist")),
            "mnist, sparse": (
                LEVELS,
                partial(of, "mnist", lambda X: sp.csr_array(X.astype(np.float32))),
            ),
            "mnist, 100 rows": (
                LEVELS,
                lambda: tuple(part[:100] for part in of("mnist")),
            ),
            "fashion": (LEVELS, partial(of, "fashion")),
            "frey_faces": (PIXELS, partial(of, "frey_faces")),
            "usps, 0 to 2,000": (
                LEVELS,
                partial(of, "usps", lambda X: np.rint(1000 * X + 1000)),
            ),
        },
        "pixels in [0, 1]": {
            "mnist / 255": (GRAY, partial(of, "mnist", share)),
            "mnist / 255, sparse": (
                GRAY,
                partial(of, "mnist", lambda X: sp.csr_array(share(X))),
            ),
            "mnist, scaled by column": (GRAY, partial(of, "mnist", rescaled)),
            "mnist, means of 2 x 2": (
                GRAY,
                partial(of, "mnist", lambda X: pooled(X / 255, 28, 2)),
            ),
            "fashion / 255": (GRAY, partial(of, "fashion", share)),
            "fashion, means of 4 x 4": (
                GRAY,
                partial(of, "fashion", lambda X: pooled(X / 255, 28, 4)),
            ),
            "usps in [0, 1]": (
                GRAY,
                partial(of, "usps", lambda X: np.clip((X + 1) / 2, 0, 1)),
            ),
            "frey_faces / 255": (EITHER, partial(of, "frey_faces", share)),
        },
        "real columns, scaled": {
            "adult's numbers, scaled": (
                NUMBERS,
                partial(adult, lambda numbers, named: rescaled(numbers)),
            ),
            "adult, scaled, one-hot": (NUMBERS, partial(adult, one_hot)),
            "horse_colic, scaled": (NUMBERS, partial(of, "horse_colic", rescaled)),
            "mocap_mit, scaled": (NUMBERS, partial(of, "mocap_mit", rescaled)),
        },
        "counts, ratings and codes": {
            "connect4, codes": (NUMBERS, codes("connect4", 3)),
            "dna, codes": (NUMBERS, codes("dna", 3)),
        },
        "tables": {
            "adult, codes": (NUMBERS, partial(adult, lambda *parts: np.hstack(parts))),
            "horse_colic": (NUMBERS, partial(of, "horse_colic")),
            "mocap_mit": (NUMBERS, partial(of, "mocap_mit")),
            "usps, -1 to 1": (NUMBERS, partial(of, "usps")),
        },
    }


def kind_of_values(X):
    """Kind of the values of a table, and the value that stands for 1."""
    values = X.data if sp.issparse(X) else X
    if (np.isin(values, (0, 1)) | np.isnan(values)).all():
        return BITS, 1
    top = top_of_gray(X, np.nanmin(values), np.nanmax(values))
    return (NUMBERS, 1) if top is None else (LEVELS if top > 1 else GRAY, top)


def share_of_bits(X):
    """Share r of the variance of bits, as ``skdgm/data/auto.py`` has it."""
    X = np.asarray(X.toarray() if sp.issparse(X) else X, dtype=np.float64)
    X = X / max(np.nanmax(X), 1)
    X = X[:, [len(np.unique(own[own == own])) >= 8 for own in X.T]]
    if not X.size or np.nanmin(X) < 0:
        return np.nan
    mean = np.nanmean(X, axis=0)
    return np.nanvar(X, axis=0).sum() / (mean - mean**2).sum()


def decisions(groups):
    """Print what each set is read as; return the number of mistakes."""
    print("\n| set | rows, columns | r | read as | right |\n|---|---|---|---|---|")
    mistakes = []
    for group, sets in groups.items():
        print(f"| **{group}** | | | | |")
        for name, (right, call) in sets.items():
            X, _ = call()
            kind, top = kind_of_values(X)
            r = share_of_bits(X)
            right = (right,) if isinstance(right, str) else right
            read = f"{kind} to {top:g}" if kind == LEVELS else kind
            wrong = kind not in right
            print(
                f"| {name} | {X.shape[0]:,}, {X.shape[1]:,} |",
                f"{'' if np.isnan(r) else format(r, '.2f')} |",
                f"{f'**{read}**' if wrong else read} | {' or '.join(right)} |",
                flush=True,
            )
            mistakes += [name] if wrong else []
    n_sets = sum(map(len, groups.values()))
    print(f"\n{len(mistakes)} mistakes in {n_sets} sets: {', '.join(mistakes)}.")


def scalings(folder):
    """Print how many tables of a folder's CSV files are read as what, by scaling."""
    tables = {}
    for path in sorted(folder.rglob("[!.]*.csv")):
        try:
            frame = pd.read_csv(path, index_col=0).select_dtypes("number")
        except (ValueError, UnicodeDecodeError):
            continue
        X = frame.loc[:, frame.nunique() > 1].to_numpy(np.float64)[:20_000]
        X = np.where(np.isfinite(X), X, np.nan)
        if min(X.shape[1] - 1, X.shape[0] / 20) >= 1 and np.nanmax(X) > 1:
            tables[f"{path.parent.name}/{path.stem}"] = X
    changes = {
        "as they are": lambda X: X,
        "less the least of each column": lambda X: X - np.nanmin(X, axis=0),
        "scaled": rescaled,
        "scaled, every second row": lambda X: rescaled(X)[::2],
        "clipped": clipped,
        "clipped, every second row": lambda X: clipped(X)[::2],
        "uniform": uniform,
    }
    print("\n| columns | numbers | bits | levels | gray | read as these two |")
    print("|---|---|---|---|---|---|")
    for name, change in changes.items():
        kinds = {key: kind_of_values(change(X))[0] for key, X in tables.items()}
        counts = Counter(kinds.values())
        wrong = [key for key, kind in kinds.items() if kind in (LEVELS, GRAY)]
        shown = " | ".join(str(counts[k]) for k in (NUMBERS, BITS, LEVELS, GRAY))
        print(f"| {name} | {shown} | {', '.join(wrong)} |", flush=True)


def both(call):
    """Show what a call returns by each reading of columns, as bits and as real ones."""
    return " / ".join(call(kind) for kind in ("bernoulli", "gaussian"))


def readings(groups, names):
    """Print accuracies, and errors of imputation, by both readings of sets."""
    heads = [kind.__name__ for kind in (*CLASSIFIERS, *IMPUTERS)]
    print(f"\n| set | r | read as | {' | '.join(heads)} |")
    print(f"|---|---|---|{'---|' * len(heads)}", flush=True)
    sets = {name: own for group in groups.values() for name, own in group.items()}
    for name in names or sets:
        X, y = sets[name][1]()
        X = X.toarray() if sp.issparse(X) else np.asarray(X)
        if np.nanmin(X) < 0:
            continue
        kind, top = kind_of_values(X)
        X = X / max(top, np.nanmax(X))
        labels = np.zeros(len(X)) if y is None else y
        A, B, a, b = train_test_split(
            X, labels, test_size=0.4, random_state=0, stratify=labels
        )
        A, B, a, b = A[:N_TRAINED], B[:1000], a[:N_TRAINED], b[:1000]
        hidden = np.random.default_rng(0).random(B.shape) < 0.3
        holes, hidden = np.where(hidden, np.nan, B), hidden & (B == B)

        def accuracy(own, kind, A=A, B=B, a=a, b=b):
            model = own(column_types=kind, random_state=0).fit(A, a)
            return f"{100 * model.score(B, b):.1f}"

        def error(own, kind, A=A, B=B, holes=holes, hidden=hidden):
            model = own(column_types=kind, random_state=0).fit(A)
            off = (model.impute(holes) - B)[hidden]
            return f"{np.sqrt(np.mean(off**2)):.3f}"

        found = ["" if y is None else both(partial(accuracy, k)) for k in CLASSIFIERS]
        found += [both(partial(error, own)) for own in IMPUTERS]
        print(
            f"| {name} | {share_of_bits(X):.2f} | {kind} | {' | '.join(found)} |",
            flush=True,
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--readings", nargs="*")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print(describe(), flush=True)
    groups = public_sets()
    for group, sets in (folder_sets(options.data) if options.data else {}).items():
        groups[group] |= sets
    with threadpool_limits(1), limit(1):
        if options.readings is not None:
            readings(groups, options.readings)
            return
        decisions(groups)
        if options.csv:
            scalings(options.csv)


if __name__ == "__main__":
    main()
