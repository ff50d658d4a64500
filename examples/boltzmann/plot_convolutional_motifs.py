"""
Motifs of a signal
==================

Signals consist of three motifs at random positions, with noise. A convolutional machine
with four maps finds the motifs without information on their positions or identities.
Its detection units then locate the motifs.
"""

import matplotlib.pyplot as plt
import numpy as np

from skdgm import ConvRBM
from skdgm.options import Columns, Filters, Penalty

# %%
# Each of 2,000 signals has three motifs of 9 steps, drawn at random.
rng = np.random.default_rng(0)
t = np.arange(9)
motifs = np.array(
    [
        1.6 * np.exp(-((t - 4) ** 2) / 3) - 0.35,
        np.sign(4 - t),
        np.sin(2 * np.pi * t / 4.5),
    ]
)
motifs *= 4 / np.linalg.norm(motifs, axis=1, keepdims=True)
X, which = rng.normal(0, 0.5, (2000, 60)), rng.integers(3, size=(2000, 3))
begins = np.array([0, 20, 40]) + rng.integers(11, size=(2000, 3))
for row, kinds, starts in zip(X, which, begins):
    for kind, start in zip(kinds, starts):
        row[start : start + 9] += motifs[kind]

# %%
# An image of one row is a signal. In a block of 13 positions at most one unit is on:
# two motifs are seldom nearer.
# A spare map, and a target for how often units are on, keep motifs from sharing one.
rbm = ConvRBM(
    4,
    image_shape=(1, 60),
    filters=Filters(shape=(1, 9), pool_shape=(1, 13)),
    column_types=Columns("gaussian", precision="scalar"),
    features="detection",
    penalty=Penalty(sparsity_target=0.03, sparsity_cost=1.0),
    random_state=0,
).fit(X)


# %%
# A filter is right up to its size and to a shift, which its position makes up for.
def likeness(filters, motif):
    """Largest correlation of each filter with a motif, over shifts."""
    best = [np.correlate(np.pad(f, 4), motif, "full").max() for f in filters]
    return np.array(best) / np.linalg.norm(filters, axis=1) / np.linalg.norm(motif)


found = np.array([likeness(rbm.components_, motif) for motif in motifs])
nearest = found.argmax(axis=1)
print("likeness of each motif's nearest filter:", found.max(axis=1).round(3))

figure, axes = plt.subplots(2, 3, figsize=(8, 3.5), layout="constrained")
for kind, (above, below) in enumerate(axes.T):
    above.plot(motifs[kind], "o-")
    above.set_title(f"motif {kind}")
    below.plot(rbm.components_[nearest[kind]], "o-", color="tab:orange")
    below.set_title(f"filter, likeness {found[kind].max():.2f}")

# %%
# Probabilities of detection units say where in a signal a motif is.
maps = rbm.transform(X[:1]).reshape(-1, 4)[:, nearest]
figure, (above, below) = plt.subplots(2, figsize=(8, 3.5), layout="constrained")
above.plot(X[0])
for kind, start in zip(which[0], begins[0]):
    above.text(start + 3, X[0].max(), f"motif {kind}")
for kind, curve in enumerate(maps.T):
    below.plot(np.arange(len(curve)) + 4, curve, label=f"of motif {kind}")
below.set(xlim=above.get_xlim(), ylabel="probability")
below.legend(loc="upper center")
plt.show()
