"""
Digits step by step
===================

A diffusion model turns noise into images of digits of a given class, and completes
half-known images.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from skdgm import Diffusion

X, y = load_digits(return_X_y=True)
X = X.astype(np.float32) + np.random.default_rng(0).random(X.shape, np.float32)
model = Diffusion(class_conditional=True, n_iter=60, guidance=1.0, random_state=0)
model.fit(X, y)


def show(ax, image):
    """Draw an image."""
    ax.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=17)
    ax.axis("off")


# %%
# The same noise on its way to each of the classes: with a few steps there are outlines,
# with more of them details.
figure, axes = plt.subplots(5, 10, figsize=(8, 4.3), layout="constrained")
for row, n_steps in zip(axes, (1, 2, 4, 8, 20)):
    model.set_params(n_steps=n_steps)
    for ax, image in zip(row, model.sample(10, random_state=4, y=np.arange(10))):
        show(ax, image)

# %%
# The lower half of each image is unknown: three draws for each of them.
holes = X[:8].copy()
holes[:, 32:] = np.nan
drawn = model.conditional_sample(holes, n_samples=3, random_state=0)
figure, axes = plt.subplots(5, 8, figsize=(6.5, 4.3), layout="constrained")
for number, column in enumerate(axes.T):
    show(column[0], X[number])
    show(column[1], np.nan_to_num(holes[number]))
    for ax, image in zip(column[2:], drawn[3 * number :]):
        show(ax, image)
plt.show()
