"""
A generator without an opponent
===============================

Moment matching networks minimize the discrepancy between their samples and the data.
This example samples digits, by matching pixels and by matching the codes of an
autoencoder, and samples digits of one class.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits

from skdgm import GMMN
from skdgm.plotting import LearningCurveDisplay, SamplesDisplay

X, y = load_digits(return_X_y=True)
X = X / 16

# %%
# The discrepancy is of pixels: digits are whole, but strokes are rough.
plain = GMMN(random_state=0).fit(X)
SamplesDisplay.from_estimator(plain, n_samples=40, random_state=0)
plt.suptitle("pixels matched")

# %%
# An autoencoder learns beside the generator, which matches its codes; these are
# decoded. Strokes are those of digits.
coded = GMMN(autoencoder_layer_sizes=(128, 32), random_state=0).fit(X)
SamplesDisplay.from_estimator(coded, n_samples=40, random_state=0)
plt.suptitle("codes matched")

# %%
# The discrepancy of some rows from generated ones, after each epoch.
LearningCurveDisplay.from_estimator(plain)

# %%
# With classes, rows are matched together with these, and can be drawn by class.
model = GMMN(autoencoder_layer_sizes=(128, 32), class_conditional=True, random_state=0)
model.fit(X, y)
rows = [model.sample(10, random_state=0, y=digit) for digit in range(10)]
fig, axes = plt.subplots(10, 10, figsize=(5, 5))
for axis, row in zip(axes.ravel(), (row for part in rows for row in part)):
    axis.imshow(row.reshape(8, 8), cmap="gray", vmin=0, vmax=1)
    axis.axis("off")
plt.show()
