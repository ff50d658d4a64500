"""
Codes that explain digits
=========================

An InfoGAN learns categories and styles of digits without labels: its latent units are
noise and a few codes, and the codes must be recognizable in the generated rows. Each
row of images has one category; along the row, a continuous code goes from -1 to 1.
Codes must be recognizable in images that are slightly rotated, sheared, stretched and
shifted (``jitter``), and neighboring images of the data should have the same category
(``n_neighbors``). Categories then represent digits more often than slants.

::

    python plot_infogan_codes.py [--epochs N]
"""

import argparse

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.datasets import load_digits
from sklearn.metrics import confusion_matrix

from skdgm import InfoGAN
from skdgm.options import Information

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=120)
options = parser.parse_known_args()[0]  # notebooks have others

X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)
gan = InfoGAN(
    hidden_layer_sizes=(256, 256),
    n_categories=10,
    n_codes=1,
    information=Information(jitter=1.0, n_neighbors=5),
    n_iter=options.epochs,
    random_state=0,
).fit(X)

# %%
# Numbers of categories are arbitrary. Here they are matched with digits, of which the
# model knew nothing, so that as many rows as possible agree.

counts = confusion_matrix(gan.predict(X), y, labels=range(10))
category, digit = linear_sum_assignment(-counts)
share = counts[category, digit].sum() / len(X)
order = category[np.argsort(digit)]

steps = np.linspace(-1, 1, 10)
codes = np.array([(k, step) for k in order for step in steps])
# All other latent units are zero: the continuous code alone changes along a row.
units = gan.density_.generator.codes.units(codes)
rows = gan.inverse_transform(units).reshape(10, 10, 8, 8)

fig, axes = plt.subplots(1, 3, figsize=(12, 4))
image = rows.transpose(0, 2, 1, 3).reshape(80, 80)
axes[0].imshow(image, cmap="gray_r", vmin=0, vmax=1)
axes[0].set(xticks=[], yticks=4 + 8 * np.arange(10), yticklabels=range(10))
axes[0].set(xlabel="continuous code, from -1 to 1", title="generated")
axes[1].imshow(counts[order], cmap="Blues")
axes[1].set(xlabel="digit", ylabel="category", title=f"{share:.0%} of rows agree")
axes[1].set(xticks=range(10), yticks=range(10))
axes[2].plot(np.arange(1, gan.n_iter_ + 1), gan.information_curve_)
axes[2].axhline(np.log(10), color="0.6", ls=":")
axes[2].set(xlabel="epochs", title="bound on the information, nats", ylim=(-1, 2.8))
axes[2].text(1, np.log(10) + 0.05, "log 10: entropy of the category", va="bottom")
fig.tight_layout()
plt.show()
