"""
Exact likelihoods, side by side
===============================

Autoregressive models have exact likelihoods, so they can be compared without bounds and
brackets. ``likelihood_table`` returns nats and bits per pixel of held-out digits, and
also compares an RBM, whose likelihood has a lower and an upper estimate. EoNADE is the
mean over eight orders of the pixels, and so an estimate of the mean over all orders.
The figure shows the origin of the gain: the nats of each pixel.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skdgm import FVBN, MADE, NADE, BernoulliRBM, EoNADE, NeuralAutoregressive
from skdgm.metrics import likelihood_table

X = (load_digits().data > 7).astype(np.float32)
X, X_test = train_test_split(X, test_size=500, random_state=0)

# %%
# Models learn with early stopping, except for the RBM and the independent pixels (an
# FVBN whose weights are kept at zero).

stop = {"early_stopping": True, "n_iter": 150, "random_state": 0}
models = {
    "independent pixels": FVBN(alpha=1e6, n_iter=20, random_state=0),
    "FVBN": FVBN(alpha=0.3, **stop),
    "NeuralAutoregressive": NeuralAutoregressive(8, **stop),
    "MADE": MADE((128,), **stop),
    "NADE": NADE(128, **stop),
    "EoNADE, 8 orders": EoNADE((128,), n_orderings=8, **stop),
    "RBM, 100 units": BernoulliRBM(100, n_iter=60, random_state=0),
}
table = likelihood_table({name: m.fit(X) for name, m in models.items()}, X_test)
print(table[["nats", "lower", "upper", "bits_per_dim", "kind"]].round(3).to_string())

# %%
# Each entry of a row has its own share of the log-likelihood, given the pixels before.

figure, axes = plt.subplots(
    1, 3, figsize=(12, 3.8), width_ratios=(1.5, 1, 1), layout="constrained"
)
order = table["nats"].sort_values()
error = [order - table["lower"][order.index], table["upper"][order.index] - order]
axes[0].barh(order.index, order + 31, xerr=np.abs(error), left=-31, color="tab:blue")
for name, nats in order.items():
    axes[0].text(nats + 0.2, name, f"{nats:.1f}", va="center")
axes[0].set(xlim=(-31, -15), title="nats for a held-out image")
for ax, name in zip(axes[1:], ("independent pixels", "NADE")):
    cost = -models[name].score_features(X_test).mean(axis=0).reshape(8, 8)
    shown = ax.imshow(cost, cmap="magma", vmin=0, vmax=0.7)
    ax.set(title=f"nats for each pixel\n{name}", xticks=[], yticks=[])
figure.colorbar(shown, ax=axes[1:])
plt.show()
