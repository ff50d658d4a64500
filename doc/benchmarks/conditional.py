"""Conditional machines: half of an image from the other, and motion from its past.

    python doc/benchmarks/conditional.py [--only digits usps motion] [--data FOLDER]

``digits``: the lower half of scikit-learn's digits, as bits, from the upper one; nats
of held-out halves, and the root mean square error of means. ``usps``: the same of real
pixels in [-1, 1], of a folder of benchmark sets. Multi-output regressions have the
likelihood of independent columns with their means and the residual variance of each, or
of bits. ``motion``: a step of three recorded walks, of a folder, from the steps before:
root mean square error in standard deviations of the channels, beside linear
autoregression of the same lags and persistence; and 1,000 frames that the machine
draws, with the energy of their changes by frequency. Seconds are CPU time.
"""

import argparse
import time
import warnings
from itertools import pairwise
from pathlib import Path

import numpy as np
from _data import load
from _machine import describe
from sklearn.datasets import load_digits
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neighbors import KNeighborsRegressor
from threadpoolctl import threadpool_limits

from skdgm import ConditionalRBM, EoNADE
from skdgm.exceptions import PrecisionWarning

HEADER = "| model | nats | RMSE | kind | fit s |\n|---|---|---|---|---|"
ALPHAS = 10.0 ** np.arange(-1, 5)


def told(name, nats, error, kind, seconds):
    """Print a row of a table."""
    nats = "-" if nats is None else f"{nats:.2f}"
    print(f"| {name} | {nats} | {error:.4f} | {kind} | {seconds:.1f} |", flush=True)


def rmse(found, y):
    """Root mean square error."""
    return np.sqrt(np.mean((found - y) ** 2))


def of_bits(p, y):
    """Nats of bits with probabilities p, mean over rows."""
    p = np.clip(p, 1e-3, 1 - 1e-3)
    return (y * np.log(p) + (1 - y) * np.log(1 - p)).sum(axis=1).mean()


def of_normal(mean, y, variance):
    """Nats of independent normal columns, mean over rows."""
    gap = (y - mean) ** 2 / variance + np.log(2 * np.pi * variance)
    return -0.5 * gap.sum(axis=1).mean()


def regressions():
    """Multi-output regressors of scikit-learn, by name."""
    yield "RidgeCV", RidgeCV(ALPHAS)
    yield "KNeighborsRegressor(10)", KNeighborsRegressor(10)
    trees = ExtraTreesRegressor(100, min_samples_leaf=3, random_state=0)
    yield "ExtraTreesRegressor(100)", trees


def timed(model, *given):
    """Fit a model, and return CPU seconds."""
    start = time.process_time()
    model.fit(*given)
    return time.process_time() - start


def machines(makers, train, test):
    """Rows of conditional machines."""
    for name, model in makers:
        seconds = timed(model, *train)
        X, y = test
        nats, kind = model.score(X, y), model.density_kind_
        told(name, nats, rmse(model.impute(X), y), kind, seconds)


def digits():
    """Lower halves of digits, as bits."""
    X = (load_digits().data > 7).astype(float)
    order = np.random.default_rng(0).permutation(len(X))
    train, test = order[:1400], order[1400:]
    upper, lower = X[:, :32], X[:, 32:]
    x, y = upper[train], lower[train]
    X_, Y = upper[test], lower[test]
    print(f"\n## digits\n\n{HEADER}")
    for name, model in regressions():
        seconds = timed(model, x, y)
        p = model.predict(X_)
        told(name, of_bits(p, Y), rmse(p, Y), "exact", seconds)
    varies = y.std(axis=0) > 0
    model = MultiOutputClassifier(LogisticRegression(C=0.1))
    seconds = timed(model, x, y[:, varies])
    p = np.tile(y.mean(axis=0), (len(Y), 1))
    p[:, varies] = np.transpose([own[:, 1] for own in model.predict_proba(X_)])
    told("LogisticRegression(C=0.1), each", of_bits(p, Y), rmse(p, Y), "exact", seconds)
    model = EoNADE(random_state=0)
    seconds = timed(model, X[train])
    holed = np.hstack([X_, np.full(Y.shape, np.nan)])
    nats = model.score(X[test]) - model.score(holed)
    means = model.impute(holed)[:, 32:]
    told("EoNADE(), of both halves", nats, rmse(means, Y), "estimate", seconds)
    makers = [
        (f"ConditionalRBM({n})", ConditionalRBM(n, random_state=0))
        for n in (1, 8, 12, 64)
    ]
    machines(makers, (x, y), (X_, Y))


