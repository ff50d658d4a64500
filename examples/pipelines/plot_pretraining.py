"""
Few labels, many images: pre-training a classifier
==================================================

Of 1,297 images of digits only a few have labels. An RBM, or a deep belief network (DBN)
of two layers, learns from all images, and its hidden units are the features of a
logistic regression that uses the labeled images only. For comparison, the example also
runs the same pipeline with scikit-learn's ``BernoulliRBM``, and a logistic regression
on the pixels. Accuracies and log-likelihoods (for the DBN, a lower bound) are computed
on 500 other images.

Prints a table and writes ``pretraining.png``, in about a minute on two cores,
and two or three the first time, while kernels are compiled.
"""

import time
import warnings

import matplotlib.pyplot as plt
import numpy as np
from rich.progress import track
from sklearn.base import clone
from sklearn.callback import ProgressBar
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neural_network import BernoulliRBM as ScikitRBM
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler

from skdgm import DBN, BernoulliRBM
from skdgm.exceptions import LikelihoodWarning
from skdgm.plotting import (
    ComponentsDisplay,
    LearningCurveDisplay,
    ReconstructionDisplay,
    SamplesDisplay,
)

SEEDS = range(5)
LABELS_PER_CLASS = (1, 2, 5, 10)

digits = load_digits()
X, X_test, y, y_test = train_test_split(
    digits.data, digits.target, test_size=500, stratify=digits.target, random_state=0
)


# %%
# The pipelines. An image without a label has weight zero for the classifier, and
# full weight for the RBM.


def classifier_on(**features):
    """Build a pipeline: pixels to [0, 1], optionally to features, to a class."""
    scale, classify = MinMaxScaler(clip=True), LogisticRegression(max_iter=2000)
    return Pipeline([("scale", scale), *features.items(), ("classify", classify)])


def known_labels(per_class, seed):
    """Indices of the images that have labels."""
    rng = np.random.default_rng(seed)
    each = [rng.permutation(np.flatnonzero(y == c))[:per_class] for c in range(10)]
    return np.concatenate(each)


def fit(model, known):
    """Fit a pipeline to all images and the known labels."""
    weight = np.zeros(len(y))
    weight[known] = 1.0
    return model.fit(X, np.where(weight, y, 0), classify__sample_weight=weight)


# %%
# Hyper-parameters. The labels are too few for choosing an RBM. The likelihood of
# held-out images needs no labels: skdgm has the log-likelihood for that, scikit-learn a
# pseudo-likelihood.


def held_out(model, X, y):
    """Mean score of images under the model inside a pipeline."""
    return np.mean(model["features"].score_samples(model["scale"].transform(X)))


known = known_labels(5, seed=0)
grid = {"features__n_components": [64, 100], "features__learning_rate": [0.1, 0.2, 0.5]}
deep_grid = {
    "features__hidden_layer_sizes": [(64, 100), (100, 100)],
    "features__learning_rate": [0.1, (0.2, 0.1)],
}
theirs = classifier_on(features=ScikitRBM(n_iter=40, random_state=0))
ours = classifier_on(features=BernoulliRBM(n_iter=40, resample=True, random_state=0))
deep = classifier_on(features=DBN(n_iter=40, random_state=0))
best = {}
search = GridSearchCV(classifier_on(), {"classify__C": [0.1, 1.0, 10.0, 100.0]})
best["pixels"] = search.fit(X[known], y[known]).best_estimator_
print(f"pixels: {search.best_params_}")
for name, model, values in (
    ("scikit-learn RBM", theirs, grid),
    ("skdgm RBM", ours, grid),
    ("skdgm DBN", deep, deep_grid),
):
    search = GridSearchCV(model, values, scoring=held_out, cv=2, n_jobs=2)
    search.set_callbacks(ProgressBar(max_propagation_depth=0))
    best[name] = fit(search, known).best_estimator_
    print(f"{name}: {search.best_params_}")

# %%
# Fit each pipeline again for several seeds, and its classifier for several numbers of
# labels.


def likelihood(rbm):
    """Mean log-likelihood of the test images in nats."""
    images = MinMaxScaler(clip=True).fit(X).transform(X_test)
    if not isinstance(rbm, ScikitRBM):
        return rbm.score(images)
    # scikit-learn's RBM has no likelihood; ours computes it from the same parameters.
    ours = BernoulliRBM(rbm.n_components, n_iter=0, random_state=0)
    ours.fit(images)
    for name in ("components_", "intercept_hidden_", "intercept_visible_"):
        setattr(ours, name, getattr(rbm, name))
    with warnings.catch_warnings():
        # At these rates its samples do not have the means of the data.
        warnings.simplefilter("ignore", LikelihoodWarning)
        return ours.score(images)


