"""
Interpolation in a flow
=======================

Pixelwise interpolation between two images of digits gives double exposures.
Interpolation between their codes, which are standard normal in a flow, gives codes of
new images: here a zero stays a zero for most of the path, and becomes a six at its end.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from skdgm import Flow
from skdgm.preprocessing import Dequantizer

digits = load_digits()
X = Dequantizer().fit_transform(digits.data[np.isin(digits.target, (0, 6))])
pca = PCA(20, random_state=0).fit(X)
Z = pca.transform(X)
options = {"n_iter": 150, "learning_rate": 0.01, "random_state": 0}
flow = Flow(4, (32,), base="normal", **options).fit(Z)

# %%
# From the first image to the second one, by pixels and by codes. Codes between two of
# standard normal length keep it on the way, by an arc in place of a line.
share = np.linspace(0, 1, 9)[:, None]
ends = Z[[0, 1]]
one, other = flow.transform(ends)
angle = np.arccos(one @ other / np.linalg.norm(one) / np.linalg.norm(other))
arc = (np.sin((1 - share) * angle) * one + np.sin(share * angle) * other) / np.sin(
    angle
)
ways = {
    "by pixels": (1 - share) * ends[0] + share * ends[1],
    "by codes": flow.inverse_transform(arc),
}
figure, axes = plt.subplots(3, 9, figsize=(9, 3.6), layout="constrained")
for row, (name, way) in zip(axes, ways.items()):
    for ax, image in zip(row, pca.inverse_transform(way)):
        ax.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=16)
    row[0].set_ylabel(name)
for ax, image in zip(axes[2], pca.inverse_transform(flow.sample(9, random_state=0))):
    ax.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=16)
axes[2, 0].set_ylabel("draws")
for ax in axes.flat:
    ax.set(xticks=[], yticks=[])
plt.show()
