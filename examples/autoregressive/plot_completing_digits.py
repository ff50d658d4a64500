"""
Completing digits from a half
=============================

The upper half of a digit does not determine the lower half. A model of missing values
returns means, and draws that are each a coherent completion. ``EoNADE`` is one net for
all orders of the columns, so that any columns can be drawn exactly given any others.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skdgm import EoNADE

X = (load_digits().data > 7).astype(np.float32)
X, X_test = train_test_split(X, test_size=500, random_state=0)
model = EoNADE((128,), n_iter=150, random_state=0).fit(X)

# %%
# The lower half of some held-out images is hidden: NaN is a missing value. ``impute``
# fills in the probability of each pixel; ``conditional_sample`` draws several images,
# in which pixels agree with each other.

whole = X_test[:12]
half = np.where(np.arange(64) < 32, whole, np.nan)
means = model.impute(half)
drawn = model.conditional_sample(half, n_samples=4, random_state=0).reshape(12, 4, 64)

# %%
# How sure is the model? The log-likelihood of the hidden half given the seen one is a
# difference of two scores: of the whole row, and of the row with holes.

given_half = model.score_samples(whole) - model.score_samples(half)
rows = np.concatenate([whole[:, None], half[:, None], means[:, None], drawn], axis=1)
names = ["whole", "given", "mean", *[f"draw {k}" for k in range(1, 5)]]
figure, axes = plt.subplots(7, 12, figsize=(11, 6.8), layout="constrained")
colors = plt.get_cmap("gray").with_extremes(bad="tab:orange")
for column, images in enumerate(rows):
    for row, image in enumerate(images):
        ax = axes[row, column]
        ax.imshow(image.reshape(8, 8), cmap=colors, vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
        if column == 0:
            ax.set_ylabel(names[row], rotation=0, ha="right", va="center")
    axes[0, column].set_title(f"{given_half[column]:.0f} nats", fontsize=10)
plt.show()
