"""
Moving images as one pair is moved
==================================

A gated machine sees pairs of images of random dots, the second of which is a shift of
the first by an unknown amount. Its hidden units learn the shifts, and its filters
become pairs of waves. It can then apply the shift of a single pair to other images.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from skdgm import GatedRBM

# %%
# Dots of 8 by 8 pixels, shifted around the edges by up to one pixel in each direction:
# nine shifts.

rng = np.random.default_rng(0)
dots = (rng.random((6000, 8, 8)) < 0.35).astype(float)
shift = rng.integers(-1, 2, (6000, 2))
moved = np.stack([np.roll(one, tuple(by), (0, 1)) for one, by in zip(dots, shift)])
X, y = dots.reshape(6000, -1), moved.reshape(6000, -1)
number = (shift + 1) @ [3, 1]

model = GatedRBM(30, 60, n_iter=80, random_state=0).fit(X[:5000], y[:5000])

# %%
# The shift, read from the hidden units.

H = model.transform(X, y)
reader = LogisticRegression(max_iter=1000).fit(H[:5000], number[:5000])
print(f"shifts read from hidden units: {reader.score(H[5000:], number[5000:]):.1%}")

# %%
# Filters of the first image, and of the second one beside it.

of_y, _, of_x = model.factors_
size = np.linalg.norm(of_x, axis=1) * np.linalg.norm(of_y, axis=1)
figure, axes = plt.subplots(4, 6, figsize=(7, 2.6), layout="constrained")
for ax, f in zip(axes.flat, np.argsort(-size)):
    both = [own[f].reshape(8, 8) / abs(own[f]).max() for own in (of_x, of_y)]
    ax.imshow(np.hstack([both[0], np.full((8, 1), np.nan), both[1]]), cmap="gray")
    ax.axis("off")
figure.suptitle("Pairs of filters: waves at two phases")
plt.show()

# %%
# Digits, which it has never seen, moved as one pair of dots each.

digits = (load_digits().data[:3] > 7).astype(float)
figure, axes = plt.subplots(4, 5, figsize=(5, 4.2), layout="constrained")
for column, row in zip(axes.T, range(5000, 5005)):
    images = model.analogy(X[[row]], y[[row]], digits)
    pair = np.hstack([dots[row], np.full((8, 1), np.nan), moved[row]])
    for ax, image in zip(column, [pair, *images.reshape(-1, 8, 8)]):
        ax.imshow(image, cmap="gray_r", vmin=0, vmax=1)
        ax.axis("off")
figure.suptitle("A pair of dots, and three digits moved as it is")
plt.show()
