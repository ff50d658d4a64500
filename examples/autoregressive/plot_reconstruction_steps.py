"""
Half a digit, reconstructed step by step
========================================

A net that imputes all missing pixels at once predicts each pixel independently of the
others. With ``n_steps`` it corrects its own predictions repeatedly (NADE-k). Initially,
each missing pixel has its average brightness.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skdgm import EoNADE

X = (load_digits().data > 7).astype(np.float32)
X, X_test = train_test_split(X, test_size=500, random_state=0)
options = {"n_orderings": 1, "n_iter": 100, "random_state": 0}
model = EoNADE((128,), n_steps=5, **options).fit(X)

# %%
# The lower half of some held-out images is missing. The number of steps may be changed
# after training, to see what the net expects after each.

half = np.where(np.arange(64) < 32, X_test[:10], np.nan)
rows, names = [X_test[:10], half], ["whole", "given"]
for step in range(1, 6):
    rows.append(model.set_params(n_steps=step).impute(half))
    names.append(f"step {step}")
figure, axes = plt.subplots(7, 10, figsize=(9, 6.4), layout="constrained")
colors = plt.get_cmap("gray").with_extremes(bad="tab:orange")
for name, images, line in zip(names, rows, axes, strict=True):
    for image, ax in zip(images, line, strict=True):
        ax.imshow(image.reshape(8, 8), cmap=colors, vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
    line[0].set_ylabel(name, rotation=0, ha="right", va="center")

# %%
# Log-likelihoods of held-out images, in nats, after each step.

scores = [model.set_params(n_steps=step).score(X_test) for step in range(1, 6)]
figure, ax = plt.subplots(figsize=(5, 3), layout="constrained")
ax.plot(range(1, 6), scores, "o-")
ax.set(xlabel="step", ylabel="log-likelihood (nats)", xticks=range(1, 6))
plt.show()
print([round(score, 2) for score in scores])
