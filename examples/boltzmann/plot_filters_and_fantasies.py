"""
Filters and fantasies
=====================

Filters of an RBM's hidden units, trained on images of digits, and the effect of five
steps of Gibbs sampling on an image.

::

    python plot_filters_and_fantasies.py [--data FOLDER]

Without FOLDER the images are the 8 x 8 digits of scikit-learn; with it those of
``FOLDER/mnist.npz`` (arrays ``train`` and ``valid``), in two minutes.
"""

import argparse
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skdgm import BernoulliRBM
from skdgm.plotting import ComponentsDisplay, SamplesDisplay

parser = argparse.ArgumentParser()
parser.add_argument("--data", type=Path)
folder = parser.parse_known_args()[0].data  # notebooks have others

# %%
# The images, converted to bits. MNIST has 28 times as many images as the bundled
# digits; on these the RBM trains for 28 times as many epochs, so for as many updates.

if folder is None:
    X, X_test = train_test_split(load_digits().data / 16, test_size=500, random_state=0)
    n_components, n_iter = 100, 560
else:
    with np.load(folder / "mnist.npz") as arrays:
        X, X_test = arrays["train"] / 255, arrays["valid"][:500] / 255
    n_components, n_iter = 1000, 20
X, X_test = ((part >= 0.5).astype(np.float32) for part in (X, X_test))

rbm = BernoulliRBM(
    n_components, learning_rate=0.01, n_iter=n_iter, batch_size=20, random_state=0
)
start = time.perf_counter()
rbm.fit(X)
print(f"learned in {time.perf_counter() - start:.0f} s")
print(f"held-out images: {rbm.score(X_test):.1f} nats (log Z ± {rbm.log_Z_se_:.2f})")
independent = BernoulliRBM(1, n_iter=0).fit(X)
print(f"independent pixels: {independent.score(X_test):.1f} nats")

# %%
# A hundred held-out images, and the same five steps later. The last step returns the
# pixels' probabilities, which are easier to look at than bits. A chain that starts from
# noise, far from all data, arrives at digits of its own.


def last_step(v):
    """Draw hidden units and return the pixels' probabilities given these."""
    h = np.random.default_rng(0).random((len(v), n_components)) < rbm.transform(v)
    return rbm.inverse_transform(h)


inputs = X_test[:100]
after_five = last_step(rbm.sample(100, 0, init=inputs, n_steps=4))
fantasies = last_step(rbm.sample(100, 0, init="noise", n_steps=2000))

# %%
# The picture. The hundred filters with the largest weights are shown, each with its own
# contrast.

figure, axes = plt.subplots(2, 2, figsize=(10, 10.6), layout="constrained")
for ax, title, images in (
    (axes[0, 0], "images not seen in training", inputs),
    (axes[0, 1], "the same, five Gibbs steps later", after_five),
    (axes[1, 1], "from noise, 2,000 steps later", fantasies),
):
    SamplesDisplay(images).plot(ax)
    ax.set_title(title)
ComponentsDisplay.from_estimator(rbm, ax=axes[1, 0])
axes[1, 0].set_title("weights of a hundred hidden units")
plt.show()
