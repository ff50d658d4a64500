"""
A GAN with an encoder
=====================

A BiGAN learns a generator and an encoder that is its inverse: the discriminator judges
pairs of rows and latent units. The game has no distance of pixels, so that
reconstructions are similar rows, but often other digits; ``reconstruction_weight`` adds
such a distance. Latent units are features.

::

    python plot_bigan_reconstructions.py [--epochs N]
"""

import argparse

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.manifold import TSNE

from skdgm import BiGAN

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=80)
options = parser.parse_known_args()[0]  # notebooks have others

X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)
plain, gan = (
    BiGAN(n_iter=options.epochs, reconstruction_weight=weight, random_state=0).fit(X)
    for weight in (0.0, 0.1)
)

# %%
# Digits above, below them their reconstructions without and with that weight; and
# between two digits, rows of the latent units between theirs.

few = [np.flatnonzero(y == k)[0] for k in range(10)]
rebuilt = [model.reconstruct(X[few]) for model in (plain, gan)]
rebuilt = np.stack([X[few], *rebuilt]).reshape(3, 10, 8, 8)
Z = gan.transform(X)
share = np.linspace(0, 1, 10)[:, None]
pairs = [(few[a], few[b]) for a, b in ((0, 6), (1, 7), (3, 8))]
paths = [gan.inverse_transform((1 - share) * Z[a] + share * Z[b]) for a, b in pairs]
paths = np.stack(paths).reshape(3, 10, 8, 8)

fig, axes = plt.subplots(1, 3, figsize=(12, 3.6), width_ratios=(2, 2, 1.5))
for ax, part, title in ((axes[0], rebuilt, "rebuilt"), (axes[1], paths, "paths")):
    n = len(part)
    ax.imshow(part.transpose(0, 2, 1, 3).reshape(8 * n, 80), cmap="gray_r")
    ax.set(xticks=[], yticks=[], title=title)
where = TSNE(random_state=0).fit_transform(Z[:600])
axes[2].scatter(*where.T, c=y[:600], cmap="tab10", s=6)
axes[2].set(xticks=[], yticks=[], title="latent units, by digit")
fig.tight_layout()
plt.show()
