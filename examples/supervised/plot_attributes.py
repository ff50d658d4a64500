"""
Images of given attributes
==========================

A supervised generator learns from images with known attributes, as in the experiment
with rendered chairs [1]_: its inputs are class, style and transformation, and its
output is an image. Here twenty digits, two styles of each class, are rotated, scaled
and shifted. The second style of each class is never rotated to the left in training.

.. [1] Dosovitskiy, Springenberg and Brox (2015). Learning to generate chairs with
   convolutional neural networks. CVPR.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.ndimage import affine_transform, zoom
from sklearn.datasets import load_digits

from skdgm import GeneratorNet
from skdgm.options import Convolutions

images, digits = load_digits(return_X_y=True)
images = images.reshape(-1, 8, 8) / 16
STYLES = ["first", "second"]
models = {
    (str(digit), style): zoom(np.pad(images[digits == digit][k], 1), 1.6, order=1)
    for digit in range(10)
    for k, style in enumerate(STYLES)
}


def rendered(table):
    """Digits of classes and styles, turned by degrees, scaled and moved."""
    found = []
    for digit, style, turn, size, move in table.itertuples(index=False):
        c, s = np.cos(np.deg2rad(turn)) / size, np.sin(np.deg2rad(turn)) / size
        back = np.array([[c, s], [-s, c]])
        offset = 7.5 - back @ [7.5, 7.5 + move]
        image = affine_transform(models[digit, style], back, offset, order=1)
        found.append(image.clip(0, 1).ravel())
    return np.array(found, np.float32)


rng, n = np.random.default_rng(0), 6000
table = pd.DataFrame(
    {
        "digit": rng.integers(0, 10, n).astype(str),
        "style": rng.choice(STYLES, n),
        "turn": rng.uniform(-45, 45, n),
        "size": rng.uniform(0.8, 1.1, n),
        "move": rng.uniform(-2, 2, n),
    }
)
X = rendered(table)

# %%
# Text is categorical, numbers are real attributes. The net makes images of 4 x 4 pixels
# and 32 maps from them, and larger ones by un-pooling and convolutions.
held_out = (table["style"] == "second") & (table["turn"] > 0)
net = GeneratorNet(
    architecture=Convolutions(layer_sizes=(32, 16)), n_iter=20, random_state=0
)
net.fit(X[~held_out], table[~held_out])


def show(rows, names, title):
    """Lines of images, each with a name."""
    fig, axes = plt.subplots(
        len(rows), len(rows[0]), figsize=(7, 0.8 * len(rows) + 0.5)
    )
    for line, name, images in zip(axes, names, rows):
        line[0].set_title(name, fontsize=8, loc="left")
        for axis, image in zip(line, images):
            axis.imshow(image.reshape(16, 16), cmap="gray", vmin=0, vmax=1)
            axis.axis("off")
    fig.suptitle(title)


# %%
# Each image has been turned to the left while it was of the first style only. The net
# turns those of the second style as well: what it learned of turning holds for both.
asked = pd.DataFrame(
    {
        "digit": list(map(str, range(10))),
        "style": "second",
        "turn": 35.0,
        "size": 1.0,
        "move": 0.0,
    }
)
first = asked.assign(style="first")
error = np.sqrt(((net.generate(table) - X) ** 2).mean(axis=1))
seen, unseen = error[~held_out].mean(), error[held_out].mean()
print(f"error where seen {seen:.3f}, unseen {unseen:.3f}")
lines = rendered(first), net.generate(first), rendered(asked), net.generate(asked)
names = "rendered, seen", "generated", "rendered, never seen", "generated"
show(lines, names, "turned to the left")

# %%
# Mixtures of encoded attributes are attributes, too: half a 3 and half an 8, or a style
# between two.
upright = asked.assign(turn=0.0)
pairs = [(3, 8), (1, 7), (0, 6), (4, 9)]
steps = np.linspace(0, 1, 10)[:, None]
lines = []
for one, other in pairs:
    Z = net.encode(upright.iloc[[one, other]])
    lines.append(net.inverse_transform((1 - steps) * Z[0] + steps * Z[1]))
show(lines, [f"from {a} to {b}" for a, b in pairs], "between classes")

# %%
# Backwards, attributes of images are inferred by Bayes' rule, among those of training
# rows: here of digits that are turned as none of their style was.
rows = rng.choice(np.flatnonzero(held_out), 200)
found = net.transform(X[rows])[:, :10].argmax(axis=1).astype(str)
print(f"{(found == table['digit'].iloc[rows]).mean():.0%} recognized")
plt.show()
