"""
Centered and uncentered learning
================================

An RBM can model images and their negatives, 1 - x, equally well. Yet learning by the
plain gradient gives a better model of one than of the other. The centered gradient,
which subtracts the units' means, does not depend on this choice.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from skdgm import BernoulliRBM
from skdgm.options import SGD

N_EPOCHS, EVERY, SEEDS = 30, 2, range(3)

# %%
# Digits of black and white pixels, of which a third are 1, and their negatives, with
# two thirds. Sixteen hidden units are few enough for exact likelihoods.

X = (load_digits().data >= 8).astype(np.float32)
print(f"{100 * X.mean():.0f} % of pixels are 1")
data = {"images": X, "negatives": 1 - X}
gradients = {"uncentered": None, "centered": "moving"}
starts = {
    "marginals": "visible biases start at the pixels' means",
    "zeros": "visible biases start at zero",
}


def curve(X, centering, init, seed):
    """Log-likelihood of the training images, after every few epochs."""
    rbm = BernoulliRBM(
        16,
        centering=centering,
        solver=SGD(init_biases=init),
        learning_rate=0.05,
        batch_size=20,
        random_state=seed,
    )
    nats = []
    for epoch in range(1, N_EPOCHS + 1):
        rbm.partial_fit(X)
        if epoch % EVERY == 0:
            nats.append(rbm.score(X))
    return nats


independent = BernoulliRBM(1, n_iter=0).fit(X).score(X)
curves = {
    (init, name, kind): np.array(
        [curve(images, centering, init, seed) for seed in SEEDS]
    )
    for init in starts
    for name, centering in gradients.items()
    for kind, images in data.items()
}

# %%
# The table and the picture. With centering, images and negatives are learned equally
# well, for both initial biases. Without it the negatives lag; from zero biases, only
# their pixels' means are learned in thirty epochs.

print(f"independent pixels: {independent:.2f} nats")
for (init, name, kind), nats in curves.items():
    last = ", ".join(f"{value:.2f}" for value in nats[:, -1])
    print(f"init_biases={init!r:12} {name:10} {kind:10} {last} nats")

epochs = np.arange(EVERY, N_EPOCHS + 1, EVERY)
figure, axes = plt.subplots(1, 2, figsize=(12, 5), sharey=True, layout="constrained")
for (init, name, kind), nats in curves.items():
    ax = axes[list(starts).index(init)]
    for seed, run in zip(SEEDS, nats):
        ax.plot(
            epochs,
            run,
            color="tab:blue" if name == "centered" else "tab:red",
            linestyle="-" if kind == "images" else "--",
            linewidth=1.2,
            label=f"{name}, {kind}" if seed == 0 else None,
        )
for ax, title in zip(axes, starts.values()):
    ax.axhline(independent, color="gray", linestyle=":", label="independent pixels")
    ax.set(title=title, xlabel="epoch", ylim=(-27.5, None))
axes[0].set(ylabel="exact log-likelihood (nats)")
axes[0].legend(loc="lower right")
plt.show()
