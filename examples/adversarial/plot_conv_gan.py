"""
Convolutional generators
========================

With ``architecture="conv"`` a generative adversarial network is a DCGAN: the generator
grows images from a few maps by transposed convolutions, and the discriminator shrinks
them again by strides. On such small images it is slower than dense nets and no better;
its errors are wrong strokes rather than wrong pixels.

::

    python plot_conv_gan.py [--epochs N]
"""

import argparse
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.neighbors import NearestNeighbors

from skdgm import GAN
from skdgm.exceptions import CollapseWarning

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=60)
options = parser.parse_known_args()[0]  # notebooks have others

# Short fits, as of the tests, warn that they are.
warnings.simplefilter("ignore", CollapseWarning)
warnings.simplefilter("ignore", ConvergenceWarning)

X = (load_digits().data / 16).astype(np.float32)

# %%
# The same number of epochs for both. Each row has ten draws, and the digits that are
# most like them below: a generator that had learned rows by heart would repeat them.

fig, axes = plt.subplots(1, 2, figsize=(10, 3))
for ax, architecture in zip(axes, ("dense", "conv")):
    gan = GAN(architecture=architecture, n_iter=options.epochs, random_state=0).fit(X)
    draws = gan.sample(20, random_state=1)
    near = X[NearestNeighbors(n_neighbors=1).fit(X).kneighbors(draws)[1][:, 0]]
    rows = [draws[:10], near[:10], draws[10:], near[10:]]
    ax.imshow(
        np.vstack([np.hstack(row.reshape(-1, 8, 8)) for row in rows]), cmap="gray_r"
    )
    n_weights = sum(part.size for part in gan.coefs_)
    ax.set_title(
        f"{architecture}: {n_weights:,} weights, coverage {gan.coverage_:.2f}",
        fontsize=10,
    )
    ax.set(xticks=[], yticks=4 + 8 * np.arange(4))
    ax.set_yticklabels(["draws", "nearest digits"] * 2)
fig.tight_layout()

# %%
# A path from one latent point to another, which stays among digits all the way: from
# left to right the latent units move along an arc.

start, end = np.random.default_rng(3).normal(size=(2, 6, gan.n_components))
angle = np.linspace(0, np.pi / 2, 12)[:, None, None]
Z = np.cos(angle) * start + np.sin(angle) * end
paths = gan.generate(Z.reshape(-1, gan.n_components)).reshape(12, 6, 8, 8)

fig, ax = plt.subplots(figsize=(6, 3.2))
ax.imshow(np.vstack([np.hstack(paths[:, row]) for row in range(6)]), cmap="gray_r")
ax.set(xticks=[], yticks=[], xlabel="along an arc of latent units")
fig.tight_layout()
plt.show()
