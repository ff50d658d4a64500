"""Stacks of autoencoders that are fine-tuned: errors on MNIST, and with few labels.

    python doc/benchmarks/stacks.py --data FOLDER [--only PART ...] [--minutes 40]

FOLDER holds ``mnist.npz`` and the ``load.py`` that reads it. ``mnist``: errors on the
10,000 validation rows with all 50,000 labels, of nets of three layers that begin as
stacks of denoising and of plain autoencoders, of two that begin as contractive ones,
and from random weights; on one thread, each ends after so many --minutes of
fine-tuning, at its place in the schedule. ``few``: errors by number of labels, which
are the first of each class in a random order, beside DBNClassifier and logistic
regression with its default penalty; other rows are unlabeled. Digits: a third of the
rows is held out. MNIST: 10,000 rows to learn from, and --draws of labels.
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
from sklearn.model_selection import train_test_split

from skdgm import DBNClassifier, StackedAutoencoderClassifier
from skdgm.options import Pretraining

SLOWLY = {
    "activation": "relu",
    "n_iter": 40,
    "learning_rate": 0.001,
    "batch_size": 100,
    "dropout": (0.2, 0.5),
    "pretrain": Pretraining(n_iter=5, learning_rate=0.001),
    "random_state": 0,
}
THREE, TWO = (1000,) * 3, (1000,) * 2
NETS = {
    "denoising, 1000-1000-1000": StackedAutoencoderClassifier(THREE, **SLOWLY),
    "plain, 1000-1000-1000": StackedAutoencoderClassifier(
        THREE, layer_type="plain", **SLOWLY
    ),
    "contractive, 1000-1000": StackedAutoencoderClassifier(
        TWO, layer_type="contractive", **SLOWLY
    ),
    "none, 1000-1000-1000": StackedAutoencoderClassifier(
        THREE, **SLOWLY | {"pretrain": Pretraining(n_iter=0)}
    ),
    "denoising, logistic units": StackedAutoencoderClassifier(
        THREE, **SLOWLY | {"activation": "logistic", "n_iter": 30}
    ),
}


class Errors:
    """Callback that prints errors of validation rows after epochs of fine-tuning, and
    ends it after some minutes."""

    def __init__(self, V, truth, minutes):
        self.V, self.truth, self.minutes = V, truth, minutes
        self.found, self.start = [], time.perf_counter()

    def setup(self, estimator, context):
        """Begin with nothing found."""

    def on_fit_task_begin(self, estimator, context):
        """Note when fine-tuning begins."""
        if context.task_name == "fine-tuning":
            self.before, self.start = self.passed, time.perf_counter()

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        """Errors after an epoch; True ends the fit."""
        parent = context.parent
        if parent is None or parent.task_name != "fine-tuning":
            return False
        error = 100 * (fitted_estimator.predict(self.V) != self.truth).mean()
        self.found.append(error)
        print(f"  {len(self.found)}: {error:.2f} %", flush=True)
        return self.passed > self.minutes

    def teardown(self, estimator, context):
        """Nothing is left to do."""

    @property
    def passed(self):
        """Minutes since the start."""
        return (time.perf_counter() - self.start) / 60


def images(folder):
    """Rows and labels for training and for validation."""
    data = load(folder, "mnist")
    scale = np.float32(255 if data["train"].max() > 1 else 1)
    X, V = (np.ascontiguousarray(data[part] / scale) for part in ("train", "valid"))
    # Signed, as -1 stands for an unknown label.
    return X, data["train_y"].astype(int), V, data["valid_y"]


def mnist(folder, minutes, names):
    """Errors with all labels."""
    X, y, V, truth = images(folder)
    lines = []
    for name in names or NETS:
        print(name, flush=True)
        watch = Errors(V, truth, minutes)
        NETS[name].set_callbacks(watch).fit(X, y)
        own = watch.found
        lines.append(
            f"| {name} | {watch.before:.1f} | {watch.passed:.1f} | {len(own)} | "
            f"{own[-1]:.2f} | {min(own):.2f} |"
        )
    print("\n| layers | pre-training min | fine-tuning min | epochs | % | lowest % |")
    print("|---|---|---|---|---|---|")
    print("\n".join(lines), flush=True)


FEW = {
    "LogisticRegression": lambda: LogisticRegression(max_iter=1000),
    "DBNClassifier": lambda: DBNClassifier(unlabeled=-1, random_state=0),
    **{
        f"stack, {layer}": lambda layer=layer: StackedAutoencoderClassifier(
            layer_type=layer, unlabeled=-1, random_state=0
        )
        for layer in ("denoising", "contractive", "plain")
    },
    "stack, none": lambda: StackedAutoencoderClassifier(
        pretrain=Pretraining(n_iter=0), unlabeled=-1, random_state=0
    ),
}


def few(X, y, V, truth, numbers, n_draws, names):
    """Errors by number of labels, and their standard error over draws of labels."""
    print("| labels | " + " | ".join(names) + " |\n|" + "---|" * (1 + len(names)))
    for number in numbers:
        cells = [f"{number:,}"]
        for name in names:
            make, errors = FEW[name], []
            for seed in range(n_draws):
                known = labels_of(y, number, seed)
                model = make()
                if hasattr(model, "unlabeled"):
                    model.fit(X, np.where(known, y, -1))
                else:
                    model.fit(X[known], y[known])
                errors.append(100 * (model.predict(V) != truth).mean())
            cells.append(f"{np.mean(errors):.1f}")
            if n_draws > 1:
                spread = np.std(errors, ddof=1) / np.sqrt(n_draws)
                cells[-1] += f" ± {spread:.1f}"
        print("| " + " | ".join(cells) + " |", flush=True)


def labels_of(y, number, seed):
    """Mask of so many labels, equally many of each class."""
    order = np.random.default_rng(seed).permutation(len(y))
    known = np.zeros(len(y), bool)
    for label in np.unique(y):
        known[order[y[order] == label][: number // 10]] = True
    return known


def main():
    """Print the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=["mnist", "digits", "few"])
    parser.add_argument("--nets", nargs="*")
    parser.add_argument("--few", nargs="*", choices=FEW, default=list(FEW))
    parser.add_argument("--draws", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=40.0)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    print(describe(), "\n")
    if "digits" in args.only:
        X, y = load_digits(return_X_y=True)
        parts = train_test_split(X / 16, y, test_size=1 / 3, random_state=0)
        X, V, y, truth = parts
        few(X, y, V, truth, (20, 50, 100, 300, 1000), 3, args.few)
    if "few" in args.only:
        X, y, V, truth = images(args.data)
        few(X[:10_000], y[:10_000], V, truth, (100, 1000, 3000), args.draws, args.few)
    if "mnist" in args.only:
        mnist(args.data, args.minutes, args.nets)


if __name__ == "__main__":
    main()
