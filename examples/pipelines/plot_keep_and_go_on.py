"""
Save, load and go on learning
=============================

A model is saved in the middle of training. The loaded model returns the same numbers,
draws the same samples, and continues learning exactly like the original model; further
rows can come months later, on another computer.

Prints log-likelihoods and writes ``kept.png``, in about twenty seconds.
"""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import skdgm
from skdgm.exceptions import CorruptFileError
from skdgm.plotting import SamplesDisplay

X, X_test = train_test_split(load_digits().data / 16, test_size=500, random_state=0)

# %%
# Ten epochs, a file, and sixty epochs more: once of the model in memory, and once of
# the model from the file.

rbm = skdgm.BernoulliRBM(100, n_iter=10, random_state=0).fit(X)
path = Path(tempfile.mkdtemp()) / "digits.skdgm"
skdgm.save(rbm, path)
early, later = skdgm.load(path), skdgm.load(path)
print(f"{path.name} has {path.stat().st_size / 2**10:.0f} KiB")

for _ in range(60):
    rbm.partial_fit(X)
    later.partial_fit(X)
print("the same weights:", np.array_equal(rbm.components_, later.components_))
print(f"held-out images after 10 epochs: {early.score(X_test):.2f} nats")
print(f"held-out images after 70 epochs: {later.score(X_test):.2f} nats")

# %%
# Nothing of a file is executed, and a file that was changed is refused by name.

data = bytearray(path.read_bytes())
data[len(data) // 2] ^= 1
path.write_bytes(data)
try:
    skdgm.load(path)
except CorruptFileError as error:
    print(f"{type(error).__name__}: a changed byte was found")

# %%
# Samples of the model as it was saved, and of the one that went on: strokes get
# sharper. The losses of the two that went on lie on each other, and begin with those
# from before the file.

figure, axes = plt.subplots(1, 3, figsize=(12, 4), layout="constrained")
for ax, model, name in zip(axes, (early, later), ("as saved", "sixty epochs later")):
    drawn = model.sample(64, random_state=0, init="noise", n_steps=2000)
    SamplesDisplay(model.inverse_transform(model.transform(drawn))).plot(ax)
    ax.set_title(f"samples, {name}")
epochs = range(1, 71)
axes[2].plot(epochs, later.loss_curve_, lw=5, alpha=0.4, label="from the file")
axes[2].plot(epochs, rbm.loss_curve_, "k:", label="in memory")
axes[2].axvline(10, color="tab:red", lw=1, label="saved here")
axes[2].set(title="training", xlabel="epoch", ylabel=f"minus {later.loss_quantity_}")
axes[2].legend()
figure.savefig("kept.png", dpi=100)
print("wrote kept.png")
