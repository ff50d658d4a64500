"""
Stacks of autoencoders: what kinds of layers learn
==================================================

``StackedAutoencoderClassifier`` learns autoencoders layer by layer from all rows, and
tunes the net of their encoders on those with a label. Its layers are denoising,
contractive or plain. Of 1,297 images of digits 100 have labels; accuracies are those of
500 other images.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skdgm import StackedAutoencoderClassifier
from skdgm.options import Pretraining

X, y = load_digits(return_X_y=True)
X, X_test, y, y_test = train_test_split(
    X / 16, y, test_size=500, stratify=y, random_state=0
)
order = np.random.default_rng(0).permutation(len(y))
known = np.concatenate([order[y[order] == label][:10] for label in range(10)])
labels = np.full(len(y), -1)
labels[known] = y[known]

# %%
# Without epochs of pre-training the net begins with random weights.

net = StackedAutoencoderClassifier(
    (64, 64),
    pretrain=Pretraining(n_iter=50, learning_rate=0.01),
    unlabeled=-1,
    random_state=0,
)
models = {
    layer: clone(net).set_params(layer_type=layer).fit(X, labels)
    for layer in ("plain", "denoising", "contractive")
}
random = clone(net).set_params(pretrain__n_iter=0).fit(X, labels)
models = {"random weights": random} | models
for name, model in models.items():
    print(f"{name:15} {100 * model.score(X_test, y_test):.1f} %")

# %%
# Filters of the first layer as pre-training left them: in place of noise, strokes and
# what is beside them.

figure, rows = plt.subplots(4, 12, figsize=(8, 3.2), layout="constrained")
for (name, model), axes in zip(models.items(), rows):
    filters = model.stack_.coefs_[0].T
    largest = np.argsort(-np.square(filters).sum(axis=1))[:12]
    for ax, weights in zip(axes, filters[largest]):
        ax.imshow(weights.reshape(8, 8), cmap="gray")
        ax.set(xticks=[], yticks=[])
    axes[0].set_ylabel(name, rotation=0, ha="right", va="center")
plt.show()

# %%
# The stack remains the density of the net: what it fails to reconstruct is unusual.

stack = models["denoising"].stack_
error = stack.reconstruction_error(X_test)
noise = np.random.default_rng(0).permuted(X_test, axis=1)
print(f"nats of digits {error.mean():.1f}, of their pixels in random order", end=" ")
print(f"{stack.reconstruction_error(noise).mean():.1f}")
