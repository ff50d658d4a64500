r"""
Gradients through a bit
=======================

The expectation of :math:`(z - 0.45)^2` over a bit z has a derivative with respect to
the log odds, but z itself has none. This example shows the bias and the variance of
estimates of the derivative. The bit is then a hidden unit that explains a row, and
learns by the bound or by other objectives.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.special import expit, log_expit
from scipy.stats import binom

from skdgm.gradients.stochastic.disarm import disarm
from skdgm.gradients.stochastic.reinforce import reinforce as score_function
from skdgm.gradients.stochastic.reinforce import signals
from skdgm.gradients.stochastic.reweighted import wake
from skdgm.gradients.stochastic.vimco import vimco
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


def show(ways, exact):
    """Means of many draws, and a band of one standard deviation of a single one."""
    fig, axes = plt.subplots(1, len(ways), figsize=(2.4 * len(ways), 2.6), sharex=True)
    for ax, (name, estimate), truth in zip(axes, ways.items(), exact):
        found = np.array([estimate(a, rng.random(n)) for a in odds])
        mean, spread = found.mean(axis=1), found.std(axis=1)
        ax.fill_between(odds, mean - spread, mean + spread, alpha=0.3)
        ax.plot(odds, mean, label="estimate")
        ax.plot(odds, truth, "k--", label="exact")
        ax.set(title=name, xlabel="log odds")
    axes[0].legend()
    fig.tight_layout()
    return axes


# %%
# Lines are means of many draws, bands one standard deviation of a single draw. A
# baseline takes most of the variance away, and antithetic draws what is left at the
# ends; neither moves the mean. Relaxed draws have a bias instead, here of the sign.
exact = (f(1.0) - f(0.0)) * expit(odds) * (1 - expit(odds))
for ax in show(ways, [exact] * len(ways)):
    ax.set_ylim(-0.15, 0.2)

# %%
# A hidden unit
# -------------
# Let the bit z, on with probability 0.3, explain that a column x is on: with 0.8 if z
# is, else with 0.2. The log odds are those of q(z | x = 1), whose bound on log p(x) is
# highest at the posterior, the dotted line. All ways but the last two climb a bound:
# REINFORCE with no baseline, with the mean of all signals (the first of NVIL's), or
# with the best of all baselines; VIMCO that of five draws.
prior, given = 0.3, np.array([0.2, 0.8])
joint = np.array([1 - prior, prior]) * given
posterior, n_draws = joint[1] / joint.sum(), 5


def logs(a, z):
    """log p of the column and of the bit, and log q, of draws (n_rows, n_draws)."""
    above = np.log(np.where(z, prior, 1 - prior))
    log_p = np.stack([np.log(given[z.astype(int)]), above], axis=2)
    return log_p, np.where(z, log_expit(a), log_expit(-a))[:, :, None]


def by(weigh, n_draws=1):
    """Estimate by weights of log q for each draw, from skdgm.gradients."""

    def estimate(a, u):
        z = (rng.random((len(u), n_draws)) < expit(a)).astype(float)
        of_q = weigh(a, *logs(a, z)).of_q[:, :, 0]
        return (of_q * score(a, z)).sum(axis=1)

    return estimate


def whole(a, log_p, log_q):
    return score_function(signals(log_p, log_q, local=False))


def with_mean(a, log_p, log_q):
    signal = signals(log_p, log_q, local=True)
    return score_function(signal, signal.mean())


def with_optimum(a, log_p, log_q):
    # Signals of either bit, weighted by squared scores.
    both, q = np.array([[0.0, 1.0]]), expit([-a, a])
    each, square = signals(*logs(a, both), local=True)[0, :, 0], score(a, both[0]) ** 2
    best = (q * each * square).sum() / (q * square).sum()
    return score_function(signals(log_p, log_q, local=True), best)


def asleep(a, u):
    """Of dreams: rows and their bits, of which those of other rows teach other odds."""
    z = (rng.random(len(u)) < prior).astype(float)
    x = rng.random(len(u)) < given[z.astype(int)]
    return x * score(a, z)


ways = {
    "REINFORCE": by(whole),
    "mean baseline": by(with_mean),
    "optimal baseline": by(with_optimum),
    "VIMCO": by(lambda a, *logs: vimco(*logs), n_draws),
    "wake phase of q": by(lambda a, *logs: wake(*logs), n_draws),
    "sleep phase of q": asleep,
}


def bound(a, n):
    """Expected bound of n draws: by the number of those that are on."""
    on, w = np.arange(n + 1), joint[::-1] / expit([a, -a])
    return binom.pmf(on, n, expit(a)) @ np.log((on * w[0] + (n - on) * w[1]) / n)


def slope(n):
    return [(bound(a + 1e-4, n) - bound(a - 1e-4, n)) / 2e-4 for a in odds]


# %%
# Of a single bit the best baseline leaves no variance, and the mean may be worse than
# none. The phases of (reweighted) wake-sleep climb no bound: they bring q nearer to the
# posterior of given rows, with a bias that more draws make smaller, or of dreams,
# without. All have their zero at the posterior.
towards = posterior - expit(odds)
exact = [slope(1)] * 3 + [slope(n_draws), towards, joint.sum() * towards]
for ax in show(ways, exact):
    ax.axvline(np.log(posterior / (1 - posterior)), color="k", ls=":", lw=1)
    ax.set_ylim(-1, 1)
plt.show()
