"""
A Helmholtz machine of bars
===========================

Images of 4 x 4 pixels show either horizontal or vertical bars. The machine has to learn
bits for the bars, and a bit for the direction in the layer above.
"""

import matplotlib.pyplot as plt
import numpy as np

from skdgm import HelmholtzMachine

rng, side = np.random.default_rng(0), 4


def bars(n_images):
    """Each row is on half of the time; a third of the images are then turned."""
    on = rng.random((n_images, side)) < 0.5
    images = np.repeat(on[:, :, None], side, axis=2)
    turned = rng.random(n_images) < 1 / 3
    images[turned] = images[turned].transpose(0, 2, 1)
    return images.reshape(n_images, -1)


X = bars(4000)
machine = HelmholtzMachine(
    (8, 4), learning_rate=0.02, batch_size=20, n_iter=100, random_state=0
).fit(X)

# %%
# Generative weights from the bits next to the pixels: single bars, and, blue, pixels
# that a bit forbids. The last image is the bias.
images = [*machine.generative_weights_[0], machine.generative_biases_[0]]
fig, axes = plt.subplots(1, len(images), figsize=(9, 1.3))
for ax, image in zip(axes, images):
    limit = abs(image).max()
    ax.imshow(image.reshape(side, side), cmap="RdBu_r", vmin=-limit, vmax=limit)
    ax.axis("off")

# %%
# Dreams, the machine's samples: most are images that occur.
dreams = machine.sample(20_000, random_state=0)
legal = np.unique(X, axis=0)
occurs = (dreams[:, None] == legal).all(axis=2).any(axis=1)
fig, axes = plt.subplots(2, 12, figsize=(9, 1.7))
for ax, image, right in zip(axes.ravel(), dreams, occurs):
    ax.imshow(image.reshape(side, side), cmap="gray_r", vmin=0, vmax=1)
    ax.set(xticks=[], yticks=[])
    plt.setp(ax.spines.values(), color="black" if right else "red", linewidth=1.5)
print(f"{occurs.mean():.0%} of the dreams occur; by chance {len(legal) / 2**16:.2%}")

# %%
# The likelihood of the images beside the entropy of what they were drawn from, the best
# that any model reaches.
share = np.concatenate([np.full(16, 2 / 3), np.full(16, 1 / 3)]) / 16
# All pixels off, or on, are drawn either way.
share[[0, 15]] += share[[16, 31]]
share = np.delete(share, [16, 31])
entropy = -(share * np.log(share)).sum()
found = -machine.importance_likelihood(X[:1000], n_draws=500).mean()
print(f"{found:.2f} nats an image, of which {entropy:.2f} are chance")
plt.show()
