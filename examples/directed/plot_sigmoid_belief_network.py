"""
Digits of hidden bits
=====================

A sigmoid belief network draws bits, layer by layer downwards, and finally the data.
This example compares learning methods, and shows the meaning of bits.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skdgm import SigmoidBeliefNetwork
from skdgm.plotting import SamplesDisplay

X = load_digits().data / 16
X = np.random.default_rng(0).random(X.shape) < X
X_train, X_test = train_test_split(X, random_state=0)

# %%
# No gradient passes through a bit, so there are several ways to learn. Those that weigh
# several draws of the hidden bits by how well they explain a row (reweighted wake-sleep
# and VIMCO) learn most of an update, and take longer for it.
ways = "rws", "vimco", "disarm", "nvil", "wake-sleep", "concrete"
models = {
    way: SigmoidBeliefNetwork(objective=way, n_draws=500, random_state=0).fit(X_train)
    for way in ways
}
scores = {way: model.score(X_test) for way, model in models.items()}
fig, ax = plt.subplots(figsize=(6, 3))
ax.plot(list(scores.values()), list(scores), "o")
ax.set(xlabel="log-likelihood of held-out rows (nats)")
ax.grid(axis="y")
ax.invert_yaxis()
fig.tight_layout()

# %%
# Draws are exact and independent: top bits from their prior, and down.
SamplesDisplay.from_estimator(models["rws"], n_samples=40, random_state=0)

# %%
# What each bit next to the data changes: its weights downwards, of the bits that tell
# most.
model = models["rws"]
n_below = len(model.transform_layers(X_train[:1])[0][0])
most = np.argsort(-model.latent_variances_[:n_below])[:30]
weights = model.coefs_[2]
fig, axes = plt.subplots(3, 10, figsize=(7, 2.4))
for ax, unit in zip(axes.ravel(), most):
    bound = abs(weights[unit]).max()
    image = weights[unit].reshape(8, 8)
    ax.imshow(image, cmap="RdBu_r", vmin=-bound, vmax=bound)
    ax.axis("off")
plt.show()
