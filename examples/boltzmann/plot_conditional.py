"""
The lower half of a digit from the upper half
=============================================

A conditional machine predicts the joint distribution of all pixels in the lower half.
Separate regressions for the pixels have nearly the same means, but independent draws of
the pixels are inconsistent.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.multioutput import MultiOutputClassifier

from skdgm import ConditionalRBM

# %%
# Pixels are black or white. The conditions are the upper 32, y the lower 32.

X = (load_digits().data > 7).astype(float)
upper, lower = X[:, :32], X[:, 32:]
train, test = slice(0, 1400), slice(1400, None)
# Scikit-learn's regression needs both values of each pixel.
varies = lower[train].std(axis=0) > 0

# %%
# Twelve hidden units, so that likelihoods, probabilities and draws are exact.

model = ConditionalRBM(12, n_iter=60, random_state=0).fit(upper[train], lower[train])
alone = MultiOutputClassifier(LogisticRegression(C=0.1))
alone.fit(upper[train], lower[train][:, varies])
p = np.zeros_like(lower[test])
p[:, varies] = np.transpose([own[:, 1] for own in alone.predict_proba(upper[test])])
p = p.clip(1e-4, 1 - 1e-4)
y = lower[test]
nats = (y * np.log(p) + (1 - y) * np.log(1 - p)).sum(axis=1).mean()
print(f"nats of a lower half: {model.score(upper[test], y):.1f}")
print(f"of a logistic regression for each pixel: {nats:.1f}")

# %%
# Draws for some upper halves: of the machine, and of the regressions.

rng, shown = np.random.default_rng(0), np.arange(10) * 37
halves = upper[test][shown]
drawn = [model.sample(halves, random_state=seed) for seed in range(3)]
noise = [(rng.random((10, 32)) < p[shown]).astype(float) for _ in range(3)]
rows = [y[shown], *drawn, *noise]
names = ["data", *["machine"] * 3, *["regressions"] * 3]

figure, axes = plt.subplots(7, 10, figsize=(7, 6), layout="constrained")
for name, row, images in zip(names, axes, rows):
    row[0].set_ylabel(name, rotation=0, ha="right", va="center")
    for ax, top, below in zip(row, halves, images):
        image = np.concatenate([top, below]).reshape(8, 8)
        ax.imshow(image, cmap="gray_r", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
        ax.axhline(3.5, color="tab:red", lw=0.5)
figure.suptitle("Lower halves drawn given the upper ones")
plt.show()
