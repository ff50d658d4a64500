"""
Arithmetic with latent units, and rows between two
==================================================

A generator maps the sum of two latent vectors to a new image and not to an overlay of
two images. A convolutional GAN learns digits, and the latent difference between slanted
and upright digits, computed from the digits 0 to 4, slants other digits [1]_. Images
halfway between the latent units of two digits are nearer to digits than the mean of
both images, but less so than samples.

.. [1] Radford, Metz and Chintala (2016). Unsupervised representation learning with deep
   convolutional generative adversarial networks. ICLR.

::

    python plot_latent_arithmetic.py [--epochs N]
"""

import argparse

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from skdgm import GAN

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=120)
options = parser.parse_known_args()[0]  # notebooks have others


def side_by_side(images):
    """Images of shape (n_down, n_across, 64) in one, with space between them."""
    shape = *images.shape[:2], 8, 8
    whole = np.pad(images.reshape(shape), [(0, 0), (0, 0), (1, 1), (1, 1)])
    return whole.transpose(0, 2, 1, 3).reshape(10 * shape[0], 10 * shape[1])


X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)
gan = GAN(
    architecture="conv", features="latent", n_iter=options.epochs, random_state=0
).fit(X)

# %%
# Draws of the model, and the latent units of all digits, by inversion: those of which
# the generator makes what is most like them.
draws = gan.sample(30, random_state=1)
Z = gan.invert(X)
again = gan.generate(Z)
error, variance = ((again - X) ** 2).sum(), ((X - X.mean(axis=0)) ** 2).sum()
print(f"{1 - error / variance:.0%} of the variance of pixels is explained")

few = [np.flatnonzero(y == k)[0] for k in range(10)]
pictures = np.concatenate([draws, X[few], again[few]]).reshape(5, 10, 64)
fig, ax = plt.subplots(figsize=(6, 3.2))
ax.imshow(side_by_side(pictures), cmap="gray_r")
ax.set(xticks=[], yticks=[], title="draws; digits, and what inverting them gives")


# %%
# How far a digit leans: the slope of its ink's columns by its rows.
def lean(images):
    down, across = np.mgrid[:8, :8].reshape(2, -1)
    share = images / images.sum(axis=1, keepdims=True)
    down = down - (share @ down)[:, None]
    across = across - (share @ across)[:, None]
    return -(share * down * across).sum(axis=1) / (share * down**2).sum(axis=1)


leans, steps = lean(X), []
for digit in range(5):
    own = np.flatnonzero(y == digit)
    own = own[np.argsort(leans[own])]
    quarter = len(own) // 4
    steps.append(Z[own[-quarter:]].mean(axis=0) - Z[own[:quarter]].mean(axis=0))
step = np.mean(steps, axis=0)

# %%
# Digits 5 to 9, with the difference taken away or added. A classifier says whether they
# are still what they were.
others, judge = np.flatnonzero(y >= 5), KNeighborsClassifier(1).fit(X, y)
times = np.linspace(-1.5, 1.5, 7)
found = {t: gan.generate(Z[others] + t * step) for t in times}
shown = [np.flatnonzero(y[others] == k)[3] for k in range(5, 10)]
rows = np.stack([found[t][shown] for t in times], axis=1)

fig, axes = plt.subplots(1, 2, figsize=(9, 3.4), width_ratios=(1.4, 1))
axes[0].imshow(side_by_side(rows), cmap="gray_r")
axes[0].set(xticks=4.5 + 10 * np.arange(7), xticklabels=times, yticks=[])
axes[0].set_xlabel("times the difference")
axes[1].plot(times, [lean(part).mean() for part in found.values()], "o-", label="lean")
kept = [(judge.predict(part) == y[others]).mean() for part in found.values()]
axes[1].plot(times, kept, "s--", label="share that keeps its class")
axes[1].set(xlabel="times the difference")
axes[1].legend()
fig.tight_layout()

# %%
# From one digit to the next: latent units on a straight line, and, in every second row,
# pixels. In the middle generated images are nearer to some digit of the data.
ends = [np.flatnonzero(y == k)[5] for k in range(6)]
share = np.linspace(0, 1, 9)[:, None]
between = [
    (gan.generate((1 - share) * Z[i] + share * Z[j]), (1 - share) * X[i] + share * X[j])
    for i, j in zip(ends[::2], ends[1::2])
]
fig, ax = plt.subplots(figsize=(6, 4))
ax.imshow(side_by_side(np.concatenate(between).reshape(6, 9, 64)), cmap="gray_r")
names = ["latent units", "pixels"] * 3
ax.set(xticks=[], yticks=4.5 + 10 * np.arange(6), yticklabels=names)
fig.tight_layout()

rng = np.random.default_rng(0)
i, j = rng.integers(0, len(X), (2, 1000))
neighbors = NearestNeighbors(n_neighbors=1).fit(X)
for name, middle in (
    ("latent units", gan.generate((Z[i] + Z[j]) / 2)),
    ("pixels", (X[i] + X[j]) / 2),
    ("draws", gan.sample(1000, random_state=0)),
):
    near = neighbors.kneighbors(middle)[0].mean()
    print(f"{name}: {near:.2f} to the nearest digit")
plt.show()
