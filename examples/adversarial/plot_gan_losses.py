"""
Losses side by side
===================

Twenty-five narrow normal distributions on a grid are the usual test of whether a
generator finds all modes and avoids the space between them. The example compares losses
of the literature with the same nets and numbers of updates, and then shows the training
with the default loss.

::

    python plot_gan_losses.py [--updates N]
"""

import argparse
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skdgm import GAN
from skdgm.exceptions import CollapseWarning
from skdgm.options import Discriminator, GameLoss

parser = argparse.ArgumentParser()
parser.add_argument("--updates", type=int, default=3000)
options = parser.parse_known_args()[0]  # notebooks have others
n_iter = max(1, options.updates // 50)

side = np.arange(-4.0, 5.0, 2.0)
centers = np.array([(a, b) for a in side for b in side])
rng = np.random.default_rng(0)
X = centers[rng.integers(0, 25, 5000)] + rng.normal(0, 0.05, (5000, 2))
X = X.astype(np.float32)


def told(draws):
    """Modes that have draws within three standard deviations, and share of those."""
    gaps = np.linalg.norm(draws[:, None] - centers, axis=2)
    near = gaps.min(axis=1) < 0.15
    return f"{len(np.unique(gaps.argmin(axis=1)[near]))} modes, {near.mean():.0%} near"


def show(ax, draws, title):
    """Draws above the centers."""
    ax.plot(*centers.T, "o", ms=7, mfc="none", mec="0.75")
    ax.plot(*draws.T, ".", ms=1.5, alpha=0.4)
    ax.set_title(f"{title}\n{told(draws)}", fontsize=9)
    ax.set(xlim=(-5, 5), ylim=(-5, 5), aspect="equal", xticks=[], yticks=[])


# %%
# Each loss has the same zero-centered penalty on the discriminator's gradient, but
# "wasserstein" with the one-centered penalty it was published with. Training is shorter
# than by default: what a loss does shows early.

COMMON = {"column_types": "gaussian", "hidden_layer_sizes": (96, 96), "random_state": 0}
CASES = {
    loss: {"loss": loss}
    for loss in ("minimax", "non-saturating", "likelihood", "least-squares")
}
CASES["wasserstein"] = {
    "loss": GameLoss("wasserstein", gradient_penalty=0.1, penalty="one-centered"),
    "discriminator": Discriminator(n_steps=3),
}
CASES["relativistic, the default"] = {}

# Fits that fail warn that they do; here one is to see it.
warnings.simplefilter("ignore", CollapseWarning)
warnings.simplefilter("ignore", ConvergenceWarning)

fig, axes = plt.subplots(2, 3, figsize=(9, 6.6))
for ax, (name, asked) in zip(axes.flat, CASES.items()):
    gan = GAN(n_iter=n_iter, **COMMON, **asked).fit(X)
    show(ax, gan.sample(2000, random_state=0), name)
fig.tight_layout()

# %%
# The default over training. The discriminator's penalty falls as the rate does,
# which keeps the game stable at first, and lets clusters become narrow at the end.

steps = sorted({max(1, n_iter * part // 8) for part in (1, 2, 4, 8)})
fig, axes = plt.subplots(1, len(steps), figsize=(11, 3.2), squeeze=False)
for ax, number in zip(axes[0], steps):
    # The same seed: a shorter fit is not the beginning of a longer one, as rates fall.
    gan = GAN(n_iter=number, **COMMON).fit(X)
    show(ax, gan.sample(2000, random_state=0), f"{number} epochs")
fig.tight_layout()
plt.show()
