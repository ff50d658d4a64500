"""One rival of tables.py, run by the Python of the rivals' environment.

    python tables_rival.py NAME RECIPE ROWS DRAWN FACTS

NAME is "ctgan", "tvae", "copula" or "arf"; RECIPE a JSON file of ``numbers`` (names of
columns of numbers), ``condition`` (a column and a value, or null), ``seed`` and
``epochs`` (or null); ROWS a CSV file of training rows. Writes as many rows to the CSV
file DRAWN, and seconds to the JSON file FACTS.

A missing number is the column's mean, beside a column of bits that tells; a missing
category one more category. The copula is Gaussian, with the parametric density of each
column that fits best; categories are numbers by their frequency, as in the last free
version of SDV. "arf" is the adversarial random forest of arfpy, with its defaults; its
whole numbers are rounded.
"""

import json
import random
import sys
import time
from importlib.metadata import version

import numpy as np
import pandas as pd

# What stands for a missing category, and what names the bits of missing numbers.
NONE, BITS = "(missing)", " is missing"
# Rows drawn at a time until enough of a class are found, how many, and most seconds.
BATCH, ENOUGH, PATIENCE = 2000, 100, 120
# Packages of rivals other than those of neural nets.
PACKAGES = {"copula": ["copulas", "rdt"], "arf": ["arfpy"]}


def encode(rows, numbers):
    """Rows without missing values."""
    rows = rows.copy()
    for name in list(rows):
        if name not in numbers:
            known = rows[name].notna()
            rows[name] = rows[name].astype(object).where(known, NONE).astype(str)
        elif rows[name].isna().any():
            rows[name + BITS] = np.where(rows[name].isna(), "yes", "no")
            rows[name] = rows[name].fillna(rows[name].mean())
    return rows


def decode(rows):
    """Rows of what :func:`encode` gives."""
    for name in [name for name in rows if name.endswith(BITS)]:
        own = name.removesuffix(BITS)
        rows[own] = rows[own].where(rows[name] == "no")
    kept = rows[[name for name in rows if not name.endswith(BITS)]]
    return kept.replace(NONE, np.nan)


class Copula:
    """Gaussian copula of numbers and of categories as numbers."""

    def __init__(self):
        from copulas.multivariate import GaussianMultivariate
        from copulas.univariate import ParametricType, Univariate

        # Of kernel densities, 3,000 rows take minutes to draw.
        scale = Univariate(parametric=ParametricType.PARAMETRIC)
        self.model = GaussianMultivariate(distribution=scale)

    def fit(self, rows, discrete):
        """Learn scales, and the correlations of scores."""
        from rdt.transformers import FrequencyEncoder

        self.names, self.codes = list(rows), {}
        rows, self.kinds = rows.copy(), rows.dtypes
        for name in discrete:
            self.codes[name] = FrequencyEncoder(add_noise=True)
            coded = self.codes[name].fit_transform(rows[[name]], name)
            rows[name] = coded.iloc[:, 0]
        self.ends = rows.min(), rows.max()
        self.model.fit(rows)

    def sample(self, n):
        """Draw rows; numbers end where those of the training rows do."""
        rows = self.model.sample(n)[self.names].clip(*self.ends, axis=1)
        for name, code in self.codes.items():
            coded = rows[[name]].set_axis(code.get_output_columns(), axis=1)
            rows[name] = code.reverse_transform(coded)[name].astype(str)
        for name in rows.columns.difference(self.codes):
            if self.kinds[name].kind == "i":
                rows[name] = rows[name].round().astype(int)
        return rows


class Forest:
    """Adversarial random forest."""

    def fit(self, rows, discrete):
        """Grow forests until they no longer recognize their own rows."""
        from arfpy import arf

        self.whole = rows.select_dtypes("integer").columns
        self.model = arf.arf(
            rows.astype(dict.fromkeys(discrete, "category")), verbose=False
        )
        self.model.forde()

    def sample(self, n):
        """Draw rows."""
        rows = self.model.forge(n)
        return rows.astype(dict.fromkeys(self.whole, float)).round(
            dict.fromkeys(self.whole, 0)
        )


def built(name, epochs):
    """A rival, and options of its ``fit``."""
    if name == "copula":
        return Copula()
    if name == "arf":
        return Forest()
    import ctgan
    import torch

    torch.manual_seed(0)
    torch.set_num_threads(1)
    given = {} if epochs is None else {"epochs": epochs}
    return {"ctgan": ctgan.CTGAN, "tvae": ctgan.TVAE}[name](cuda=False, **given)


def of_class(model, name, column, value):
    """Seconds until enough rows of a class are drawn, and how many were found."""
    start, found = time.perf_counter(), 0
    given = {}
    if name == "ctgan":
        given = {"condition_column": column, "condition_value": value}
    while found < ENOUGH and time.perf_counter() - start < PATIENCE:
        rows = model.sample(BATCH, **given)
        found += int((rows[column] == value).sum())
    return time.perf_counter() - start, found


def main():
    """Fit a rival and draw rows."""
    name, options, rows, drawn, facts = sys.argv[1:]
    with open(options) as file:
        options = json.load(file)
    np.random.seed(options["seed"])
    random.seed(options["seed"])
    rows = encode(pd.read_csv(rows), options["numbers"])
    discrete = [own for own in rows if own not in options["numbers"]]
    model = built(name, options["epochs"])
    wall, cpu = time.perf_counter(), time.process_time()
    model.fit(rows, discrete)
    found = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    wall = time.perf_counter()
    decode(model.sample(len(rows))).to_csv(drawn, index=False)
    found["sample"] = time.perf_counter() - wall
    if options["condition"]:
        found["condition"] = of_class(model, name, *options["condition"])
    packages = PACKAGES.get(name, ["ctgan", "rdt", "torch"])
    found["versions"] = {own: version(own) for own in packages}
    with open(facts, "w") as file:
        json.dump(found, file)


if __name__ == "__main__":
    main()