def usps(folder):
    """Lower halves of USPS digits, of real pixels."""
    data = load(folder, "usps")
    x, y = np.split(np.asarray(data["train"], float), 2, axis=1)
    X, Y = np.split(np.asarray(data["valid"], float), 2, axis=1)
    print(f"\n## usps\n\n{HEADER}")
    for name, model in regressions():
        seconds = timed(model, x[1000:], y[1000:])
        variance = ((model.predict(x[:1000]) - y[:1000]) ** 2).mean(axis=0)
        mean = model.predict(X)
        nats = of_normal(mean, Y, variance.clip(1e-4))
        told(name, nats, rmse(mean, Y), "exact", seconds)
    makers = [
        (f"ConditionalRBM({n})", ConditionalRBM(n, random_state=0)) for n in (8, 12, 64)
    ]
    machines(makers, (x, y), (X, Y))


def lagged(parts, n_lags):
    """Steps of series, and columns of those before each."""
    X = [
        np.concatenate([x[n_lags - k : len(x) - k] for k in range(1, n_lags + 1)], 1)
        for x in parts
    ]
    return np.concatenate(X), np.concatenate([x[n_lags:] for x in parts])


def power(x):
    """Share of the energy of changes in five bands of frequency, and its total."""
    found = (abs(np.fft.rfft(x - x.mean(axis=0), axis=0)) ** 2).sum(axis=1)[1:]
    edges = np.array([0, 0.01, 0.02, 0.05, 0.1, 0.5]) * 2 * len(found)
    bands = [found[int(a) : int(b)].sum() for a, b in pairwise(edges)]
    return np.array(bands) / found.sum(), x.std(axis=0).mean()


def walks(folder):
    """Recorded walks, standardized: a list to learn from, the one that is held out, and
    this with the twelve frames before it."""
    data = load(folder, "mocap_mit")
    stops = np.cumsum(data["train_lengths"])[:-1]
    parts = np.split(np.asarray(data["train"], float), stops)
    mean, scale = data["train"].mean(axis=0), data["train"].std(axis=0)
    moves = scale > 1e-6 * np.maximum(1, abs(mean))
    mean, scale = mean[moves], scale[moves]
    parts = [(x[:, moves] - mean) / scale for x in parts]
    valid = (np.asarray(data["valid"], float)[:, moves] - mean) / scale
    return parts, valid, np.concatenate([parts[-1][-12:], valid])


def motion(folder):
    """One step of a walk from those before, and frames that are drawn."""
    parts, valid, known = walks(folder)
    print("\n## motion\n\n| model | RMSE of a step | fit s |\n|---|---|---|")
    print(f"| the step before | {rmse(known[11:-1], valid):.4f} | 0.0 |")
    for n_lags in 1, 3, 6, 12:
        X, y = lagged(parts, n_lags)
        model = RidgeCV(ALPHAS)
        seconds = timed(model, X, y)
        X, y = lagged([known[12 - n_lags :]], n_lags)
        error = rmse(model.predict(X), y)
        print(f"| RidgeCV of {n_lags} lags | {error:.4f} | {seconds:.1f} |")
        for n, rate in (8, "auto"), (50, 3e-4):
            rates = {"learning_rate": rate, "n_lags": n_lags}
            model = ConditionalRBM(n, n_iter=30, random_state=0, **rates)
            seconds = timed(model, parts)
            error = rmse(model.predict(known)[12:], valid)
            name = f"ConditionalRBM({n}, n_lags={n_lags})"
            print(f"| {name} | {error:.4f} | {seconds:.1f} |", flush=True)
    shown = [("data", parts[-1])]
    for n_lags in 3, 6, 12:
        options = {"learning_rate": 3e-4, "n_iter": 30, "random_state": 0}
        model = ConditionalRBM(50, n_lags=n_lags, **options).fit(parts)
        (drawn,) = model.sample_sequences(1000, prefix=valid[:20], random_state=0)
        shown.append((f"drawn, {n_lags} lags", drawn))
        shown.append(("the last 500 of these", drawn[500:]))
    names = "below 0.01", "0.01-0.02", "0.02-0.05", "0.05-0.1", "above 0.1"
    print(f"\n| frames | deviation | {' | '.join(names)} |\n|---|---|{'---|' * 5}")
    for name, x in shown:
        shares, size = power(x)
        bands = " | ".join(f"{share:.3f}" for share in shares)
        print(f"| {name} | {size:.2f} | {bands} |")


def main():
    """Print the tables that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = "digits", "usps", "motion"
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--data", type=Path, default=None)
    asked = parser.parse_args()
    print(describe())
    warnings.simplefilter("ignore", PrecisionWarning)
    with threadpool_limits(1):
        if "digits" in asked.only:
            digits()
        if asked.data and "usps" in asked.only:
            usps(asked.data)
        if asked.data and "motion" in asked.only:
            motion(asked.data)


if __name__ == "__main__":
    main()
