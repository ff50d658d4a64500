"""
Two layers of maps, learned together
====================================

A deep convolutional machine samples digits with both of its layers, and completes
images with hidden parts: the upper layer sees the features of the lower layer around
the hole. The example compares it with a restricted convolutional machine and with a
dense machine.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skdgm import DBM, ConvDBM, ConvRBM
from skdgm.options import Filters

X = (load_digits().data / 16).astype(np.float32)
A, B = train_test_split(X, test_size=300, random_state=0)


def show(groups, title):
    """Draw rows of digits, with a name before each."""
    size = 7.5, 0.62 * len(groups) + 0.4
    figure, axes = plt.subplots(len(groups), 13, figsize=size, layout="constrained")
    for line, (name, rows) in zip(axes, groups.items()):
        line[0].text(1, 0.5, name, ha="right", va="center", fontsize=8)
        for ax, row in zip(line[1:], rows):
            ax.imshow(row.reshape(8, 8), cmap="gray", vmin=0, vmax=1)
        for ax in line:
            ax.axis("off")
    figure.suptitle(title)


# %%
# Samples
# -------
# Chains of Gibbs steps, from pooled maps of the second layer down to pixels and up
# again. Shown are states of pixels.

dbm = ConvDBM(
    (24, 40),
    filters=Filters((5, 2), pool_shape=(2, 1)),
    pretrain="layerwise",
    random_state=0,
)
dbm.fit(A)
samples = dbm.sample(36, random_state=0, init="noise", n_steps=1000)
show({" " * k: part for k, part in enumerate(np.split(samples, 3))}, "samples")

# %%
# Completion
# ----------
# The lower half of held-out digits is hidden, and filled with means. All pixels that
# were seen are kept.

machines = {
    "ConvDBM": dbm,
    "ConvRBM": ConvRBM(24, n_iter=40, random_state=0).fit(A),
    "DBM": DBM((64, 64), n_iter=40, random_state=0).fit(A),
}
holes = B.copy()
holes[:, 32:] = np.nan
groups = {"hidden": np.nan_to_num(holes, nan=0.5)[:12]}
means = np.where(np.isnan(holes), A.mean(axis=0), holes)
filled = {"means": means}
filled |= {name: machine.impute(holes) for name, machine in machines.items()}
for name, rows in filled.items():
    error = np.sqrt(((rows - B)[:, 32:] ** 2).mean())
    groups[f"{name}, {error:.3f}"] = rows[:12]
show(groups | {"truth": B[:12]}, "lower halves filled, and their RMSE")

plt.show()
