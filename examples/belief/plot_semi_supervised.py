"""
Semi-supervised: a net that starts from all rows
================================================

``DBNClassifier`` pre-trains a deep belief network on all rows, labeled or not, and
fine-tunes it as a feed-forward net on the labeled rows. Here 20 to 100 of 1,297 images
of digits have labels, and 500 other images give the accuracies. For comparison, the
same net with random initial weights and a logistic regression on the pixels use the
labeled rows only.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from skdgm import DBNClassifier
from skdgm.options import Pretraining

X, y = load_digits(return_X_y=True)
X, X_test, y, y_test = train_test_split(
    X / 16, y, test_size=500, stratify=y, random_state=0
)
LABELS, SEEDS = (20, 50, 100), range(2)


def marked(n_labels, seed):
    """Labels of which only some are known; -1 marks the others."""
    rng = np.random.default_rng(seed)
    each = [
        rng.permutation(np.flatnonzero(y == c))[: n_labels // 10] for c in range(10)
    ]
    known = np.zeros(len(y), bool)
    known[np.concatenate(each)] = True
    return np.where(known, y, -1)


# %%
# ``unlabeled`` says which value of y marks a row without a label. A net from random
# weights is the same estimator without epochs of pre-training.

net = {"hidden_layer_sizes": (128, 128), "unlabeled": -1}
models = {
    "DBNClassifier": DBNClassifier(**net, pretrain=Pretraining(n_iter=40)),
    "the same net, random weights": DBNClassifier(
        **net, pretrain=Pretraining(n_iter=0)
    ),
    "logistic regression": LogisticRegression(),
}
accuracy = {name: np.empty((len(SEEDS), len(LABELS))) for name in models}
for name, model in models.items():
    for seed in SEEDS:
        for column, n_labels in enumerate(LABELS):
            labels = marked(n_labels, seed)
            if isinstance(model, DBNClassifier):
                model.set_params(random_state=seed).fit(X, labels)
            else:
                model.fit(X[labels >= 0], labels[labels >= 0])
            accuracy[name][seed, column] = 100 * model.score(X_test, y_test)
    print(f"{name:30}", accuracy[name].mean(axis=0).round(1))

# %%
# Unlabeled rows are worth most where labels are fewest; with a hundred labels the net
# from random weights has caught up. Digits of 8 x 8 pixels are nearly linear in their
# labels, so a logistic regression is hard to beat: compare with a simple model before
# you take a deep one. (Sizes and epochs were chosen by these same 500 images, so the
# figures illustrate, and flatter a little.) On larger images the gain of pre-training
# is larger, see :doc:`/benchmarks/deep`.

figure, ax = plt.subplots(figsize=(7, 4.2), layout="constrained")
for name, found in accuracy.items():
    ax.errorbar(LABELS, found.mean(0), found.std(0), marker="o", label=name)
ax.set(xscale="log", xlabel="labels", ylabel="% of other images right")
ax.set_xticks(LABELS, LABELS)
ax.minorticks_off()
ax.legend(loc="lower right")
plt.show()
