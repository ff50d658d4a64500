"""
A spiral, its scores and its draws
==================================

A diffusion model learns the direction from noisy rows to rows without noise. This
example shows the direction at several levels of noise for a spiral, and the paths of
noise to samples.
"""

import matplotlib.pyplot as plt
import numpy as np

from skdgm import Diffusion, Flow

rng = np.random.default_rng(0)


def spiral(n):
    """Points along a spiral of one and a half turns."""
    turn = 3 * np.pi * np.sqrt(rng.uniform(0.05, 1, n))
    points = np.stack([turn * np.cos(turn), turn * np.sin(turn)], axis=1) / 5
    return points + 0.06 * rng.normal(size=(n, 2))


X, X_test = spiral(2000), spiral(1000)
options = {"column_types": "gaussian", "n_iter": 100}
model = Diffusion((96, 96, 96), **options, random_state=0).fit(X)
flow = Flow(4, (32,), n_iter=60, learning_rate=0.01, random_state=0).fit(X)
print(f"Diffusion {model.score(X_test):.2f} nats, Flow {flow.score(X_test):.2f}")

# %%
# The score: the gradient of the log-density of points with noise points to where
# points are. With much noise all of it points to the middle, and with little to the
# nearest arm.
side = np.linspace(-2.2, 2.2, 24)
grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
figure, axes = plt.subplots(1, 3, figsize=(10.5, 3.6), layout="constrained")
for ax, noise in zip(axes, (1.0, 0.3, 0.1)):
    arrows = model.log_density_gradient(grid, noise=noise)
    length = np.linalg.norm(arrows, axis=1, keepdims=True)
    ax.quiver(*grid.T, *(arrows / np.sqrt(length)).T, length[:, 0], cmap="viridis")
    ax.scatter(*X[::5].T, s=1, color="lightgrey", zorder=0)
    ax.set_title(f"noise of {noise:g} deviations")

# %%
# Noise becomes the spiral: draws with more and more steps, and the density.
figure, axes = plt.subplots(1, 4, figsize=(12, 3.3), layout="constrained")
for ax, n_steps in zip(axes, (2, 5, 20)):
    drawn = model.set_params(n_steps=n_steps).sample(1500, random_state=0)
    ax.scatter(*drawn.T, s=1)
    ax.set_title(f"{n_steps} steps")
side = np.linspace(-2.4, 2.4, 100)
grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
p = np.exp(model.set_params(n_steps=10).score_samples(grid)).reshape(100, 100)
axes[3].pcolormesh(side, side, np.sqrt(p), cmap="magma", rasterized=True)
axes[3].set_title("density")
plt.show()
