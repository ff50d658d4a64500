"""
The textbook's network, and when it collapses
=============================================

Introductions to generative adversarial networks share a configuration for MNIST: a
generator of 256, 512 and 1,024 units above 100 normal latent units, leaky rectifiers
and batch normalization; a discriminator of 512 and 256; the non-saturating loss;
batches of 32; Adam with a first beta of 0.5 and a learning rate of 0.0002; 30,000
updates. This example trains it on scikit-learn's digits, watches its draws, and does
the same with one thing changed at a time.

::

    python plot_textbook_gan.py [--updates N] [--mnist]

With ``--mnist`` the rows are those of MNIST, which is downloaded once.
"""

import argparse
import time
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from skdgm import GAN
from skdgm.exceptions import CollapseWarning
from skdgm.options import Adam, Discriminator, GameLoss

parser = argparse.ArgumentParser()
parser.add_argument("--updates", type=int, default=2000)
parser.add_argument("--mnist", action="store_true")
options = parser.parse_known_args()[0]  # notebooks have others

if options.mnist:
    from skdgm.datasets import fetch_mnist

    X = fetch_mnist(return_X_y=True)[0].astype(np.float32) / 255
else:
    X = (load_digits().data / 16).astype(np.float32)
side = int(np.sqrt(X.shape[1]))

# %%
# Gray pixels of this package are outputs of a logistic function in [0, 1], which is the
# customary tanh in [-1, 1] but for scale. What the introductions leave out is turned
# off: the penalty on the discriminator's gradient, the average of the generator's
# parameters, bits among the latent units, the falling learning rate.

textbook = GAN(
    n_components=100,
    prior="normal",
    hidden_layer_sizes=(256, 512, 1024),
    discriminator=Discriminator((512, 256)),
    loss=GameLoss("non-saturating", gradient_penalty=0.0),
    batch_norm=True,
    batch_size=32,
    learning_rate=0.0002,
    solver=Adam(schedule="constant", beta_1=0.5, beta_2=0.999, average=0.0),
    random_state=0,
)
ROUNDS, SEEN = 6, 12
n_epochs = max(1, round(options.updates / ROUNDS / (len(X) / 32)))

# Networks that collapse say so with a warning; here one is to see it.
warnings.simplefilter("ignore", CollapseWarning)
warnings.simplefilter("ignore", ConvergenceWarning)

gan = clone(textbook).set_params(n_iter=n_epochs, warm_start=True)
strips, coverages = [], []
Z = np.random.default_rng(0).standard_normal((SEEN, 100))
for _ in range(ROUNDS):
    gan.fit(X)
    strips.append(np.hstack(gan.generate(Z).reshape(SEEN, side, side)))
    coverages.append(gan.coverage_)

fig, ax = plt.subplots(figsize=(9, 4.6), layout="constrained")
ax.imshow(np.vstack(strips), cmap="gray_r", vmin=0, vmax=1)
labels = [
    f"{n_epochs * (k + 1)} epochs: {found:.0%}" for k, found in enumerate(coverages)
]
ax.set(xticks=[], yticks=side * (np.arange(ROUNDS) + 0.5), yticklabels=labels)
ax.set_title("The same latent units over training, and the coverage of the digits")

# %%
# Each strip looks like digits soon. Coverage asks more: it is the share of rows that
# have a draw closer than their fifth neighbor, and a network that draws a few kinds of
# digits only, however sharp, has little of it.
#
# One change at a time, with as many updates; and the default parameters of this
# package.

CHANGES = {
    "as it stands": {},
    "minimax": {"loss__kind": "minimax"},
    "no batch norm": {"batch_norm": False},
    "learning rate 0.002": {"learning_rate": 0.002},
    "packs of 3": {"discriminator__packing": 3},
    "minibatch features": {"discriminator__minibatch_kernels": 20},
    "one-sided smoothing": {"loss__label_smoothing": 0.1},
    "gradient penalty": {"loss__gradient_penalty": 0.2},
    "default parameters": None,
}
found = {}
print(f"{'':20} coverage  discrepancy  seconds")
for name, change in CHANGES.items():
    if change is None:
        n_iter = max(1, round(options.updates / (len(X) / 100)))
        network = GAN(n_iter=n_iter, random_state=0)
    else:
        network = clone(textbook).set_params(n_iter=ROUNDS * n_epochs, **change)
    start = time.perf_counter()
    network.fit(X)
    seconds = time.perf_counter() - start
    found[name] = network
    numbers = f"{network.coverage_:8.0%} {network.loss_curve_[-1]:12.4f} {seconds:8.0f}"
    print(f"{name:20} {numbers}")

# %%
# Draws of each. Without batch normalization all latent units give the same image, the
# complete collapse: the discriminator has won, and the generator's gradient at rejected
# rows has all but vanished. ``coverage_`` says so in a number, and ``fit`` in a
# ``CollapseWarning`` that names remedies. Judging rows in packs, itself a remedy, makes
# a larger task of the same number of updates, and the draws are not digits yet.

fig, axes = plt.subplots(3, 3, figsize=(9, 7), layout="constrained")
for ax, (name, network) in zip(axes.flat, found.items()):
    draws = network.sample(40, random_state=0).reshape(5, 8, side, side)
    ax.imshow(np.hstack(np.hstack(draws)), cmap="gray_r", vmin=0, vmax=1)
    ax.set(xticks=[], yticks=[], title=f"{name}: {network.coverage_:.0%}")
plt.show()
