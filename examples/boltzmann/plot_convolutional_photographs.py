"""
Filters of photographs, and images of any size
===============================================

A convolutional machine with real pixels learns edges from patches of two photographs.
With one bias for all pixels the machine does not depend on the position, and
:meth:`~skdgm.ConvRBM.resized` returns the machine for whole images, which locates the
edges in an image.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_sample_images
from sklearn.feature_extraction.image import extract_patches_2d

from skdgm import ConvRBM
from skdgm.options import SGD, Filters, Penalty


def whitened(image):
    """A gray image whose frequencies have about the same amplitude, but the highest."""
    gray = image.mean(axis=2)[::2, ::2]
    f = np.hypot(*np.meshgrid(*map(np.fft.fftfreq, gray.shape), indexing="ij"))
    waves = np.fft.fft2(gray - gray.mean()) * f * np.exp(-((f / 0.4) ** 4))
    image = np.fft.ifft2(waves).real
    return image / image.std()


# %%
# Filters
# -------

images = [whitened(image) for image in load_sample_images().images]
patches = [
    extract_patches_2d(image, (18, 18), max_patches=1200, random_state=0)
    for image in images
]
X = np.concatenate(patches).reshape(-1, 18 * 18).astype(np.float32)
# Patches of the sky have no edges; others are to weigh the same.
contrast = X.std(axis=1, keepdims=True)
X = (X / np.maximum(contrast, 0.5))[contrast[:, 0] > 0.3]
rbm = ConvRBM(
    16,
    filters=Filters(shape=7),
    column_types="gaussian",
    visible_bias="channel",
    gradient="cd",
    solver=SGD(momentum=0.5),
    learning_rate=0.1,
    penalty=Penalty(sparsity_target=0.005, sparsity_cost=1.0),
    n_iter=10,
    random_state=0,
)
rbm.fit(X)
figure, axes = plt.subplots(2, 8, figsize=(8, 2.2), layout="constrained")
for ax, row in zip(axes.flat, rbm.components_):
    ax.imshow(row.reshape(7, 7), cmap="gray")
    ax.axis("off")
figure.suptitle("filters")

# %%
# Where edges are
# ---------------
# The machine of a whole image has a pooled unit of each filter for every two by two
# positions. The brightness is the probability of the likeliest, the color is its
# filter.

image = images[0][:120, 100:260]
large = rbm.resized(image.shape)
maps = large.transform(image.reshape(1, -1)).reshape(57, 77, 16)
colors = plt.get_cmap("hsv")(maps.argmax(axis=2) / 16)[..., :3]
figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
axes[0].imshow(image, cmap="gray", vmin=-3, vmax=3)
axes[0].set_title("whitened photograph")
axes[1].imshow((colors * maps.max(axis=2, keepdims=True)).clip(0, 1))
axes[1].set_title("pooled units")
for ax in axes:
    ax.axis("off")

plt.show()
