"""
Covariances that differ from row to row
=======================================

Rows lie on one or the other of two crossed lines. A normal distribution sees no
correlation, and mean units alone learn no more here; covariance units say for each row
which projections are small.
"""

import matplotlib.pyplot as plt
import numpy as np

from skdgm import FVBN, GaussianRBM, MeanCovarianceRBM


def crossed(n, seed):
    """Rows on one or the other of two crossed lines, with noise."""
    rng = np.random.default_rng(seed)
    along, across = rng.normal(size=n), 0.15 * rng.normal(size=n)
    turn = np.where(rng.random(n) < 0.5, 1, -1)
    return np.stack([along + across, turn * (along - across)], axis=1)


X, X_test = crossed(1000, seed=0), crossed(1000, seed=1)
models = {
    "normal": FVBN(column_types="gaussian"),
    "mean units": GaussianRBM(8, n_iter=100, random_state=0),
    "and covariance units": MeanCovarianceRBM(
        2, 4, n_iter=150, learning_rate=0.02, random_state=0
    ),
}
across, up = np.meshgrid(np.linspace(-3, 3, 120), np.linspace(-3, 3, 120))
grid = np.stack([across.ravel(), up.ravel()], axis=1)
figure, axes = plt.subplots(1, 4, figsize=(12, 3.4), layout="constrained")
axes[0].scatter(*X.T, s=3)
axes[0].set_title("rows")
for ax, (name, model) in zip(axes[1:], models.items()):
    score = model.fit(X).score(X_test)
    p = np.exp(model.score_samples(grid)).reshape(across.shape)
    ax.pcolormesh(across, up, np.sqrt(p), cmap="magma", rasterized=True)
    ax.set_title(f"{name}: {score:.2f} nats")

# %%
# The covariance of the columns given the hidden units of a row: ellipses of one
# standard deviation around each of some rows.
machine = models["and covariance units"]
rows = np.array([[1.5, 1.5], [1.5, -1.5], [-1.5, 1.5], [-1.5, -1.5], [0.0, 0.0]])
angle = np.linspace(0, 2 * np.pi, 60)
circle = np.stack([np.cos(angle), np.sin(angle)])
plt.figure(figsize=(3.6, 3.4), layout="constrained")
plt.scatter(*X.T, s=2, color="lightgrey")
for row, covariance in zip(rows, machine.covariance(rows)):
    plt.plot(*(row[:, None] + np.linalg.cholesky(covariance) @ circle))
plt.title("covariance given a row")
plt.axis("equal")
plt.show()