accuracy = {name: np.empty((len(SEEDS), len(LABELS_PER_CLASS))) for name in best}
nats = {name: [] for name in best}
seconds = {name: [] for name in best}
fitted = {}
for seed in track(SEEDS, "seeds"):
    for name, model in best.items():
        model = clone(model)
        if "features" in model.named_steps:
            model.set_params(features__random_state=seed)
        start = time.perf_counter()
        fit(model, known_labels(5, seed))
        seconds[name].append(time.perf_counter() - start)
        to_features, classify = model[:-1], model[-1]
        for column, per_class in enumerate(LABELS_PER_CLASS):
            known = known_labels(per_class, seed)
            classifier = clone(classify).fit(to_features.transform(X[known]), y[known])
            found = classifier.score(to_features.transform(X_test), y_test)
            accuracy[name][seed, column] = 100 * found
        if "features" in model.named_steps:
            nats[name].append(likelihood(model["features"]))
        fitted[name] = model

# %%
# The table.

columns = [f"{10 * per_class} labels" for per_class in LABELS_PER_CLASS]
print(f"\nAccuracy in %, mean ± standard deviation over {len(SEEDS)} seeds")
print(f"{'':18}" + "".join(f"{c:>14}" for c in columns) + "     nats  seconds")
for name, found in accuracy.items():
    cells = [f"{m:.1f} ± {s:.1f}" for m, s in zip(found.mean(0), found.std(0))]
    score = f"{np.mean(nats[name]):9.1f}" if nats[name] else f"{'-':>9}"
    print(
        f"{name:18}"
        + "".join(f"{cell:>14}" for cell in cells)
        + score
        + f"{np.mean(seconds[name]):9.1f}"
    )
for name in ("skdgm RBM", "skdgm DBN"):
    gain = accuracy[name] - accuracy["pixels"]
    better = (gain > 0).sum(axis=0)
    parts = [
        f"{points:+.1f} points with {column} (better in {n} of {len(SEEDS)} seeds)"
        for points, column, n in zip(gain.mean(axis=0), columns, better)
    ]
    print(f"{name} over pixels: {', '.join(parts)}")

# %%
# The picture: what the labels bring, what the models draw and fill in, and the filters
# of the last machines.

rbm, dbn = (fitted[f"skdgm {name}"]["features"] for name in ("RBM", "DBN"))
theirs = best["scikit-learn RBM"]["features"]
truth = X_test[:8] / 16
half = np.where(np.arange(64) < 32, truth, np.nan)
figure, axes = plt.subplots(2, 3, figsize=(13, 8), layout="constrained")
for name, found in accuracy.items():
    axes[0, 0].errorbar(
        10 * np.array(LABELS_PER_CLASS), found.mean(0), found.std(0), label=name
    )
axes[0, 0].set(title="accuracy on 500 other images", xlabel="labels", ylabel="%")
axes[0, 0].legend(loc="lower right")
curves = {"RBM": rbm.loss_curve_} | {
    f"DBN, layer {number}": curve
    for number, curve in enumerate(dbn.loss_curves_, start=1)
}
curves = {name: (curve, ()) for name, curve in curves.items()}
learned = ("learning curves", "minus pseudo-likelihood (nats)", curves)
LearningCurveDisplay([learned]).plot(axes[1, 0])
drawn = {"n_samples": 64, "random_state": 0, "n_steps": 1000}
SamplesDisplay.from_estimator(dbn, ax=axes[0, 1], means=True, n_columns=8, **drawn)
axes[0, 1].set_title("drawn from the DBN (means)")
how = {"method": "mean", "random_state": 0}
ReconstructionDisplay.from_estimator(rbm, half, X_true=truth, ax=axes[1, 1], **how)
axes[1, 1].set_title("lower halves filled in by the RBM")
for ax, title, model in (
    (axes[0, 2], "filters of skdgm's RBM", rbm),
    (axes[1, 2], "filters of scikit-learn's RBM", theirs),
):
    shown = {"n_components": 64, "order": "first", "n_columns": 8}
    ComponentsDisplay.from_estimator(model, ax=ax, im_kw={"cmap": "gray"}, **shown)
    ax.set_title(title)
figure.savefig("pretraining.png", dpi=100)
print("\nwrote pretraining.png")
