"""
Filters of tied and of sparse codes
===================================

Three autoencoders of handwritten digits have a code of 32 rectified units: with
separate weights of encoder and decoder, with tied weights, and with tied weights and a
penalty on the code. Each image shows the contribution of one unit to the log odds of
the pixels. With a penalty, few units are active at a time, and more of them represent
strokes.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from skdgm import Autoencoder

X = (load_digits().data / 16).astype(np.float32)
how = {"hidden_layer_sizes": (), "code_activation": "relu", "random_state": 0}
how |= {"n_iter": 60, "learning_rate": 0.01}
nets = {
    "weights of their own": Autoencoder(32, **how),
    "tied weights": Autoencoder(32, tied=True, **how),
    "tied weights and a penalty": Autoencoder(32, tied=True, sparsity=0.3, **how),
}
figure, axes = plt.subplots(1, 3, figsize=(10, 2.4), layout="constrained")
for ax, (title, net) in zip(axes, nets.items()):
    error = net.fit(X).reconstruction_error(X, loss="squared").mean()
    active = (net.transform(X) > 0.01).sum(axis=1).mean()
    images = net.coefs_[1].reshape(4, 8, 8, 8)
    size = np.abs(images).max(axis=(2, 3), keepdims=True)
    # Four rows of eight images, with a line between two.
    grid = np.pad(images / size, ((0, 0), (0, 0), (0, 1), (0, 1)))
    grid = grid.swapaxes(1, 2).reshape(36, 72)
    ax.imshow(grid, cmap="RdBu", vmin=-1, vmax=1)
    ax.set_title(f"{title}\n{active:.0f} active, squared error {error:.2f}", size=9)
    ax.set_axis_off()
plt.show()
