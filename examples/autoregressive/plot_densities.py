"""
Densities of real numbers
=========================

Six densities of the same 1,500 points: two of scikit-learn, four of this package, with
the mean log-likelihood of 1,500 others. All are densities in the same plane, so their
nats can be compared.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity

from skdgm import FVBN, RNADE, VAE, GaussianRBM


def draw(n_rows, seed):
    """Points of a spiral with two arms."""
    rng = np.random.default_rng(seed)
    angle = 3.5 * np.pi * np.sqrt(rng.random(n_rows))
    arm = np.where(rng.random(n_rows) < 0.5, 1, -1)
    points = np.stack([np.cos(angle), np.sin(angle)], axis=1) * (angle * arm)[:, None]
    return points / 4 + 0.12 * rng.normal(size=(n_rows, 2))


X, X_test = draw(1500, 0), draw(1500, 1)

# %%
# ``FVBN`` with real columns is the normal distribution. ``GaussianRBM`` is a mixture of
# as many normal distributions as its hidden units have states, with shared weights;
# ``RNADE`` has a mixture for the second column that depends on the first.

models = {
    "normal distribution (FVBN)": FVBN(column_types="gaussian"),
    "GaussianMixture, 20": GaussianMixture(20, random_state=0),
    "KernelDensity": KernelDensity(bandwidth=0.15),
    "GaussianRBM, 20 units": GaussianRBM(
        20, min_variance=0.01, batch_size=20, n_iter=200, random_state=0
    ),
    "RNADE, 10 components": RNADE(64, n_mixtures=10, n_iter=150, random_state=0),
    "VAE, 2 latent units": VAE(2, column_types="gaussian", n_iter=150, random_state=0),
}
across, up = np.meshgrid(np.linspace(-3.3, 3.3, 130), np.linspace(-3.3, 3.3, 130))
grid = np.stack([across.ravel(), up.ravel()], axis=1)

figure, axes = plt.subplots(2, 3, figsize=(10.5, 7.4), layout="constrained")
for ax, (name, model) in zip(axes.flat, models.items()):
    model.fit(X)
    nats = model.score_samples(X_test).mean()
    p = np.exp(model.score_samples(grid)).reshape(across.shape)
    ax.pcolormesh(across, up, np.sqrt(p), cmap="magma", rasterized=True)
    ax.set(title=f"{name}\n{nats:.2f} nats", xticks=[], yticks=[])
    print(f"{name:28} {nats:6.2f} nats")
plt.show()
