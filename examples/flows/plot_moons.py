"""
Two moons made normal
=====================

A flow is an invertible map from points to standard normal codes. Its density is exact,
and neighboring codes correspond to neighboring points.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons

from skdgm import FVBN, Flow

X, y = make_moons(1500, noise=0.1, random_state=0)
X_test, _ = make_moons(1500, noise=0.1, random_state=1)
options = {"n_iter": 60, "learning_rate": 0.01, "alpha": 0.1, "random_state": 0}
flow = Flow(4, (32,), base="normal", **options).fit(X)
normal = FVBN(column_types="gaussian").fit(X)
print(f"Flow {flow.score(X_test):.2f} nats, a normal {normal.score(X_test):.2f}")

# %%
# The density, draws, and codes of the points with the colors of their moons.
across, up = np.meshgrid(np.linspace(-1.8, 2.8, 130), np.linspace(-1.3, 1.8, 100))
grid = np.stack([across.ravel(), up.ravel()], axis=1)
figure, axes = plt.subplots(1, 3, figsize=(10.5, 3.6), layout="constrained")
p = np.exp(flow.score_samples(grid)).reshape(across.shape)
axes[0].pcolormesh(across, up, np.sqrt(p), cmap="magma", rasterized=True)
axes[1].scatter(*flow.sample(1000, random_state=0).T, s=3)
axes[2].scatter(*flow.transform(X).T, s=3, c=y, cmap="coolwarm")
for ax, title in zip(axes, ("density", "draws", "codes of the points")):
    ax.set_title(title)

# %%
# Half-way between the codes of two points lies a point of the density, which half-way
# between the points need not be one.
ends = X[np.argmin(X[:, 0])], X[np.argmax(X[:, 0])]
one, other = flow.transform(ends)
share = np.linspace(0, 1, 40)[:, None]
path = flow.inverse_transform((1 - share) * one + share * other)
plt.figure(figsize=(5, 3.6))
plt.scatter(*X.T, s=3, color="lightgrey")
plt.plot(*path.T, ".-")
plt.plot(*np.array(ends).T, ":k")
plt.title("from one point to another, by codes")
plt.show()
