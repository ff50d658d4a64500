"""
All modes, or one
=================

A generator can collapse: it only draws one or a few kinds of rows, which the
discriminator currently cannot distinguish from data. This example trains generative
adversarial networks on a ring of eight narrow clusters, with losses of the literature
and with default parameters, and then shows the training on digits.

::

    python plot_gan_modes.py [--updates N]
"""

import argparse
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from skdgm import GAN
from skdgm.exceptions import CollapseWarning
from skdgm.options import Adam, Discriminator, GameLoss

parser = argparse.ArgumentParser()
parser.add_argument("--updates", type=int, default=1500)
options = parser.parse_known_args()[0]  # notebooks have others

# %%
# A ring of eight normal distributions. Nets are smaller than by default and training is
# shorter, which is enough to see what the losses do.

rng = np.random.default_rng(0)
angles = np.arange(8) * np.pi / 4
centers = 2 * np.column_stack([np.cos(angles), np.sin(angles)])
X = centers[rng.integers(0, 8, 5000)] + rng.normal(0, 0.02, (5000, 2))
X = X.astype(np.float32)

COMMON = {"column_types": "gaussian", "hidden_layer_sizes": (64, 64), "random_state": 0}
COMMON |= {"n_iter": max(1, options.updates // 50)}
CASES = {
    "minimax": {"loss": GameLoss("minimax", gradient_penalty=0.0)},
    "non-saturating": {"loss": GameLoss("non-saturating", gradient_penalty=0.0)},
    "non-saturating, packed": {
        "loss": GameLoss("non-saturating", gradient_penalty=0.0),
        "discriminator": Discriminator(packing=3),
    },
    "default": {},
}


def modes(draws):
    """Number of clusters that have draws within five standard deviations."""
    gaps = np.linalg.norm(draws[:, None] - centers, axis=2)
    return len(np.unique(gaps.argmin(axis=1)[gaps.min(axis=1) < 0.1]))


# Fits that fail warn that they do; here one is to see it.
warnings.simplefilter("ignore", CollapseWarning)
warnings.simplefilter("ignore", ConvergenceWarning)

fig, axes = plt.subplots(1, 4, figsize=(12, 3.2), sharex=True, sharey=True)
for ax, (name, asked) in zip(axes, CASES.items()):
    draws = GAN(**COMMON, **asked).fit(X).sample(2000, random_state=0)
    ax.plot(*centers.T, "o", ms=12, mfc="none", mec="0.7")
    ax.plot(*draws.T, ".", ms=2, alpha=0.4)
    ax.set(title=f"{name}: {modes(draws)} of 8", xlim=(-3, 3), ylim=(-3, 3))
    ax.set(aspect="equal", xticks=[], yticks=[])
fig.tight_layout()

# %%
# Without a penalty on the discriminator's gradient, players chase each other around the
# ring. The default, a relativistic loss with a zero-centered penalty, settles.
#
# The same latent units over training, of scikit-learn's digits: each row of pictures is
# a number of epochs. ``loss_curve_`` is a distance between generated rows and data.

X, y = load_digits(return_X_y=True)
gan = GAN(solver=Adam(schedule="constant"), learning_rate=0.002, random_state=0)
Z = np.random.default_rng(0).choice([-1.0, 1.0], (12, 16))
seen, steps = [], (1, 4, 15, 40)
for number in range(1, steps[-1] + 1):
    gan.partial_fit((X / 16).astype(np.float32))
    if number in steps:
        seen.append(gan.generate(Z))

fig, axes = plt.subplots(1, 2, figsize=(11, 3.4), width_ratios=(3, 2))
rows = [np.hstack(part.reshape(12, 8, 8)) for part in seen]
axes[0].imshow(np.vstack(rows), cmap="gray_r", vmin=0, vmax=1)
axes[0].set(xticks=[], yticks=4 + 8 * np.arange(4), yticklabels=steps, ylabel="epochs")
axes[1].plot(np.arange(1, len(gan.loss_curve_) + 1), gan.loss_curve_)
axes[1].set(xlabel="epochs", ylabel="discrepancy")
fig.tight_layout()
plt.show()
