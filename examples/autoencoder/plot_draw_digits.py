"""
Digits painted step by step
===========================

:class:`~skdgm.DRAW` paints images on a canvas: in each step its decoder adds a patch at
a place that it chooses. This example shows the canvas after each step, and completes
the upper halves of held-out digits.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skdgm import DRAW
from skdgm.plotting import SamplesDisplay

X = (load_digits().data / 16).astype(np.float32)
X, X_test = train_test_split(X, test_size=300, random_state=0)
draw = DRAW(n_glimpses=8, random_state=0).fit(X)
print(f"{draw.score(X_test):.2f} nats of held-out digits")

# %%
# From the left to the right: the canvas after each of eight steps.

steps = draw.paint(10, random_state=1)
figure, axes = plt.subplots(1, 2, figsize=(9, 5), layout="constrained")
canvas = SamplesDisplay(steps.reshape(-1, 64))
canvas.plot(axes[0], n_columns=draw.n_glimpses)
axes[0].set_title("digits as they are painted")

# %%
# Digits whose lower half is missing, and what the model makes of them, three times.

holes = X_test[:10].copy()
holes[:, 32:] = np.nan
drawn = [
    draw.impute(holes, method="sample", sampler="metropolis", random_state=seed)
    for seed in range(3)
]
seen = np.where(np.isnan(holes), 0.5, holes)
table = np.stack([X_test[:10], seen, *drawn], axis=1).reshape(-1, 64)
SamplesDisplay(table).plot(axes[1], n_columns=5)
axes[1].set_title("a digit, what is seen of it, and three completions")
plt.show()
