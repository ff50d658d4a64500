"""Quality of deep machines and belief networks, compared with published figures.

    python doc/benchmarks/deep_quality.py --data FOLDER [--only PART ...] [--out FOLDER]

FOLDER holds ``<name>.npz`` files and the ``load.py`` that reads them. All figures are
for the 10,000 validation rows, which resemble the papers' test rows; likelihoods are
for the first 2,000, as bits drawn once. Nats are bounds, with log Z estimated from both
sides; the less favorable side counts. Minutes are fitting times, with whatever else
the machine was doing. A picture of the part ``few`` is written to --out.
"""

import argparse
import time
import warnings
from copy import deepcopy
from functools import partial
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from _data import load
from _machine import describe
from sklearn.base import clone
from sklearn.neural_network import MLPClassifier

from skdgm import DBM, DBN, DBMClassifier, DBNClassifier
from skdgm.options import PCD, SGD, Pretraining

# Number of labels, and the fine-tuning options for it.
LABELS = {
    100: {"n_iter": 100},
    1000: {"n_iter": 200},
    10_000: {"n_iter": 60, "batch_size": 100},
}


def images(folder, name):
    """Load rows and labels for training and for validation."""
    data = load(folder, name)
    scale = np.float32(255 if data["train"].max() > 1 else 1)
    X, V = (np.ascontiguousarray(data[part] / scale) for part in ("train", "valid"))
    return X, data["train_y"], V, data["valid_y"]


def timed(estimator, *data):
    """Fit an estimator and return it with the minutes that it took."""
    start = time.perf_counter()
    estimator.fit(*data)
    return estimator, (time.perf_counter() - start) / 60


def bits(V):
    """Draw gray rows as bits, once."""
    V = V[:2000]
    return (np.random.default_rng(0).random(V.shape) < V).astype(np.float32)


# %% Likelihoods

LAYERWISE = {
    "pretrain": Pretraining(n_iter=10, learning_rate=0.05),
}
JOINTLY = {
    "gradient": PCD(n_steps=5, n_chains=100),
    "learning_rate": 0.05,
    "batch_size": 100,
    "solver": SGD(schedule="linear"),
    "random_state": 0,
}
DEEP = {
    "DBM 500-1000, pre-trained, 300 epochs": DBM(
        (500, 1000), n_iter=300, **LAYERWISE, **JOINTLY
    ),
    "DBM 500-1000, pre-trained, 150 epochs": DBM(
        (500, 1000), n_iter=150, **LAYERWISE, **JOINTLY
    ),
    "DBM 500-1000, centered alone, 150 epochs": DBM((500, 1000), n_iter=150, **JOINTLY),
    "DBM 500-500-1000, pre-trained, 150 epochs": DBM(
        (500, 500, 1000), n_iter=150, **LAYERWISE, **JOINTLY
    ),
    "DBN 500-2000, 150 epochs and 50": DBN((500, 2000), n_iter=(150, 50), **JOINTLY),
}


def likelihood(folder):
    """Bounds on the likelihood of MNIST, pixels drawn anew at each presentation."""
    X, _, V, _ = images(folder, "mnist")
    V = bits(V)
    print("\n| MNIST | minutes | bound | importance sampling, 500 rows | log Z |")
    print("|---|---|---|---|---|")
    for name, model in DEEP.items():
        model, minutes = timed(model, X)
        bound, near = model.score_samples(V), model.importance_likelihood(V[:500])
        print(
            f"| {name} | {minutes:.1f} | {bound.mean():.2f} | {near.mean():.2f}, the "
            f"bound {bound[:500].mean():.2f} | {model.log_Z_:.2f} ± "
            f"{model.log_Z_se_:.2f} |",
            flush=True,
        )


SMALL = {
    "DBM 200-200, 10 epochs of 10,000 rows": DBM((200, 200), n_iter=10, **JOINTLY),
    "DBN 200-200, 10 epochs of 10,000 rows": DBN((200, 200), n_iter=10, **JOINTLY),
}


def small(folder, name):
    """Bound of a small model of part of the rows, and minutes."""
    X, _, V, _ = images(folder, "mnist")
    model, minutes = timed(clone(SMALL[name]), X[:10_000])
    return model.score(bits(V)), minutes


def short(folder):
    """Small models, which check.py fits again."""
    print("\n| MNIST | minutes | bound |\n|---|---|---|")
    for name in SMALL:
        bound, minutes = small(folder, name)
        print(f"| {name} | {minutes:.1f} | {bound:.2f} |", flush=True)


# %% Classification

SLOWLY = {"learning_rate": 0.001, "dropout": (0.2, 0.5)}
BELOW = {"pretrain": Pretraining(n_iter=20, learning_rate=0.05, batch_size=100)}
CLASSIFIERS = {
    "DBNClassifier 500-500-2000": DBNClassifier(
        (500, 500, 2000), batch_size=100, n_iter=80, random_state=0, **BELOW, **SLOWLY
    ),
    "the same, in more epochs": DBNClassifier(
        (500, 500, 2000),
        batch_size=100,
        n_iter=300,
        pretrain=Pretraining(n_iter=30, learning_rate=0.05, batch_size=100),
        random_state=0,
        **SLOWLY,
    ),
    "DBMClassifier 500-1000": DBMClassifier(
        DBM(
            (500, 1000),
            n_iter=100,
            pretrain=Pretraining(
                n_iter=30, learning_rate=0.05, n_steps=(1, (1, 5, 10))
            ),
            **JOINTLY,
        ),
        n_iter=300,
        batch_size=100,
        random_state=0,
        **SLOWLY,
    ),
}


