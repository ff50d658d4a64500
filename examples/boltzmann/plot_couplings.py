"""
Couplings of Ising and Potts models from samples
================================================

Which columns of a table interact directly? Two columns that depend on a third are also
correlated. A Boltzmann machine without hidden units has a coupling for each pair of
columns, which is zero if all other columns explain the correlation. Here the couplings
of known models are learned from 10,000 samples.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_extraction.image import grid_to_graph

from skdgm import BoltzmannMachine
from skdgm.options import PCD, Penalty

rng = np.random.default_rng(0)
UPPER = np.triu_indices(64, 1)

# %%
# A spin glass
# ------------
#
# Neighbors on a grid of 8 x 8 bits like to be equal, or to differ. The grid has two
# colors, as a chessboard, so that all bits of a color may be drawn at once.

edges = grid_to_graph(8, 8).toarray().astype(bool) & ~np.eye(64, dtype=bool)
J = np.triu(edges * rng.normal(0, 1.5, (64, 64)))
J = J + J.T
b = rng.normal(0, 0.3, 64) - J.sum(axis=1) / 2
black = np.add.outer(np.arange(8), np.arange(8)).ravel() % 2 == 0

X = (rng.random((10_000, 64)) < 0.5).astype(np.float32)
for _ in range(200):
    for color in (black, ~black):
        p = 1 / (1 + np.exp(-(b + X @ J)[:, color]))
        X[:, color] = rng.random(p.shape) < p

# %%
# All pairs may have a coupling. The pseudo-likelihood has an exact gradient; persistent
# chains follow the likelihood. Where the links are known, a mask leaves out the others.

options = {"n_iter": 20, "batch_size": 100, "learning_rate": 0.2, "random_state": 0}
machines = {
    "pseudo-likelihood": BoltzmannMachine(objective="pseudo-likelihood", **options),
    "persistent chains": BoltzmannMachine(gradient=PCD(n_chains=100), **options),
    "persistent chains, links known": BoltzmannMachine(
        edges=edges, n_colors=2, gradient=PCD(n_chains=100), **options
    ),
}
figure, axes = plt.subplots(1, 3, figsize=(11, 3.8), layout="constrained", sharey=True)
for (name, machine), ax in zip(machines.items(), axes):
    found = machine.fit(X).coupling_
    linked = edges[UPPER]
    for where, label in ((~linked, "no link"), (linked, "link")):
        ax.scatter(J[UPPER][where], found[UPPER][where], s=8, alpha=0.6, label=label)
    r = np.corrcoef(J[UPPER], found[UPPER])[0, 1]
    ax.axline((0, 0), slope=1, color="0.6", lw=1, zorder=0)
    ax.set(title=f"{name}\ncorrelation {r:.3f}", xlabel="true coupling")
axes[0].set_ylabel("learned coupling")
axes[0].legend()
plt.show()

# %%
# A Potts model
# -------------
#
# Columns of codes have a coupling for each pair of categories. Scores of pairs say how
# strong these are in all: here the learned scores above the diagonal, and the true
# links below it. Columns of a chain are correlated far along it, but linked with their
# neighbors alone; some more links are across.

n, q = 24, 4
links = [(i, i + 1) for i in range(n - 1)]
links += [(i, n - 1 - i) for i in range(1, n // 2 - 2, 2)]
W = np.zeros((n, n, q, q))
for i, j in links:
    W[i, j] = rng.normal(0, 1.2, (q, q))
    W[j, i] = W[i, j].T

codes = rng.integers(0, q, (10_000, n))
for _ in range(150):
    for i in range(n):
        field = sum(W[i, j].T[codes[:, j]] for j in range(n) if W[i, j].any())
        codes[:, i] = (field + rng.gumbel(size=field.shape)).argmax(axis=1)

potts = BoltzmannMachine(
    column_types="categorical",
    objective="pseudo-likelihood",
    penalty=Penalty(alpha=0.1),
    **options,
).fit(codes)
scores = potts.pair_scores("frobenius", apc=True)


# %%
# Plain correlations, here mutual information, find pairs that are not linked.


def mutual_information(x, y):
    table = np.histogram2d(x, y, bins=(range(q + 1), range(q + 1)))[0] / len(x)
    alone = np.outer(table.sum(axis=1), table.sum(axis=0))
    return (table * np.log(np.maximum(table, 1e-12) / alone)).sum()


mutual = np.array([[mutual_information(x, y) for x in codes.T] for y in codes.T])
true = np.zeros((n, n), bool)
true[tuple(zip(*links))] = True
upper = np.triu_indices(n, 1)
direct = potts.pair_scores("direct-information")
figure, axes = plt.subplots(1, 3, figsize=(11, 4.2), layout="constrained")
named = {"mutual information": mutual, "direct information": direct}
for ax, (name, found) in zip(
    axes, (named | {"Frobenius norm, corrected": scores}).items()
):
    best = np.argsort(-found[upper])[: len(links)]
    share = true[upper][best].mean()
    picture = np.triu(found, 1) / found[upper].max() + true.T
    ax.imshow(picture, cmap="magma", vmin=0, vmax=1)
    ax.set(title=f"{name}\n{share:.0%} of the highest are links", xlabel="column")
axes[0].set_ylabel("column")
plt.show()
