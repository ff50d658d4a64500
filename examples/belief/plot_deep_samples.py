"""
Shallow and deep: samples side by side
======================================

Samples of an RBM, a deep belief network and a deep Boltzmann machine in one grid, and
their log-likelihoods of held-out images.

::

    python plot_deep_samples.py [--data FOLDER]

Without FOLDER the images are the 8 x 8 digits of scikit-learn. With it they are those
of ``FOLDER/mnist.npz`` (arrays ``train`` and ``valid``), and the belief network has
500, 500 and 1,000 units, each layer trained with a learning rate of 0.01 for 20 epochs
in batches of 20, in half an hour.
"""

import argparse
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skdgm import DBM, DBN, BernoulliRBM
from skdgm.plotting import SamplesDisplay

parser = argparse.ArgumentParser()
parser.add_argument("--data", type=Path)
folder = parser.parse_known_args()[0].data  # notebooks have others

# %%
# The images, converted to bits.

if folder is None:
    X, X_test = train_test_split(load_digits().data / 16, test_size=500, random_state=0)
    sizes, rule = (64, 64, 128), {"learning_rate": 0.05, "n_iter": 100}
else:
    with np.load(folder / "mnist.npz") as arrays:
        X, X_test = arrays["train"] / 255, arrays["valid"][:500] / 255
    sizes, rule = (500, 500, 1000), {"learning_rate": 0.01, "n_iter": 20}
X, X_test = ((part >= 0.5).astype(np.float32) for part in (X, X_test))
rule |= {"batch_size": 20, "random_state": 0, "gradient": "pcd"}

models = {
    "RBM": BernoulliRBM(sizes[-1], **rule),
    "DBN": DBN(sizes, **rule),
    "DBM": DBM(sizes[1:], **rule),
}

# %%
# Samples, by chains that start from noise; shown as means, which are easier to look at
# than bits.

grids = {"images": X_test[:100]}
for name, model in models.items():
    start = time.perf_counter()
    model.fit(X)
    seconds = time.perf_counter() - start
    print(
        f"{name}: {model.score(X_test):.1f} nats for held-out images "
        f"({model.density_kind_}), learned in {seconds:.0f} s"
    )
    drawn = model.sample(100, 0, init="noise", n_steps=3000)
    grids[name] = model.inverse_transform(model.transform(drawn))

# %%
# The picture.

figure, axes = plt.subplots(2, 2, figsize=(10, 10.6), layout="constrained")
for ax, (name, images) in zip(axes.flat, grids.items()):
    SamplesDisplay(images).plot(ax)
    ax.set_title(name)
plt.show()
