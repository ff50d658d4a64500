"""Diffusions: points in the plane, tables, and draws of MNIST.

    python doc/benchmarks/diffusion.py [--only sets tables digits mnist]
        [--names moons ...] [--models Diffusion ...] [--data DATA]

``sets``: nats of 2,000 new points, fits of 2,000, beside a flow's, and the area under
the curve of a test that tells draws from points; with --plot FILE both are drawn.
``tables``: four fifths of the rows are learned, and as many are drawn; the quality of
``tabular_report`` (1 is best) and that area (0.5 is best) are means over splits, as are
seconds of the process; of adult_mixed, which needs --data, 5,000 rows are learned.
``digits``: 8 x 8 pixels, dequantized, 1,400 rows, by a dense net and by convolutions.
``mnist``: gray pixels, 50,000 rows, by a dense net or, with --architecture conv, by
convolutions; the columns are those of gsn.py, which has others' figures by the same
judge. A last line has the two-sample test of rows in eight gray levels.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from _data import load
from _machine import describe
from gsn import Judge
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_wine,
    make_circles,
    make_moons,
)
from sklearn.model_selection import ShuffleSplit
from tables import adult

from skdgm import GAN, VAE, Diffusion, EoNADE, Flow
from skdgm.metrics import classifier_two_sample_test, tabular_report
from skdgm.options import Convolutions

TABLES = {
    "iris": load_iris,
    "wine": load_wine,
    "diabetes": load_diabetes,
    "breast_cancer": load_breast_cancer,
}
MODELS = {
    "Diffusion": lambda **own: Diffusion(column_types="gaussian", **own),
    "Diffusion, mixed": lambda **own: Diffusion(column_types="mixed", **own),
    "Flow": Flow,
    "EoNADE": EoNADE,
    "VAE": lambda **own: VAE(column_types="gaussian", **own),
    "GAN": lambda **own: GAN(column_types="gaussian", **own),
}
MIXED = {"VAE": VAE, "GAN": GAN}


def _moons(n, rng):
    return make_moons(n, noise=0.08, random_state=rng.integers(2**31))[0]


def _circles(n, rng):
    return make_circles(n, noise=0.06, factor=0.5, random_state=rng.integers(2**31))[0]


def _spiral(n, rng):
    turn = 3 * np.pi * np.sqrt(rng.uniform(0.05, 1, n))
    points = np.stack([turn * np.cos(turn), turn * np.sin(turn)], axis=1) / 5
    return points + 0.06 * rng.normal(size=(n, 2))


def _two_spirals(n, rng):
    return _spiral(n, rng) * rng.choice([-1, 1], (n, 1))


def _eight(n, rng):
    angle = rng.integers(0, 8, n) * np.pi / 4
    centers = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return 2 * centers + 0.15 * rng.normal(size=(n, 2))


def _board(n, rng):
    x = rng.uniform(-2, 2, n)
    y = rng.uniform(0, 1, n) + 2 * rng.integers(-1, 1, n) + np.floor(x) % 2
    return np.stack([x, y], axis=1)


def _pinwheel(n, rng):
    radius, arm = 1 + 0.3 * rng.normal(size=n), rng.integers(0, 5, n)
    angle = 2 * np.pi * arm / 5 + 0.1 * rng.normal(size=n) + 0.7 * radius
    return 2 * radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)


SETS = {
    "moons": _moons,
    "circles": _circles,
    "spiral": _spiral,
    "two spirals": _two_spirals,
    "eight": _eight,
    "checkerboard": _board,
    "pinwheel": _pinwheel,
}


def timed(model, *data):
    """Fitted model, and seconds of the process."""
    start = time.process_time()
    return model.fit(*data), time.process_time() - start


def told_apart(X, Y):
    """Area under the curve of a test that tells rows of two tables apart."""
    return classifier_two_sample_test(X, Y, random_state=0).roc_auc


def sets(options):
    """Points in the plane."""
    print("| set | model | nats | AUC | seconds |\n|---|---|---|---|---|")
    shown = []
    for name in options.names or SETS:
        draw = SETS[name]
        rng = np.random.default_rng(0)
        X, T = draw(2000, rng), draw(2000, rng)
        for kind in options.models or ("Diffusion", "Flow"):
            model, seconds = timed(MODELS[kind](random_state=0), X)
            drawn, nats = model.sample(2000, random_state=0), model.score_samples(T)
            error = nats.std() / np.sqrt(len(nats))
            print(
                f"| {name} | {kind} | {nats.mean():.3f} ± {error:.3f} |",
                f"{told_apart(T, drawn):.3f} | {seconds:.1f} |",
                flush=True,
            )
            if kind == "Diffusion":
                shown.append((name, T, drawn))
    if options.plot:
        draw_sets(shown, options.plot)


def draw_sets(shown, path):
    """Points above, draws below."""
    import matplotlib.pyplot as plt

    size = 1.8 * len(shown), 3.8
    figure, axes = plt.subplots(2, len(shown), figsize=size, layout="constrained")
    for column, (name, *parts) in zip(axes.T, shown):
        column[0].set_title(name)
        for ax, points in zip(column, parts):
            ax.scatter(*points.T, s=0.5)
            ax.set_axis_off()
    figure.savefig(path, dpi=100)


def tables(options):
    """Small tables of real columns."""
    print("| table | model | quality | AUC | seconds |\n|---|---|---|---|---|")
    for name in options.names or [*TABLES, *(["adult"] if options.data else [])]:
        X = _table(name, options.data)
        mixed = not all(kind.kind in "iuf" for kind in X.dtypes)
        for kind in options.models or MODELS:
            if mixed and kind in ("Diffusion", "Flow"):
                continue
            make = MIXED.get(kind, MODELS[kind]) if mixed else MODELS[kind]
            found = []
            splits = ShuffleSplit(options.splits, test_size=0.2, random_state=0)
            for train, test in splits.split(X):
                A, B = X.iloc[train], X.iloc[test]
                model, seconds = timed(make(random_state=0), A)
                drawn = model.sample(len(A), random_state=0)
                report = tabular_report(A, drawn, B, random_state=0)
                auc = told_apart(B, model.sample(len(B), random_state=1))
                found.append((report.scores["quality"], auc, seconds))
            mean = np.mean(found, axis=0)
            error = np.std(found, axis=0, ddof=1) / np.sqrt(len(found))
            print(
                f"| {name} | {kind} | {mean[0]:.3f} ± {error[0]:.3f} |",
                f"{mean[1]:.2f} ± {error[1]:.2f} | {mean[2]:.1f} |",
                flush=True,
            )


def _table(name, data):
    """A DataFrame."""
    if name != "adult":
        return pd.DataFrame(TABLES[name]().data).rename(columns=str)
    return next(adult(argparse.Namespace(data=data))).train.iloc[:6250]


def digits(options):
    """Draws and densities of digits of scikit-learn, by both architectures."""
    rng, X = np.random.default_rng(0), load_digits().data
    X = ((X + rng.random(X.shape)) / 17).astype(np.float32)[rng.permutation(len(X))]
    A, B = X[:1400], X[1400:]
    print(
        "| architecture | flow, nats | bound, nats | AUC | seconds |\n"
        + "|---" * 5
        + "|"
    )
    for name in "dense", "conv":
        model, seconds = timed(Diffusion(architecture=name, random_state=0), A)
        auc = told_apart(B, model.sample(len(B), random_state=0))
        nats = []
        for kind in "flow", "bound":
            found = model.set_params(likelihood=kind).score_samples(B)
            error = found.std() / np.sqrt(len(B))
            nats.append(f"{found.mean():.1f} ± {error:.1f}")
        print(
            f"| {name} | {' | '.join(nats)} | {auc:.3f} | {seconds:.1f} |", flush=True
        )


def mnist(options):
    """Draws of MNIST."""
    images = load(options.data, "mnist")
    X, V = (np.asarray(images[k], np.float32) / 255 for k in ("train", "valid"))
    judge = Judge(V)
    print(
        "| rows | epochs | minutes | Parzen, nats | sigma | two-sample AUC | density "
        "| coverage |\n" + "|---" * 8 + "|"
    )
    n_iter, conv = options.epochs, options.architecture == "conv"
    model = Diffusion((512, 512, 512), n_iter=n_iter, learning_rate=0.001)
    if conv:
        model.set_params(hidden_layer_sizes=(256, 256), learning_rate=0.002)
        model.set_params(architecture=Convolutions((16, 32, 64)))
    model.set_params(random_state=0, verbose=1)
    _, seconds = timed(model, X)
    for n_steps in (20,) if conv else (20, 50):
        drawn = model.set_params(n_steps=n_steps).sample(10_000, random_state=0)
        drawn = drawn.clip(0, 1)
        name = f"Diffusion, {n_steps} steps"
        judge.say(name, n_iter, f"{seconds / 60:.1f}", drawn)
    some = drawn[np.random.default_rng(0).permutation(len(drawn))[:2000]]
    levels = (np.rint(rows * 8) for rows in (V[:2000], some))
    print(f"\nAUC of rows in eight gray levels: {told_apart(*levels):.3f}")
    if options.plot:
        draw_digits(drawn[:60], options.plot)


def draw_digits(rows, path):
    """Digits in six rows of ten, twice as large."""
    import matplotlib.pyplot as plt

    parts = rows.reshape(6, 10, 28, 28).swapaxes(1, 2).reshape(168, 280)
    plt.imsave(path, np.kron(parts, np.ones((2, 2))), cmap="gray_r", vmin=0, vmax=1)


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = {"sets": sets, "tables": tables, "digits": digits, "mnist": mnist}
    parser.add_argument("--only", nargs="*", choices=parts, default=list(parts))
    parser.add_argument("--names", nargs="*", help="of sets or of tables")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--models", nargs="*", choices=MODELS)
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--architecture", choices=["dense", "conv"], default="dense")
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print(describe(), end="\n\n")
    for name in options.only:
        parts[name](options)
        print()


if __name__ == "__main__":
    main()
