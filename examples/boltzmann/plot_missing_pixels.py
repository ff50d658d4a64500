"""
Classifying digits with missing pixels
======================================

A Boltzmann machine has no fixed inputs and outputs: it infers all missing variables.
This example trains a machine to predict random halves of digits and labels from the
other halves (multi-prediction training), and compares it with other classifiers on
images with missing pixels.

::

    python plot_missing_pixels.py [--epochs N]
"""

import argparse
import time

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline

from skdgm import DBM, DBMClassifier
from skdgm.options import Adam, Columns

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=150)
options = parser.parse_known_args()[0]  # notebooks have others

X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)
parts = train_test_split(X, y, test_size=500, random_state=0, stratify=y)
X, X_test, y, y_test = parts

# %%
# One machine learns by multi-prediction, and classifies as it is. The other learns as
# deep machines commonly do, followed by fine-tuning; its network sees what mean field
# puts in the place of missing pixels. The perceptron sees their means.

predicting = DBM(
    (256,),
    gradient="multi-prediction",
    solver=Adam(beta_1=0.9),
    centering=None,
    learning_rate=0.01,
    batch_size=50,
    mean_field_steps=5,
    column_types=Columns(resample=False),
    n_iter=options.epochs,
)
models = {
    "DBM, multi-prediction": DBMClassifier(predicting, fine_tune=None, random_state=0),
    "DBM, fine-tuned": DBMClassifier(
        DBM((128, 128), learning_rate=0.05, n_iter=max(1, options.epochs // 5)),
        random_state=0,
    ),
    "MLP, means filled in": make_pipeline(
        SimpleImputer(), MLPClassifier((128, 128), max_iter=500, random_state=0)
    ),
}
shares = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
missing = np.random.default_rng(0).random(X_test.shape)
errors = {}
for name, model in models.items():
    start = time.perf_counter()
    model.fit(X, y)
    seconds = time.perf_counter() - start
    errors[name] = [
        1 - model.score(np.where(missing < share, np.nan, X_test), y_test)
        for share in shares
    ]
    line = " ".join(f"{error:6.1%}" for error in errors[name])
    print(f"{name:22} {line}  {seconds:.0f} s")

# %%
# Errors by the share of pixels that are missing.

fig, ax = plt.subplots(figsize=(6, 4), layout="constrained")
for name, found in errors.items():
    ax.plot(shares, found, "o-", label=name)
ax.set(xlabel="share of missing pixels", ylabel="error", ylim=(0, None))
ax.legend(frameon=False)

# %%
# What the machine makes of half a digit: pixels and label are inferred together.

some = np.flatnonzero(missing[:, 0] >= 0)[:10]
half = X_test[some].copy()
half[:, 32:] = np.nan
filled = models["DBM, multi-prediction"].impute(half, random_state=0)
labels = models["DBM, multi-prediction"].predict(half)
fig, axes = plt.subplots(3, 10, figsize=(9, 3), layout="constrained")
for column, images in zip(axes.T, zip(X_test[some], half, filled)):
    for ax, image in zip(column, images):
        ax.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
for ax, label, true in zip(axes[2], labels, y_test[some]):
    ax.set_xlabel(f"{label} ({true})")
plt.show()
