"""
Semi-supervised: a net that starts from all rows
================================================

``DBNClassifier`` pre-trains a deep belief network on all rows, labelled or not, and
tunes it as a net on those with a label. Of 1,297 images of digits 50 to 300 have
labels; accuracies are those of 500 other images. For comparison: the same net from
random weights, and scikit-learn's ``SelfTrainingClassifier``, which also uses the
unlabelled rows.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.semi_supervised import SelfTrainingClassifier

from skdgm import DBNClassifier

X, y = load_digits(return_X_y=True)
X, X_test, y, y_test = train_test_split(
    X / 16, y, test_size=500, stratify=y, random_state=0
)
LABELS, SEEDS = (50, 100, 300), range(2)


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

net = {"hidden_layer_sizes": (64, 64), "unlabeled": -1, "n_iter": 60}
models = {
    "DBNClassifier": DBNClassifier(**net, pretrain_iter=20),
    "the same net, random weights": DBNClassifier(**net, pretrain_iter=0),
    "self-training": SelfTrainingClassifier(LogisticRegression(max_iter=500)),
}
accuracy = {name: np.empty((len(SEEDS), len(LABELS))) for name in models}
for name, model in models.items():
    for seed in SEEDS:
        for column, n_labels in enumerate(LABELS):
            if "random_state" in model.get_params():
                model.set_params(random_state=seed)
            model.fit(X, marked(n_labels, seed))
            accuracy[name][seed, column] = 100 * model.score(X_test, y_test)
    print(f"{name:30}", accuracy[name].mean(axis=0).round(1))

# %%
# Unlabelled rows are worth most where labels are few: the net that starts from them is
# far ahead of the same net from random weights. But digits of 8 x 8 pixels are nearly
# linear in their labels, so a logistic regression that trains itself is as good or
# better. Compare with a simple model before you take a deep one.

figure, ax = plt.subplots(figsize=(7, 4.2), layout="constrained")
for name, found in accuracy.items():
    ax.errorbar(LABELS, found.mean(0), found.std(0), marker="o", label=name)
ax.set(xscale="log", xlabel="labels", ylabel="% of other images right")
ax.set_xticks(LABELS, LABELS)
ax.minorticks_off()
ax.legend(loc="lower right")
plt.show()
