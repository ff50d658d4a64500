"""
Dreams of wake-sleep
====================

In the wake phase, a Helmholtz machine learns from rows, whose bits its inference net
infers; in the sleep phase it learns from dreams, whose bits are known. This example
shows the dreams during training.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skdgm import HelmholtzMachine
from skdgm.exceptions import CollapseWarning
from skdgm.options import Adam

X = load_digits().data / 16
X = np.random.default_rng(0).random(X.shape) < X
X_train, X_test = train_test_split(X, random_state=0)

# %%
# The same random numbers for the bits of the highest layer, and all below it, at each
# look: what changes is the machine alone.
looks = [0, 3, 10, 30, 100]
dreams, nats = [], []
machine = HelmholtzMachine(n_iter=0, warm_start=True, solver=Adam(schedule="constant"))
machine.set_params(learning_rate=0.005, random_state=0)
# The first fits are too short for the higher layer to say anything of rows.
warnings.simplefilter("ignore", CollapseWarning)
for before, upto in zip([0, *looks], looks):
    machine.set_params(n_iter=upto - before).fit(X_train)
    dreams.append(machine.sample(12, random_state=1))
    nats.append(machine.score(X_test))

fig, axes = plt.subplots(len(looks), 12, figsize=(7.5, 3.4))
for row, images, n_epochs, score in zip(axes, dreams, looks, nats):
    for ax, image in zip(row, images):
        ax.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
    label = f"{n_epochs} epochs\n{score:.1f} nats"
    row[0].set_ylabel(label, rotation=0, ha="right", va="center", fontsize=8)
fig.tight_layout()

# %%
# Dreams and rows through the inference net: if both nets agreed, a bit would be on as
# often in dreams, by the model, as in rows, by the inference net.
layers = machine.transform_layers(X_train)
asleep = machine.transform_layers(machine.sample(len(X_train), random_state=2))
fig, axes = plt.subplots(1, 2, figsize=(6, 3), sharex=True, sharey=True)
for ax, awake, other, name in zip(axes, layers, asleep, ("lower", "upper")):
    ax.plot([0, 1], [0, 1], "k:", linewidth=1)
    ax.plot(awake.mean(axis=0), other.mean(axis=0), ".")
    ax.set(title=f"{name} layer", xlabel="on awake", ylabel="on asleep")
fig.tight_layout()
plt.show()
