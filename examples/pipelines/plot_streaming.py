"""
Learning from a stream
======================

``partial_fit`` takes rows as they arrive, each batch once. Here a machine learns from a
stream of digits whose source changes half-way, from the digits 0 to 4 to the digits 5
to 9. Each batch is scored before the machine learns from it: the likelihood drops at
the change, and recovers as the machine adapts.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from skdgm import FVBN, BernoulliRBM
from skdgm.options import PCD, Adam
from skdgm.plotting import SamplesDisplay

X, y = load_digits(return_X_y=True)
X = (X > 7).astype(np.float32)
rng = np.random.default_rng(0)
N_BATCHES, SIZE = 300, 100
sources = np.flatnonzero(y < 5), np.flatnonzero(y >= 5)


def stream():
    """Yield batches of rows: first of one source, then of the other."""
    for number in range(N_BATCHES):
        yield X[rng.choice(sources[number >= N_BATCHES // 2], SIZE)]


# %%
# The learning rate of ``partial_fit`` stays where it is, as nobody knows when a stream
# ends. A fully visible belief network, whose likelihood and draws are exact, learns
# beside an RBM of 16 units.

rbm = BernoulliRBM(
    16, batch_size=10, learning_rate=0.05, gradient=PCD(n_chains=100), random_state=0
)
linear = FVBN(
    batch_size=10, learning_rate=0.003, solver=Adam(average=False), random_state=0
)
nats, pictures = {"RBM": [], "FVBN": []}, {}
for number, batch in enumerate(stream()):
    for name, model in (("RBM", rbm), ("FVBN", linear)):
        if number:
            nats[name].append(model.score(batch))
        model.partial_fit(batch)
    if number in (20, 149, 170, 299):
        pictures[number] = linear.sample(36, random_state=0)

# %%
# Scores before learning from a batch, smoothed over five; and what the network draws at
# four moments.

figure = plt.figure(figsize=(11, 6.4), layout="constrained")
above, below = figure.subfigures(2, height_ratios=(1, 1.1))
ax = above.subplots()
for name, found in nats.items():
    smooth = np.convolve(found, np.ones(5) / 5, mode="valid")
    ax.plot(np.arange(3, 3 + len(smooth)), smooth, label=name)
ax.axvline(N_BATCHES // 2, color="0.6", linestyle=":", label="the stream changes")
ax.set(xlabel="batch", ylabel="nats before learning it", ylim=(-30, -14))
ax.legend(loc="lower right")
for ax, (number, images) in zip(below.subplots(1, 4), pictures.items()):
    SamplesDisplay(images).plot(ax)
    ax.set_title(f"after batch {number + 1}")
plt.show()
