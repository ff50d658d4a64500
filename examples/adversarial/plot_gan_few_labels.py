"""
Digits with few labels
======================

A discriminator that classifies rows also learns from unlabeled rows, which are real
rows of an unknown class. This example compares its errors by the number of labels with
a net that uses only labeled rows, and with label spreading.

::

    python plot_gan_few_labels.py [--labels N ...] [--epochs N]
"""

import argparse

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.semi_supervised import LabelSpreading

from skdgm import GANClassifier

parser = argparse.ArgumentParser()
parser.add_argument("--labels", type=int, nargs="+", default=[20, 50, 100, 300])
parser.add_argument("--epochs", type=int, default=120)
options = parser.parse_known_args()[0]  # notebooks have others

# %%
# As many labels of each class; all other rows have the mark -1.

X, y = load_digits(return_X_y=True)
parts = train_test_split((X / 16).astype(np.float32), y, test_size=500, random_state=0)
X, X_test, y, y_test = parts


def marked(n_labels):
    """Labels, -1 but for as many of each class."""
    rng, found = np.random.default_rng(0), np.full(len(y), -1)
    for label in range(10):
        rows = rng.permutation(np.flatnonzero(y == label))[: n_labels // 10]
        found[rows] = label
    return found


# %%
# With ``unlabeled_weight=0`` the discriminator is an ordinary net.

ALIKE = {"unlabeled": -1, "n_iter": options.epochs, "random_state": 0}
CASES = {
    "GANClassifier": GANClassifier(**ALIKE),
    "the same net, labels alone": GANClassifier(**ALIKE, unlabeled_weight=0.0),
    "LabelSpreading": LabelSpreading(kernel="knn", n_neighbors=7),
}
errors = {name: [] for name in CASES}
for n_labels in options.labels:
    for name, clf in CASES.items():
        clf.fit(X, marked(n_labels))
        errors[name].append(1 - clf.score(X_test, y_test))
        print(f"{n_labels:4d} labels, {name}: {errors[name][-1]:.1%}")

fig, ax = plt.subplots(figsize=(6, 3.6))
for name, found in errors.items():
    ax.plot(options.labels, 100 * np.array(found), "o-", label=name)
ax.set(xscale="log", xlabel="labels", ylabel="errors on 500 digits, %", ylim=(0, None))
ax.set_xticks(options.labels, options.labels)
ax.legend()
fig.tight_layout()

# %%
# Rows of the generator. It was to match mean hidden units, no more, and its rows need
# not look like digits for the discriminator to know these.

draws = CASES["GANClassifier"].sample(24, random_state=0)
fig, ax = plt.subplots(figsize=(6, 1.2))
ax.imshow(np.hstack(draws.reshape(12, 16, 8)), cmap="gray_r")
ax.set(xticks=[], yticks=[])
plt.show()
