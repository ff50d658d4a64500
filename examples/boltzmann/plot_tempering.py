"""
Tempering against stuck chains
==============================

The data have four patterns that are so different that Gibbs chains do not move between
them. Persistent contrastive divergence learns from stuck chains. In parallel tempering,
they exchange states with chains at higher temperatures, which move freely.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap
from sklearn.callback import ScoringMonitor

from skdgm import BernoulliRBM
from skdgm.options import PCD, Tempering

N_CHAINS, N_EPOCHS, N_STEPS = 20, 80, 500
FLIPPED, SHARES = 0.05, np.array([0.4, 0.3, 0.2, 0.1])

# %%
# Stripes of four kinds, some more frequent than others. Each of the 36 pixels is
# flipped with probability 0.05. Two kinds differ in 18 pixels, or in all.

stripes = np.arange(6) % 2 * np.ones((6, 1))
patterns = np.stack([stripes, 1 - stripes, stripes.T, 1 - stripes.T]).reshape(4, 36)


def draw(n_rows, seed):
    """Draw images and return them with their kinds."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(4, n_rows, p=SHARES)
    flips = rng.random((n_rows, 36)) < FLIPPED
    return np.abs(patterns[kind] - flips), kind


def distances(images):
    """Number of pixels in which images differ from each pattern."""
    return (images[..., None, :] != patterns).sum(axis=-1)


def true_log_p(images):
    """Log probability of images under the true distribution, in nats."""
    flips = distances(images)
    return np.log((SHARES * FLIPPED**flips * (1 - FLIPPED) ** (36 - flips)).sum(-1))


X, _ = draw(2000, seed=0)
X_test, kind_test = draw(5000, seed=1)

# %%
# Two machines that differ only in their chains. With ten hidden units every likelihood
# is exact.

rbms, curves = {}, {}
chains = {"pcd": PCD(n_chains=N_CHAINS), "tempering": Tempering(n_chains=N_CHAINS)}
for name, gradient in chains.items():
    monitor = ScoringMonitor(scoring={"nats": lambda rbm, X, y: rbm.score(X_test)})
    rbms[name] = BernoulliRBM(
        10,
        gradient=gradient,
        learning_rate=0.02,
        batch_size=20,
        n_iter=N_EPOCHS,
        random_state=0,
    ).set_callbacks(monitor)
    rbms[name].fit(X)
    epochs = [
        entry for entry in monitor.get_logs().data if entry["parent_task_id_path"]
    ]
    curves[name] = [entry["nats"] for entry in epochs]
pcd, tempering = rbms["pcd"], rbms["tempering"]
truth = true_log_p(X_test).mean()


def model_shares(rbm):
    """Share of a machine's probability on each kind of image."""
    ratio = np.exp(rbm.score_samples(X_test) - true_log_p(X_test))
    return np.bincount(kind_test, ratio) / ratio.sum()


print(f"the truth: {truth:.2f} nats on other images")
for name, curve in curves.items():
    last = np.array(curve[-10:])
    print(
        f"{name}: {last.mean():.2f} nats on average over the last ten epochs, "
        f"from {last.min():.2f} to {last.max():.2f}"
    )
print("swap rates:", tempering.swap_rates_.round(2))
shares = {
    "data": SHARES,
    "PCD's machine": model_shares(pcd),
    "tempering's machine": model_shares(tempering),
}

# %%
# Positions of the chains. Each update by ``partial_fit`` is one step of each chain.
# Shown between the two: plain Gibbs steps of the machine trained by tempering. It is a
# good machine, but a single chain stays in its mode.


def visited(rbm):
    """Kinds that the training chains visit, after each of some more updates."""
    steps = []
    for number in range(N_STEPS):
        first = 20 * number % len(X)
        rbm.partial_fit(X[first : first + 20])
        steps.append(distances(rbm.chains_).argmin(axis=-1))
    return np.transpose(steps)


alone = tempering.sample(N_CHAINS * N_STEPS, 0, n_steps=N_STEPS, thin=1)
alone = distances(alone).argmin(axis=-1).reshape(N_CHAINS, N_STEPS)
walks = {
    "PCD's chains, as it learns": visited(pcd),
    "plain Gibbs steps of tempering's machine": alone,
    "tempering's chains, as it learns": visited(tempering),
}
for name, walk in walks.items():
    moved = (walk[:, 1:] != walk[:, :-1]).mean()
    print(f"{name}: to another kind in {100 * moved:.2f} % of steps")
shares["PCD's chains"] = np.bincount(walks["PCD's chains, as it learns"].ravel()) / (
    N_CHAINS * N_STEPS
)
for name, found in shares.items():
    print(f"{name:20}" + "".join(f"{share:8.3f}" for share in found))

# %%
# The picture. PCD's chains visit each kind as often as the data do, so PCD does not
# notice that the machine's shares are wrong: its gradient vanishes whatever they are.

palette = ListedColormap(["tab:blue", "tab:orange", "tab:green", "tab:red"])
figure, axes = plt.subplots(2, 3, figsize=(14, 7.5), layout="constrained")
examples = np.stack([X_test[kind_test == kind][:4] for kind in range(4)], axis=1)
examples = np.concatenate([patterns[None], examples]).reshape(5, 4, 6, 6)
padded = np.pad(examples, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=np.nan)
axes[0, 0].imshow(padded.transpose(0, 2, 1, 3).reshape(40, 32), cmap="gray")
axes[0, 0].set(title="patterns, and four images of each", facecolor="tab:gray")
axes[0, 0].set_yticks([])
axes[0, 0].set_xticks(
    np.arange(3.5, 32, 8), [f"{100 * share:.0f} %" for share in SHARES]
)
for label, color in zip(axes[0, 0].get_xticklabels(), palette.colors):
    label.set(color=color, weight="bold")
for ax, (name, walk) in zip((axes[0, 1], axes[0, 2], axes[1, 2]), walks.items()):
    ax.imshow(walk, aspect="auto", cmap=palette, vmin=0, vmax=3, interpolation="none")
    ax.set(title=name, xlabel="Gibbs steps", ylabel="chain", yticks=[])
epochs = range(1, 1 + N_EPOCHS)
axes[1, 0].axhline(truth, color="black", linestyle=":", label="the truth")
axes[1, 0].plot(epochs, curves["pcd"], color="tab:purple", label="PCD")
axes[1, 0].plot(epochs, curves["tempering"], color="black", label="tempering")
axes[1, 0].set(title="exact log-likelihood", xlabel="epoch", ylabel="nats")
axes[1, 0].legend(loc="lower right")
for number, name in enumerate(shares):
    axes[1, 1].bar(
        np.arange(4) + 5 * number, shares[name], color=palette.colors, width=0.9
    )
axes[1, 1].set_xticks(
    np.arange(1.5, 20, 5), [name.replace(" ", "\n") for name in shares]
)
axes[1, 1].set(title="shares of the kinds")
plt.show()