def classification(folder):
    """Errors on MNIST with all labels."""
    X, y, V, truth = images(folder, "mnist")
    print("\n| MNIST | minutes | error in % |")
    print("|---|---|---|")
    for name, model in CLASSIFIERS.items():
        model, minutes = timed(model, X, y)
        error = 100 - 100 * model.score(V, truth)
        print(f"| {name} | {minutes:.1f} | {error:.2f} |", flush=True)


# %% Few labels


def known(y, n, seed):
    """Indices of n labeled rows, all classes equally often."""
    rng, rank = np.random.default_rng(seed), np.empty(len(y))
    order = rng.permutation(len(y))
    for label in np.unique(y):
        of_label = order[y[order] == label]
        rank[of_label] = np.arange(len(of_label))
    return order[np.argsort(rank[order], kind="stable")[:n]]


def few(folder, out, seeds=3):
    """Accuracies with few labels, the other rows unlabeled."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
    for axis, name in zip(axes, ("mnist", "ocr_letters")):
        X, y, V, truth = images(folder, name)
        widths = 500, 500, 2000
        net = DBNClassifier(widths, batch_size=20, **SLOWLY | BELOW)
        # Without an epoch of fine-tuning, only the names of the labels are used.
        learned, minutes = timed(clone(net).set_params(n_iter=0), X, y)
        learned.set_params(warm_start=True)
        net = clone(net).set_params(pretrain__n_iter=0)
        kinds = {
            f"pre-trained on {len(X)} rows": lambda seed, learned=learned: deepcopy(
                learned
            ),
            "the same net, random weights": partial(seeded, net),
            "MLPClassifier, as wide": partial(seeded, MLPClassifier(widths)),
        }
        print(f"\n{name}, pre-trained in {minutes:.1f} minutes; accuracies in %\n")
        print("| labels | " + " | ".join(map(str, LABELS)), "|")
        print("|---" * (1 + len(LABELS)) + "|")
        for label, make in kinds.items():
            found = [
                [accuracy(make(seed), X, y, V, truth, n, seed) for seed in range(seeds)]
                for n in LABELS
            ]
            mean, spread = np.mean(found, axis=1), np.std(found, axis=1)
            cells = (f"{m:.2f} ± {s:.2f}" for m, s in zip(mean, spread))
            print(f"| {label} | " + " | ".join(cells), "|", flush=True)
            axis.errorbar(
                list(LABELS), mean, spread, marker="o", label=label, capsize=3
            )
        axis.set(xscale="log", xlabel="labels", ylabel="accuracy in %", title=name)
        axis.legend(loc="lower right", fontsize="small")
    figure.savefig(out / "deep_few_labels.png", dpi=120)


# %% Defaults


def defaults(folder, seeds=3):
    """Accuracies with default parameters but widths: 20,000 rows, 1,000 labels."""
    X, y, V, truth = images(folder, "mnist")
    X, y = X[:20_000], y[:20_000].astype(int)
    net = DBNClassifier((500, 500), unlabeled=-1)
    mlp = MLPClassifier((500, 500))
    kinds = {
        "DBNClassifier": (net, True),
        "the same net, random weights": (
            clone(net).set_params(pretrain__n_iter=0),
            True,
        ),
        "MLPClassifier": (mlp, False),
    }
    print("\n| MNIST, 20,000 rows, 1,000 labels | minutes | accuracy in % | of seeds |")
    print("|---" * 4 + "|")
    for label, (model, takes_all) in kinds.items():
        found, spent = [], []
        for seed in range(seeds):
            which = known(y, 1000, seed)
            marked = np.where(np.isin(np.arange(len(y)), which), y, -1)
            data = (X, marked) if takes_all else (X[which], y[which])
            fitted, minutes = timed(seeded(model, seed), *data)
            found.append(100 * fitted.score(V, truth))
            spent.append(minutes)
        each = ", ".join(f"{value:.2f}" for value in found)
        print(
            f"| {label} | {np.mean(spent):.1f} | {np.mean(found):.2f} ± "
            f"{np.std(found):.2f} | {each} |",
            flush=True,
        )


def seeded(model, seed):
    return clone(model).set_params(random_state=seed)


def accuracy(model, X, y, V, truth, n, seed):
    """Accuracy in % on held-out rows of a model that learns from n labels."""
    which = known(y, n, seed)
    if isinstance(model, DBNClassifier):
        model.set_params(**LABELS[n])
    return 100 * model.fit(X[which], y[which]).score(V, truth)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path())
    parts = ["short", "likelihood", "classification", "few", "defaults"]
    parser.add_argument("--only", nargs="+", choices=parts, default=parts)
    options = parser.parse_args()
    print(describe())
    if "short" in options.only:
        short(options.data)
    if "likelihood" in options.only:
        likelihood(options.data)
    if "classification" in options.only:
        classification(options.data)
    if "few" in options.only:
        few(options.data, options.out)
    if "defaults" in options.only:
        defaults(options.data)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
