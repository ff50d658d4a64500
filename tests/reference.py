"""Small machines, worked out by brute force: every state is listed.

Nothing here calls the code under test; the energy is written out once more.
"""

from itertools import pairwise, product

import numpy as np
from scipy.special import logsumexp

from skdgm.energies import LayeredEnergy, Params
from skdgm.units import Bernoulli

MACHINES = {
    "rbm": [[4], [3]],
    "wide-rbm": [[2], [5]],
    "dbm": [[3], [3], [2]],
    "deep-dbm": [[2], [2], [2], [2]],
    "blocks": [[2, 2], [3], [1, 2]],
}


def random_machine(layers, seed, scale=1.0):
    """A machine of binary units with normal biases and weights."""
    energy = LayeredEnergy([[Bernoulli(n) for n in layer] for layer in layers])
    rng = np.random.default_rng(seed)
    params = energy.init(rng, scale=scale)
    biases = tuple(rng.normal(size=u.size) for u in energy.units)
    return energy, Params(biases, params.couplings)


class Enumeration:
    """All joint states of a machine, with their probabilities."""

    def __init__(self, layers, params):
        self.layers, self.links = layers, []
        sizes = [n for layer in layers for n in layer]
        bits = np.array(list(product([0.0, 1.0], repeat=sum(sizes))))
        self.x = tuple(np.split(bits, np.cumsum(sizes)[:-1], axis=1))
        self.log_w = sum(x @ b for x, b in zip(self.x, params.units))
        couplings, first = iter(params.couplings), 0
        for below, above in pairwise(layers):
            second = first + len(below)
            for i in range(first, second):
                for j in range(second, second + len(above)):
                    W = next(couplings)
                    self.links.append((i, j))
                    self.log_w = self.log_w + ((self.x[i] @ W) * self.x[j]).sum(1)
            first = second
        self.log_Z = logsumexp(self.log_w)
        self.p = np.exp(self.log_w - self.log_Z)

    def where(self, given):
        """Which states agree with values: {block: value}, NaN agreeing with all."""
        agree = np.ones(len(self.p), dtype=bool)
        for block, value in given.items():
            agree &= (np.isnan(value) | (self.x[block] == value)).all(axis=1)
        return agree

    def log_prob(self, given):
        """Log probability of partial states."""
        return logsumexp(self.log_w[self.where(given)]) - self.log_Z

    def mean(self, block, given=None):
        """Conditional mean of a block."""
        agree = self.where(given or {})
        return self.p[agree] @ self.x[block][agree] / self.p[agree].sum()

    def statistics(self, weight):
        """Weighted sums over the states of what the parameters multiply."""
        return Params(
            tuple(weight @ x for x in self.x),
            tuple((weight[:, None] * self.x[i]).T @ self.x[j] for i, j in self.links),
        )

    def likelihood_gradient(self, data):
        """Gradient of the mean log-likelihood of rows of block 0, NaN missing."""
        weight = -self.p
        for v in data:
            agree = self.where({0: v})
            weight = weight + agree * self.p / self.p[agree].sum() / len(data)
        return self.statistics(weight)

    def draw(self, n, seed):
        """Exact samples: a tuple with an array for each block."""
        which = np.random.default_rng(seed).choice(len(self.p), n, p=self.p)
        return tuple(x[which] for x in self.x)


def standard_error(mean, n):
    """Of the mean of n independent bits."""
    return np.sqrt(np.clip(mean * (1 - mean), 0, None) / n)


def numerical_gradient(function, tree, eps=1e-5):
    """Central differences of a function of a tree of arrays, a tree like it."""
    if isinstance(tree, tuple):
        parts = []
        for i in range(len(tree)):

            def of_part(part, i=i):
                return function(_replaced(tree, i, part))

            parts.append(numerical_gradient(of_part, tree[i], eps))
        return type(tree)(*parts) if hasattr(tree, "_fields") else tuple(parts)
    grad = np.empty_like(tree)
    for index in np.ndindex(tree.shape):
        up, down = tree.copy(), tree.copy()
        up[index] += eps
        down[index] -= eps
        grad[index] = (function(up) - function(down)) / (2 * eps)
    return grad


def _replaced(tree, i, part):
    parts = [part if j == i else branch for j, branch in enumerate(tree)]
    return type(tree)(*parts) if hasattr(tree, "_fields") else tuple(parts)
