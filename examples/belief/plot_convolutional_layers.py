"""
Layers of a convolutional belief network
========================================

The first layer of a convolutional belief network learns pieces of strokes, the second
what they make up. A net that starts from both needs few labels.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from skdgm import ConvDBN, ConvDBNClassifier
from skdgm.options import Filters, Pretraining

X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)

# %%
# Layer by layer
# --------------
# A unit of the second layer sees maps of the first one. What it stands for is drawn
# downwards: the mean image where it alone is on, less that where no unit is.

dbn = ConvDBN(
    (16, 24), filters=Filters(shape=3, pool_shape=(2, 1)), n_iter=20, random_state=0
)
dbn.fit(X)
dbn.set_params(feature_layer=1)
n_units = dbn.transform(X[:1]).shape[1]
parts = dbn.inverse_transform(np.eye(n_units, dtype=np.float32))
parts = parts - dbn.inverse_transform(np.zeros((1, n_units), np.float32))


def show(axes, rows, shape):
    """Draw images, each by its own largest value."""
    for ax, row in zip(axes.flat, rows):
        ax.imshow(row.reshape(shape), cmap="gray")
        ax.axis("off")


figure, axes = plt.subplots(5, 8, figsize=(6, 4.2), layout="constrained")
show(axes[:2], dbn.layers_[0].components_, dbn.layers_[0].filter_shape_)
show(axes[2:], parts, (8, 8))
figure.suptitle("filters of the first layer; units of the second")

# %%
# Few labels
# ----------
# All rows are known, and labels of some.

A, B, a, b = train_test_split(X, y, test_size=0.4, random_state=0, stratify=y)
numbers, net, pixels = [50, 100, 200, 400], [], []
for n in numbers:
    labels = np.where(np.arange(len(a)) < n, a, -1)
    clf = ConvDBNClassifier(
        24,
        filters=Filters(shape=3, padding="same"),
        pretrain=Pretraining(n_iter=8),
        unlabeled=-1,
    ).set_params(random_state=0)
    net.append(100 * (1 - clf.fit(A, labels).score(B, b)))
    linear = LogisticRegression(C=1, max_iter=1000).fit(A[:n], a[:n])
    pixels.append(100 * (1 - linear.score(B, b)))
figure, ax = plt.subplots(figsize=(5, 3), layout="constrained")
ax.plot(numbers, pixels, "o--", label="LogisticRegression of pixels")
ax.plot(numbers, net, "o-", label="ConvDBNClassifier")
ax.set(xlabel="labels", ylabel="held-out error in %", xscale="log", ylim=(0, None))
ax.set_xticks(numbers, numbers)
ax.minorticks_off()
ax.legend()

plt.show()
