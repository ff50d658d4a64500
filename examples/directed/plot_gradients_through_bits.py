r"""
Gradients through a bit
=======================

The expectation of :math:`(z - 0.45)^2` over a bit z has a derivative by its log odds,
but z has none. This example shows what estimates of it cost: bias or variance.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.special import expit

from skdgm.gradients.disarm import disarm
from skdgm.nets import coin, vjp


def f(z):
    return (z - 0.45) ** 2


def score(a, z):
    """Derivative of the log probability of z by the log odds."""
    return z - expit(a)


rng = np.random.default_rng(0)
odds, n = np.linspace(-4, 4, 33), 20_000


def reinforce(a, u):
    z = (u < expit(a)).astype(float)
    return f(z) * score(a, z)


def with_baseline(a, u):
    z = (u < expit(a)).astype(float)
    # Each draw is compared with the mean of the others.
    others = (f(z).sum() - f(z)) / (len(z) - 1)
    return (f(z) - others) * score(a, z)


def antithetic(a, u):
    z, other = (part < expit(a) for part in (u, 1 - u))
    z, other = z.astype(float)[:, None], other.astype(float)[:, None]
    gap = (f(z) - f(other))[:, 0]
    return disarm(np.full_like(z, a), z, other, gap)[:, 0]


def relaxed(how):
    def estimate(a, u):
        logits = np.full((len(u), 1), a)
        loss = lambda p: f(coin(p[0], u[:, None], how, 0.5))  # noqa: E731
        return vjp(loss, (logits,), np.ones_like)[1][0][:, 0]

    return estimate


ways = {
    "REINFORCE": reinforce,
    "with a baseline": with_baseline,
    "DisARM": antithetic,
    "concrete": relaxed("concrete"),
    "straight-through": relaxed("straight-through"),
}

# %%
# Lines are means of many draws, bands one standard deviation of a single draw. A
# baseline takes most of the variance away, and antithetic draws what is left at the
# ends; neither moves the mean. Relaxed draws have a bias instead, here of the sign.
exact = (f(1.0) - f(0.0)) * expit(odds) * (1 - expit(odds))
fig, axes = plt.subplots(1, 5, figsize=(12, 2.6), sharex=True, sharey=True)
for ax, (name, estimate) in zip(axes, ways.items()):
    found = np.array([estimate(a, rng.random(n)) for a in odds])
    mean, spread = found.mean(axis=1), found.std(axis=1)
    ax.fill_between(odds, mean - spread, mean + spread, alpha=0.3)
    ax.plot(odds, mean, label="estimate")
    ax.plot(odds, exact, "k--", label="exact")
    ax.set(title=name, xlabel="log odds")
axes[0].set_ylim(-0.15, 0.2)
axes[0].legend()
fig.tight_layout()
plt.show()
