"""
A deep machine moves between modes
==================================

Samples of a deep Boltzmann machine, step by step: each row of the figure is a Markov
chain, shown after every hundred steps. A good chain moves from digit to digit.
Autocorrelations and the effective sample size measure its mixing.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

from skdgm import DBM
from skdgm.metrics import autocorrelation, chain_diagnostics

X, y = load_digits(return_X_y=True)
X = (X > 7).astype(np.float32)
dbm = DBM((64, 64), n_iter=40, batch_size=20, random_state=0).fit(X)

# %%
# Eight chains from noise. ``thin`` keeps every tenth state of a chain. Means of the
# pixels, given the hidden layers, are easier to look at than bits.

n_chains, n_steps, thin = 8, 2000, 10
kept = n_steps // thin
drawn = dbm.sample(
    n_chains * kept, 0, init="noise", burn_in=500, n_steps=n_steps, thin=thin
)
means = dbm.inverse_transform(dbm.transform(drawn)).reshape(n_chains, kept, 8, 8)

# %%
# Which digit is a state? Neighbors among the training images tell. The diagnostics are
# strict: R-hat of one pixel in a hundred above 1.01 is enough for ``converged: False``.

digit = KNeighborsClassifier(5).fit(X, y).predict(drawn).reshape(n_chains, kept)
changes = (digit[:, 1:] != digit[:, :-1]).mean() * kept * 1000 / n_steps
print(f"a chain changes its digit {changes:.0f} times in 1,000 steps")
print(f"digits visited by a chain: {np.mean([len(set(d)) for d in digit]):.1f} of 10")
print(chain_diagnostics(dbm, random_state=0))

# %%
# Left: chains over time. Right: the digit that each is at, and how fast they forget.

figure = plt.figure(figsize=(12, 5.6), layout="constrained")
left, right = figure.subfigures(1, 2, width_ratios=(1.3, 1))
ax = left.subplots()
shown = np.pad(means[:, ::10], [(0, 0)] * 2 + [(1, 1)] * 2, constant_values=np.nan)
picture = shown.transpose(0, 2, 1, 3).reshape(n_chains * 10, -1)
ax.imshow(picture, cmap=plt.get_cmap("gray").with_extremes(bad="0.8"))
ax.set_xticks(np.arange(5, picture.shape[1], 50), np.arange(0, n_steps, 500))
ax.set(title="eight chains", xlabel="Gibbs steps", ylabel="chain", yticks=[])
above, below = right.subplots(2)
image = above.imshow(
    digit, aspect="auto", cmap="tab10", vmin=-0.5, vmax=9.5, interpolation="none"
)
above.set_xticks(np.linspace(0, kept, 5), np.linspace(0, n_steps, 5).astype(int))
above.set(title="the digit that a chain is at", ylabel="chain", yticks=[])
right.colorbar(image, ax=above, ticks=range(10))
energy = dbm.free_energy(drawn).reshape(n_chains, kept)
below.plot(np.arange(60) * thin, autocorrelation(energy).mean(axis=0)[:60])
below.axhline(0, color="0.7", linewidth=1)
below.set(title="autocorrelation of the free energy", xlabel="Gibbs steps")
plt.show()
