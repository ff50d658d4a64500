"""
A plane of images
=================

A variational autoencoder with two latent units maps images to a plane. This example
decodes a grid of the plane, shows the position of each class in it, and interpolates
between images in a latent space of twenty units.

::

    python plot_vae_manifold.py [--data FOLDER] [--set mnist | frey_faces]

Without FOLDER the images are the 8 x 8 digits of scikit-learn. With it they are those
of ``FOLDER/mnist.npz`` (arrays ``train``, ``valid`` and their labels), with nets of 512
ReLU units and 50 epochs in batches of 128, or the gray faces of
``FOLDER/frey_faces.npz``, as real numbers.
"""

import argparse
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from skdgm import VAE
from skdgm.options import ELBO, Columns
from skdgm.plotting import ManifoldDisplay, SamplesDisplay

parser = argparse.ArgumentParser()
parser.add_argument("--data", type=Path)
parser.add_argument("--set", choices=("mnist", "frey_faces"), default="mnist")
options = parser.parse_known_args()[0]  # notebooks have others

# %%
# The images. Gray values are probabilities of bits; those of faces are real numbers.
# For small digits ``beta`` is a half: latent units may tell more than the prior asks
# for, so that two of them spread the digits over the plane. Bits of MNIST are drawn
# anew at each presentation.

COMMON = {"random_state": 0}
shape = y = None
if options.data is None:
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X / 16, y, test_size=500, random_state=0)
    COMMON |= {"objective": ELBO(beta=0.5), "n_iter": 120}
else:
    with np.load(options.data / f"{options.set}.npz") as arrays:
        X, X_test = (arrays[part] / np.float32(255) for part in ("train", "valid"))
        if options.set == "mnist":
            y, y_test = arrays["train_y"], arrays["valid_y"]
    if options.set == "mnist":
        COMMON |= {"hidden_layer_sizes": (512,), "activation": "relu"}
        COMMON |= {"n_iter": 50, "batch_size": 128, "learning_rate": 0.001}
        COMMON |= {"column_types": Columns(resample=True)}
    else:
        COMMON |= {"hidden_layer_sizes": (200,), "column_types": "gaussian"}
        shape = (28, 20)

models = {}
for n_components in (2, 20):
    start = time.perf_counter()
    vae = models[n_components] = VAE(n_components, **COMMON).fit(X)
    print(
        f"{n_components} latent units, of which {vae.active_units(X).sum()} tell "
        f"something: {vae.score(X_test):.2f} nats, bound "
        f"{vae.elbo(X_test).bound.mean():.2f}; {time.perf_counter() - start:.0f} s"
    )
    if y is not None:
        linear = LogisticRegression(max_iter=1000).fit(vae.transform(X), y)
        right = linear.score(vae.transform(X_test), y_test)
        print(f"  a logistic regression on them: {right:.3f} of classes right")

# %%
# The plane, from -2 to 2 in both directions, and the positions of held-out images.

plane, space = models[2], models[20]
figure, axes = plt.subplots(1, 2, figsize=(11, 5.2), layout="constrained")
ManifoldDisplay.from_estimator(
    plane, n_images=15, limits=(-2, 2), image_shape=shape, ax=axes[0]
)
axes[0].set_title("what a grid over the plane decodes to")
Z = plane.transform(X_test)
colors = {} if y is None else {"c": y_test, "cmap": "tab10"}
dots = axes[1].scatter(*Z.T, s=4, **colors)
if y is not None:
    figure.colorbar(dots, ax=axes[1], label="class")
axes[1].set(title="where held-out images are", xlabel="vae0", ylabel="vae1")
plt.show()

# %%
# Interpolations between pairs of held-out images, along straight lines in the latent
# space; and analogies: a is to b as c is to the last image of each group.

ends = X_test[:20].reshape(10, 2, -1)
share = np.linspace(0, 1, 10)[:, None]
rows = []
for first, last in ends:
    a, b = space.transform(np.stack([first, last]))
    rows.append(space.inverse_transform((1 - share) * a + share * b))
figure, axes = plt.subplots(1, 2, figsize=(11, 5.8), layout="constrained")
paths = SamplesDisplay(np.concatenate(rows), image_shape=shape)
paths.plot(axes[0], n_columns=10)
axes[0].set_title("from one image to another")

a, b, c = X_test[20:50].reshape(3, 10, -1)
codes = [space.transform(part) for part in (a, b, c)]
sums = space.inverse_transform(codes[2] + codes[1] - codes[0])
table = np.stack([a, b, c, sums], axis=1).reshape(40, -1)
SamplesDisplay(table, image_shape=shape).plot(axes[1], n_columns=8)
axes[1].set_title("twice a row: a, b, c, and what c + b - a decodes to")
plt.show()
