"""Gaps in series, filled by a conditional machine of lags and by imputers of rows.

    python doc/benchmarks/series_gaps.py [--data FOLDER]

600 rows of several standardized columns, of which 7.4 % are missing, in blocks of 4 to
12 rows in some 40 % of the columns; root mean square error of what is filled in.
``var``: a linear autoregression of 13 columns with dependent noise; ``lorenz``: 13
places of a chaotic wave, with noise; ``seasonal``: 8 sums of three waves, with noise;
``walks``: 6 sums of two random walks, with noise; ``mocap``: 13 channels of a recorded
walk, of a folder of benchmark sets. Seconds are CPU time.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
from _data import load
from _machine import describe

from skdgm import ConditionalRBM, GenerativeImputer


def var(rng, n=600, d=13):
    """Linear autoregression of order 1."""
    A = rng.normal(size=(d, d))
    A *= 0.9 / abs(np.linalg.eigvals(A)).max()
    L = rng.normal(size=(d, d)) * 0.3 + np.eye(d)
    x, rows = np.zeros(d), []
    for _ in range(n):
        x = A @ x + L @ rng.normal(size=d)
        rows.append(x)
    return np.array(rows)


def lorenz(rng, n=600, d=13):
    """Lorenz's model of 1996, by Runge-Kutta steps of 0.01, of which each tenth."""

    def slope(x):
        return (np.roll(x, -1) - np.roll(x, 2)) * np.roll(x, 1) - x + 8

    x, rows, h = rng.normal(size=d) + 8, [], 0.01
    for t in range(n * 10):
        a = slope(x)
        b = slope(x + h / 2 * a)
        c = slope(x + h / 2 * b)
        x = x + h / 6 * (a + 2 * b + 2 * c + slope(x + h * c))
        if t % 10 == 9:
            rows.append(x)
    return np.array(rows) + 0.3 * rng.normal(size=(n, d))


def seasonal(rng, n=600, d=8):
    """Sums of three waves."""
    periods = rng.uniform(8, 60, 3)
    waves = np.arange(n)[:, None] / periods * 2 * np.pi + rng.uniform(0, 6, 3)
    return np.sin(waves) @ rng.normal(size=(3, d)) + 0.3 * rng.normal(size=(n, d))


def walks(rng, n=600, d=6):
    """Sums of two random walks."""
    own = np.cumsum(rng.normal(size=(n, 2)), axis=0) * 0.3
    return own @ rng.normal(size=(2, d)) + 0.3 * rng.normal(size=(n, d))


def mocap(folder, n=600, d=13):
    """Every other frame of a walk, in the channels that vary most."""
    X = load(folder, "mocap_mit")["train"][: 2 * n : 2]
    return X[:, np.argsort(-X.std(axis=0))[:d]]


def holed(rng, X):
    """A copy with gaps."""
    found = X.copy()
    while np.isnan(found).mean() < 0.074:
        first, n = rng.integers(0, len(X) - 12), rng.integers(4, 13)
        found[first : first + n, rng.random(X.shape[1]) < 0.4] = np.nan
    return found


def line(X):
    """A line across each gap."""
    found, t = X.copy(), np.arange(len(X))
    for j, x in enumerate(X.T):
        known = ~np.isnan(x)
        found[:, j] = np.interp(t, t[known], x[known])
    return found


def imputed(X):
    """Rows by themselves."""
    return GenerativeImputer(random_state=0).fit_transform(X)


def beside(X):
    """Rows with the columns of the previous and the next row."""
    none, d = np.full((1, X.shape[1]), np.nan), X.shape[1]
    wide = np.hstack([np.vstack([none, X[:-1]]), X, np.vstack([X[1:], none])])
    return imputed(wide)[:, d : 2 * d]


def machine(n_components):
    """Conditional machine of two lags."""

    def fill(X):
        model = ConditionalRBM(n_components, n_lags=2, random_state=0)
        return model.fit(X).impute(X)

    return fill


WAYS = {
    "a line across each gap": line,
    "GenerativeImputer()": imputed,
    "GenerativeImputer(), with adjacent rows": beside,
    "ConditionalRBM(n_lags=2)": machine(8),
    "ConditionalRBM(32, n_lags=2)": machine(32),
}


def main():
    """Print a table for each series."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path)
    folder = parser.parse_args().data
    print(describe() + "\n")
    warnings.simplefilter("ignore")
    for make in [var, lorenz, seasonal, walks] + [mocap] * (folder is not None):
        rng = np.random.default_rng(0)
        X = make(folder if make is mocap else rng)
        X = (X - X.mean(axis=0)) / X.std(axis=0)
        given = holed(rng, X)
        print(f"## {make.__name__}\n\n| filled by | RMSE | s |\n|---|---|---|")
        for name, fill in WAYS.items():
            start = time.process_time()
            error = np.sqrt(np.mean((fill(given) - X)[np.isnan(given)] ** 2))
            seconds = time.process_time() - start
            print(f"| {name} | {error:.3f} | {seconds:.1f} |", flush=True)
        print(flush=True)


if __name__ == "__main__":
    main()
