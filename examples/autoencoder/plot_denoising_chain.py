"""
Rows by corruption and reconstruction
=====================================

A :class:`~skdgm.DenoisingAutoencoder` repairs corrupted rows. Corrupting and repairing
in turn is a Markov chain that draws digits. This example shows both, and a map of an
image's anomalies.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skdgm import DenoisingAutoencoder
from skdgm.plotting import SamplesDisplay

X = (load_digits().data / 16).astype(np.float32)
X, X_test = train_test_split(X, test_size=300, random_state=0)
how = {"corruption": "salt-and-pepper", "n_iter": 40, "random_state": 0}
plain = DenoisingAutoencoder(**how).fit(X)
walkback = DenoisingAutoencoder(walkback=3, **how).fit(X)

# %%
# Held-out digits, the same with a third of the pixels replaced by black or white, and
# what the net makes of these.

rng = np.random.default_rng(0)
hit = rng.random((10, 64)) < 0.3
corrupted = np.where(hit, rng.random((10, 64)) < 0.5, X_test[:10]).astype(np.float32)
repaired = plain.inverse_transform(plain.transform(corrupted))
figure, axes = plt.subplots(1, 3, figsize=(12, 2.2), layout="constrained")
rows = np.concatenate([X_test[:10], corrupted, repaired])
SamplesDisplay(rows).plot(axes[0], n_columns=10)
axes[0].set_title("digits, corrupted, repaired")

# %%
# Steps of chains from held-out digits, ten apart, without walkback and with it: the
# expected pixels given each state. Digits of the net that learned to come back from
# states of its own chain are softer: more digits may have led to one of these.

for net, ax, title in (plain, axes[1], "without"), (walkback, axes[2], "with"):
    steps = net.sample(40, random_state=1, init=X_test[:4], n_steps=100, thin=10)
    steps = net.inverse_transform(net.transform(steps))
    SamplesDisplay(steps).plot(ax, n_columns=10)
    ax.set_title(f"chains {title} walkback")

# %%
# Errors of the pixels of a digit with a stroke that is not there.

odd = X_test[:1].copy()
odd[0, 56:] = 1.0
errors = plain.reconstruction_error(odd, by="column", loss="squared")
figure, axes = plt.subplots(1, 2, figsize=(5, 2.5), layout="constrained")
for ax, image, title in zip(axes, (odd, errors), ("image", "errors")):
    ax.imshow(image.reshape(8, 8), cmap="gray")
    ax.set_title(title)
    ax.set_axis_off()
plt.show()
