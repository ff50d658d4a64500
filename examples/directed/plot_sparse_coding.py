"""
A dictionary of patches of photographs
======================================

Spike and slab sparse coding describes a patch as a sum of few directions, each of which
is off, or on with a strength. On whitened patches of photographs, some directions
become edges and gratings; others stay as rough as their initial patches.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_sample_images

from skdgm import S3C

SIZE = 8


def patches(n, seed):
    """Patches of both photographs, with as much contrast, and no mean."""
    rng, found = np.random.default_rng(seed), []
    for image in load_sample_images().images:
        gray = np.log1p(image.mean(axis=2))
        ends = np.array(gray.shape) - SIZE
        for top, left in rng.integers(0, ends, (n // 2, 2)):
            found.append(gray[top : top + SIZE, left : left + SIZE].ravel())
    found = np.array(found)
    found -= found.mean(axis=1, keepdims=True)
    return found / np.sqrt(found.var(axis=1, keepdims=True) + 0.01 * found.var())


def grid(images, n_columns):
    """Small pictures side by side, each scaled to its own largest value."""
    images = images / np.abs(images).max(axis=1, keepdims=True)
    images = np.pad(
        images.reshape(-1, SIZE, SIZE), [(0, 0), (0, 1), (0, 1)], constant_values=1
    )
    rows = images.reshape(-1, n_columns, SIZE + 1, SIZE + 1)
    return rows.swapaxes(1, 2).reshape(-1, n_columns * (SIZE + 1))


# %%
# Whitened patches have no covariance that a normal distribution could learn.
X = patches(6000, seed=0)
values, vectors = np.linalg.eigh(X.T @ X / len(X))
kept, scale = vectors[:, 1:], np.sqrt(values[1:])
white = X @ kept / scale
model = S3C(64, n_iter=30, random_state=0).fit(white)

# %%
# The dictionary in pixels, those first that are on most often; and draws of patches.
order = np.argsort(-model.intercept_hidden_)
filters = (model.components_ * model.scale_ * scale) @ kept.T
drawn = (model.sample(64, random_state=0) * scale) @ kept.T
pictures = {"patches": X[:64], "dictionary": filters[order], "draws": drawn}
figure, axes = plt.subplots(1, 3, figsize=(10, 3.6), layout="constrained")
for ax, (name, images) in zip(axes, pictures.items()):
    ax.imshow(grid(images, 8), cmap="gray", vmin=-1, vmax=1)
    ax.set_title(name)
    ax.axis("off")

# %%
# The number of spikes that are on in each patch.
on = model.transform(white)
plt.figure(figsize=(4, 3), layout="constrained")
plt.hist((on > 0.5).sum(axis=1), bins=np.arange(0, 65, 2))
plt.xlabel("spikes that are on, of 64")
plt.ylabel("patches")
plt.show()
