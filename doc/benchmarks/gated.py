"""Gated machines: shifts of random dots, and motion with and without factors.

    python doc/benchmarks/gated.py [--only dots motion] [--data FOLDER] [--plot FILE]

``dots``: 10,000 training pairs of an image of random dots and the same image after a
cyclic shift. The table has the accuracy of a logistic regression that predicts the
shift of 2,000 held-out pairs from hidden units, or from both images; and the share of
wrong pixels in analogies, where the shift of one pair is applied to another image.
``motion``: the data of conditional.py. Seconds are CPU time.
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
from _machine import describe
from conditional import power, rmse, timed, walks
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from skdgm import ConditionalRBM, GatedRBM


def pairs(n, size, reach, seed):
    """Random dots, the same shifted, and the number of the shift."""
    rng = np.random.default_rng(seed)
    x = (rng.random((n, size, size)) < 0.1).astype(float)
    shift = rng.integers(-reach, reach + 1, (n, 2))
    y = np.stack([np.roll(one, tuple(by), (0, 1)) for one, by in zip(x, shift)])
    flat = x.reshape(n, -1), y.reshape(n, -1)
    return *flat, (shift + reach) @ [2 * reach + 1, 1]


def read(train, test):
    """Share of shifts that a regression reads, of pairs of features and shifts."""
    return LogisticRegression(C=10, max_iter=300).fit(*train).score(*test)


def dots(plot):
    """Shifts of random dots."""
    print("\n## dots\n\n| images | shifts | model | read | from images | ", end="")
    print("wrong pixels by analogy | fit s |\n|---|---|---|---|---|---|---|")
    for size, reach, n, n_iter in (8, 1, 50, 60), (10, 2, 100, 60), (13, 2, 100, 150):
        X, y, shift = pairs(10_000, size, reach, 0)
        X_new, y_new, own = pairs(2_000, size, reach, 1)
        model = GatedRBM(n, 2 * n, n_iter=n_iter, random_state=0)
        seconds = timed(model, X, y)
        H, H_new = model.transform(X, y), model.transform(X_new, y_new)
        right = read((H, shift), (H_new, own))
        both = np.hstack([X, y]), np.hstack([X_new, y_new])
        plain = read((both[0], shift), (both[1], own))
        # Two pairs of the same shift.
        order = np.argsort(own, kind="stable")
        one, other = order[:-1], order[1:]
        alike = own[one] == own[other]
        one, other = one[alike], other[alike]
        moved = model.analogy(X_new[one], y_new[one], X_new[other])
        wrong = ((moved > 0.5) != y_new[other]).mean()
        name = f"GatedRBM({n}, {2 * n}, n_iter={n_iter})"
        print(f"| {size} x {size} | {(2 * reach + 1) ** 2} | {name} | ", end="")
        print(f"{right:.3f} | {plain:.3f} | {wrong:.4f} | {seconds:.0f} |", flush=True)
        if plot and size == 10:
            drawn(model, size, plot)


def drawn(model, size, path):
    """Pairs of filters with the largest norms: of x on the left, of y on the right."""
    import matplotlib.pyplot as plt

    A, _, C = model.factors_
    order = np.argsort(-np.linalg.norm(A, axis=1) * np.linalg.norm(C, axis=1))[:40]
    figure, axes = plt.subplots(5, 8, figsize=(9, 3.2), layout="constrained")
    for ax, f in zip(axes.flat, order):
        parts = [own[f].reshape(size, size) / abs(own[f]).max() for own in (C, A)]
        gap = np.full((size, 1), np.nan)
        ax.imshow(np.hstack([parts[0], gap, parts[1]]), cmap="gray", vmin=-1, vmax=1)
        ax.axis("off")
    figure.savefig(path, dpi=110)


def motion(folder):
    """One step of a walk from those before, and frames that are drawn."""
    parts, valid, known = walks(folder)
    print("\n## motion\n\n| model | RMSE of a step | of training | ", end="")
    print("deviation of 1,000 frames | fit s |\n|---|---|---|---|---|")
    for n, rate in (8, "auto"), (50, 3e-4):
        for n_factors in 0, 20, 100:
            options = {"learning_rate": rate, "n_lags": 3, "n_factors": n_factors}
            model = ConditionalRBM(n, n_iter=30, random_state=0, **options)
            seconds = timed(model, parts)
            error = rmse(model.predict(known)[12:], valid)
            found = np.concatenate(model.predict(parts))
            fitted = rmse(found, np.concatenate(parts))
            (frames,) = model.sample_sequences(1000, prefix=valid[:20], random_state=0)
            name = f"ConditionalRBM({n}, n_lags=3, n_factors={n_factors})"
            print(f"| {name} | {error:.4f} | {fitted:.4f} | ", end="")
            print(f"{power(frames)[1]:.2f} | {seconds:.1f} |", flush=True)


def main():
    """Print the tables that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = "dots", "motion"
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--plot", type=Path, default=None)
    asked = parser.parse_args()
    print(describe())
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        if "dots" in asked.only:
            dots(asked.plot)
        if asked.data and "motion" in asked.only:
            motion(asked.data)


if __name__ == "__main__":
    main()
