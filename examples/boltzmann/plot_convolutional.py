"""
Filters of a convolutional machine
==================================

A convolutional machine has the same filters at all positions of an image. On digits it
learns pieces of strokes, of which samples and completions of hidden halves consist.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from skdgm import ConvRBM


def show(rows, shape, title, n_columns=12):
    """Draw images in a grid, each filter by its own largest value."""
    n_rows = -(-len(rows) // n_columns)
    size = (0.7 * n_columns, 0.7 * n_rows + 0.4)
    figure, axes = plt.subplots(n_rows, n_columns, figsize=size, layout="constrained")
    for ax in axes.flat:
        ax.axis("off")
    for ax, row in zip(axes.flat, rows):
        ax.imshow(row.reshape(shape), cmap="gray")
    figure.suptitle(title)


# %%
# Digits
# ------

X = (load_digits().data / 16).astype(np.float32)
digits = ConvRBM(24, n_iter=60, random_state=0).fit(X)
norms = np.linalg.norm(digits.components_, axis=1)
strongest = digits.components_[norms.argsort()[::-1]]
show(strongest, digits.filter_shape_, "filters of digits, the strongest first")

# %%
# Chains start at noise: after 1,000 steps they have made strokes of nothing.
samples = digits.sample(24, random_state=0, init="noise", n_steps=1000)
show(samples, (8, 8), "samples")

# %%
# The lower half of these images is missing. It is filled with means.
holes = X[:12].copy()
holes[:, 32:] = np.nan
filled = digits.impute(holes)
show(np.concatenate([X[:12], filled]), (8, 8), "digits, and lower halves filled")

plt.show()
