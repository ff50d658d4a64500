"""
Densities of real numbers
=========================

Six densities of the same 1,500 points: two of scikit-learn, four of this package, with
the mean log-likelihood of 1,500 others. All are densities in the same plane, so their
nats can be compared.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity

from skdgm import FVBN, RNADE, EoNADE, GaussianRBM
from skdgm.options import Columns

X, X_test = (make_moons(1500, noise=0.1, random_state=s)[0] for s in (0, 1))

# %%
# ``FVBN`` with real columns is the normal distribution. ``GaussianRBM`` is a mixture of
# as many normal distributions as its hidden units have states, with shared weights;
# ``RNADE`` has a mixture for the second column that depends on the first, and
# ``EoNADE`` is the mean of both orders.

components = Columns("gaussian", n_mixtures=10)
models = {
    "normal distribution (FVBN)": FVBN(column_types="gaussian"),
    "GaussianMixture, 10": GaussianMixture(10, random_state=0),
    "KernelDensity": KernelDensity(bandwidth=0.1),
    "GaussianRBM, 16 units": GaussianRBM(
        16, min_variance=0.02, batch_size=20, n_iter=150, random_state=0
    ),
    "RNADE, 5 components": RNADE(64, n_mixtures=5, n_iter=150, random_state=0),
    "EoNADE, both orders": EoNADE(
        (64,), column_types=components, n_orderings=2, n_iter=200, random_state=0
    ),
}
across, up = np.meshgrid(np.linspace(-1.8, 2.8, 130), np.linspace(-1.3, 1.8, 100))
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
