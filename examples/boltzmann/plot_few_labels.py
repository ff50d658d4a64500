"""
A classifier of few labels and many images
==========================================

``RBMClassifier`` models images and labels together, so that it also learns from images
without a label. Of 1,297 images of digits only a few have labels; accuracies are those
of 500 other images. For comparison: a logistic regression on the pixels.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from skdgm import RBMClassifier
from skdgm.options import Hybrid

SEEDS = range(3)
LABELS_PER_CLASS = (1, 2, 5, 10)

digits = load_digits()
X, X_test, y, y_test = train_test_split(
    digits.data / 16,
    digits.target,
    test_size=500,
    stratify=digits.target,
    random_state=0,
)


def known_labels(per_class, seed):
    """Indices of the images that have labels."""
    rng = np.random.default_rng(seed)
    each = [rng.permutation(np.flatnonzero(y == c))[:per_class] for c in range(10)]
    return np.concatenate(each)


# %%
# The classifiers. Two learn from labeled images only: the discriminative one models
# labels given images, the hybrid one also models both together, with weight
# ``generative_weight``. The last learns from all images, with -1 for an unknown label;
# its parameters were chosen on another split of the same images.

few = {"n_components": 100, "n_iter": 100}
many = {"n_components": 100, "n_iter": 20, "batch_size": 25, "learning_rate": 0.02}
pixels, semi = "logistic regression", "hybrid, and unlabeled images"
models = {
    pixels: LogisticRegression(max_iter=2000),
    "discriminative": RBMClassifier(objective="discriminative", **few),
    "hybrid": RBMClassifier(objective=Hybrid(generative_weight=0.01), **few),
    semi: RBMClassifier(
        objective=Hybrid(generative_weight=0.01),
        unlabeled=-1,
        centering="moving",
        **many,
    ),
}


def fit(name, per_class, seed):
    """Fit one of the models with a few labels."""
    model = clone(models[name]).set_params(random_state=seed)
    known = known_labels(per_class, seed)
    if name != semi:
        return model.fit(X[known], y[known])
    labels = np.full(len(y), -1)
    labels[known] = y[known]
    return model.fit(X, labels)


accuracy = {name: np.empty((len(SEEDS), len(LABELS_PER_CLASS))) for name in models}
fitted = {}
for name in models:
    for seed in SEEDS:
        for column, per_class in enumerate(LABELS_PER_CLASS):
            fitted[name, per_class, seed] = model = fit(name, per_class, seed)
            accuracy[name][seed, column] = 100 * model.score(X_test, y_test)

# %%
# The table.

columns = [f"{10 * per_class} labels" for per_class in LABELS_PER_CLASS]
print(f"Accuracy in %, mean ± standard deviation over {len(SEEDS)} seeds")
print(f"{'':30}" + "".join(f"{c:>14}" for c in columns))
for name, found in accuracy.items():
    cells = [f"{m:.1f} ± {s:.1f}" for m, s in zip(found.mean(0), found.std(0))]
    print(f"{name:30}" + "".join(f"{cell:>14}" for cell in cells))
gain = accuracy[semi] - accuracy[pixels]
print(
    "unlabeled images over logistic regression: "
    + ", ".join(
        f"{m:+.1f} points with {c} (better in {(g > 0).sum()} of {len(SEEDS)} seeds)"
        for m, c, g in zip(gain.mean(0), columns, gain.T)
    )
)

# %%
# Images of each class from one machine, trained with five labels per class: its chains
# run with the label clamped. The pixels' probabilities are shown, not bits.

machine = fitted[semi, 5, 0]
seen = X[known_labels(5, 0)].reshape(10, 5, 64)
drawn = [
    machine.sample(7, y=label, random_state=label, n_steps=500) for label in range(10)
]
means = machine.inverse_transform(machine.transform(np.concatenate(drawn)))


def mosaic(images):
    """Arrange images of 8 x 8 pixels in a row for each class, with gaps."""
    images = images.reshape(10, -1, 8, 8)
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=np.nan)
    return padded.transpose(0, 2, 1, 3).reshape(100, -1)


figure, axes = plt.subplots(
    1, 3, figsize=(13, 5.5), width_ratios=(2, 0.9, 1.26), layout="constrained"
)
for shift, (name, found) in enumerate(accuracy.items()):
    at = 10 * np.array(LABELS_PER_CLASS) * 1.03 ** (shift - 1.5)
    axes[0].errorbar(at, found.mean(0), found.std(0), marker="o", label=name)
axes[0].set(title="accuracy on 500 other images", xlabel="labels", ylabel="%")
axes[0].set_xscale("log")
axes[0].set_xticks(10 * np.array(LABELS_PER_CLASS), 10 * np.array(LABELS_PER_CLASS))
axes[0].minorticks_off()
axes[0].legend(loc="lower right")
for ax, title, images in (
    (axes[1], "the 50 labeled images", seen),
    (axes[2], "samples given the label", means),
):
    ax.imshow(mosaic(images), cmap="gray")
    ax.set(title=title, facecolor="tab:blue", xticks=[])
    ax.set_yticks(np.arange(4.5, 100, 10), range(10))
plt.show()
