"""
Units of any kind
=================

Machines for columns other than bits: the pixels of scikit-learn's digits as counts from
0 to 16, and a table of measurements, a category and bits, whose missing entries are
imputed.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_digits, load_wine

from skdgm import RBM

# %%
# Each pixel is a count of black points among 16, a binomial unit. Beside it pixels as
# Poisson counts, which have no limit, and as shares in [0, 1]. With 16 hidden units
# log-likelihoods are exact. Counts say much about hidden units, so that chains mix
# slowly: tempering, the default, takes some time but is reliable.

X = load_digits().data
counts = RBM(16, column_types="binomial(16)", n_iter=25, random_state=0).fit(X)
quick = {"gradient": "pcd", "n_iter": 12, "random_state": 0}
poisson = RBM(16, column_types="poisson", **quick).fit(X)
shares = RBM(16, column_types="interval", **quick).fit(X / 16)
for name, model in (("binomial", counts), ("Poisson", poisson)):
    print(f"{name}: {model.score(X):.0f} nats for each image of counts")

# %%
# Draws, and the means of draws' pixels given their hidden units.

drawn = {
    "digits": X[:10],
    "binomial": counts.sample(10, random_state=0, n_steps=1000),
    "its means": counts.reconstruct(counts.sample(10, random_state=0, n_steps=1000)),
    "Poisson": poisson.sample(10, random_state=0, n_steps=1000).clip(0, 16),
    "shares": 16 * shares.sample(10, random_state=0, n_steps=1000),
}
figure, axes = plt.subplots(len(drawn), 10, figsize=(8, 4.3), layout="constrained")
for (name, rows), line in zip(drawn.items(), axes):
    for row, ax in zip(rows, line):
        ax.imshow(row.reshape(8, 8), cmap="gray_r", vmin=0, vmax=16)
        ax.set(xticks=[], yticks=[])
    line[0].set_ylabel(name)
plt.show()

# %%
# A table: the analysis of wines. Their class is a category, the number of the kind
# "gaussian"; the color's intensity is an amount, and "rectified".

frame = load_wine(as_frame=True).frame
frame["target"] = pd.Categorical(frame["target"].map("class {}".format))
kinds = {"color_intensity": "rectified", "malic_acid": "rectified"}
wines = RBM(8, column_types=kinds, n_iter=60, random_state=0).fit(frame)
print(wines.sample(3, random_state=0).T)

# %%
# A third of all entries is lost, and filled in with means; of the class with the most
# probable one.

rng = np.random.default_rng(0)
lost = frame.mask(rng.random(frame.shape) < 0.33)
filled = wines.impute(lost)
missing = lost["target"].isna()
right = (filled["target"] == frame["target"])[missing].mean()
print(f"{right:.0%} of {missing.sum()} missing classes are found")

figure, axes = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained")
for name, ax in zip(("flavanoids", "color_intensity"), axes):
    missing = lost[name].isna()
    ax.scatter(frame.loc[missing, name], filled.loc[missing, name], s=12)
    ends = frame[name].min(), frame[name].max()
    ax.plot(ends, ends, color="gray", linewidth=1)
    ax.set(title=name, xlabel="true value", ylabel="filled in")
plt.show()
