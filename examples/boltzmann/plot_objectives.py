"""
Learning without a partition function
=====================================

The likelihood of a Boltzmann machine contains log Z, and its gradient needs draws from
the model. Other objectives compare each row with its neighbors, or with noise, and
need neither. If rows come from a machine of the same form, all of them have their
maximum at its parameters. This example samples rows from a known machine, fits machines
with seven objectives, and shows their divergence from the true machine by the number of
rows.

::

    python plot_objectives.py [--epochs N]
"""

import argparse
import time

import matplotlib.pyplot as plt
import numpy as np

from skdgm import BernoulliRBM

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=30)
options = parser.parse_known_args()[0]  # notebooks have others

# %%
# A machine of 12 bits and 4 hidden units. Its distribution is known exactly: a fitted
# model with other parameters.

rng = np.random.default_rng(0)
true = BernoulliRBM(4, n_iter=0, random_state=0).fit(rng.integers(0, 2, (50, 12)))
true.components_ = rng.normal(0, 1.2, (4, 12))
true.intercept_hidden_ = rng.normal(0, 0.5, 4)
true.intercept_visible_ = rng.normal(0, 0.5, 12)

states = (np.arange(2**12)[:, None] >> np.arange(12)) & 1
log_p = true.score_samples(states.astype(float))
p = np.exp(log_p)
print(f"The probabilities of all states sum to {p.sum():.6f}.")

# %%
# The divergence of a learned machine from the true one, in nats, over all states.

OBJECTIVES = (
    "pcd",
    "cd",
    "pseudo-likelihood",
    "block-pseudo-likelihood",
    "ratio-matching",
    "probability-flow",
    "noise-contrastive",
)
sizes = [300, 1000, 3000, 10000]
X = states[rng.choice(len(states), sizes[-1], p=p / p.sum())].astype(np.float32)
found, seconds = {}, {}
for name in OBJECTIVES:
    found[name] = []
    start = time.perf_counter()
    for size in sizes:
        n_iter = max(1, options.epochs * sizes[-1] // size // 4)
        rbm = BernoulliRBM(
            6,
            gradient=name,
            n_iter=n_iter,
            solver="adam",
            learning_rate=0.02,
            batch_size=50,
            random_state=0,
        ).fit(X[:size])
        found[name].append(p @ (log_p - rbm.score_samples(states.astype(float))))
    seconds[name] = time.perf_counter() - start
    line = " ".join(f"{gap:7.4f}" for gap in found[name])
    print(f"{name:24} {line}  {seconds[name]:.1f} s")

# %%
# All of them come closer with more rows. The dotted line is the expected divergence of
# the maximum of the likelihood, half a nat for each parameter and row.

fig, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for name, gaps in found.items():
    ax.loglog(sizes, gaps, "o-", label=name)
n_parameters = 12 * 4 + 12 + 4
ax.loglog(sizes, n_parameters / (2 * np.array(sizes)), "k:", label="expected")
ax.set(xlabel="rows", ylabel="divergence, nats")
ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
plt.show()
