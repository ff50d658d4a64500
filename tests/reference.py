"""Small machines, worked out by brute force: every state is listed.

Nothing here calls the code under test; the energy is written out once more.
"""

from itertools import combinations, pairwise, product
from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp, softmax
from scipy.stats import norm

from skdgm.couplings import Dense, Factors
from skdgm.distributions import Bernoulli, Gaussian, Normal, Softmax
from skdgm.energies import Energy, Params, full, graph, layered
from skdgm.utils.tree import tree_map

# Colors of chains of layers.
EVEN, ODD = 0, 1
# Layers of blocks; a number is so many binary units.
MACHINES = {
    "rbm": [[4], [3]],
    "wide-rbm": [[2], [5]],
    "dbm": [[3], [3], [2]],
    "deep-dbm": [[2], [2], [2], [2]],
    "blocks": [[2, 2], [3], [1, 2]],
}
MIXED = {
    "gaussian": [[Gaussian(2)], [3]],
    "classifier": [[4, Softmax(3)], [3]],
    "real-classifier": [[Gaussian(2), Softmax(3)], [3]],
    "mixture": [[Gaussian(2)], [Softmax(3), 2]],
}
ALL = MACHINES | MIXED


class Graph(NamedTuple):
    """Blocks, pairs of linked ones, and the number of each pair's coupling; and triples
    of discrete blocks, with the numbers of their couplings to three factors."""

    blocks: list
    pairs: list
    numbers: tuple
    triples: tuple = ()


TRIANGLE = [(0, 1), (0, 2), (1, 2)]
# Graphs that are no chains of layers.
GRAPHS = {
    "triangle": Graph([3, 2, 2], TRIANGLE, (0, 1, 2)),
    "boltzmann": Graph([1] * 5, list(combinations(range(5), 2)), tuple(range(10))),
    "shared": Graph([2, 2, 2], TRIANGLE, (0, 0, 0)),
    "shared-chain": Graph([2, 3, 2], [(0, 1), (2, 1)], (0, 0)),
    "mixed": Graph([Gaussian(2), Softmax(3), 2], TRIANGLE, (0, 1, 2)),
    "three-way": Graph([3, 2, 2], TRIANGLE, (0, 1, 2), (((0, 1, 2), (3, 4, 5)),)),
    # Two blocks beside each other share all but their own weights.
    "gates": Graph(
        [2, 2, Softmax(3), 2],
        [(0, 3)],
        (0,),
        (((0, 3, 2), (1, 2, 3)), ((1, 3, 2), (4, 2, 3))),
    ),
}


def units(layers):
    """The units of all blocks."""
    layers = [layers.blocks] if isinstance(layers, Graph) else layers
    return [
        Bernoulli(part) if isinstance(part, int) else part
        for layer in layers
        for part in layer
    ]


def random_machine(layers, seed, scale=1.0):
    """A machine with normal biases, weights and, where it has some, log precisions."""
    energy = built(layers)
    rng = np.random.default_rng(seed)
    params = energy.init(rng, scale=scale)
    own = []
    for unit in energy.units:
        bias = rng.normal(size=unit.size)
        real = isinstance(unit, Gaussian)
        own.append(Normal(bias, 0.5 * rng.normal(size=unit.size)) if real else bias)
    return energy, Params(tuple(own), params.couplings)


def built(layers):
    """The energy of a machine of layers, or of a Graph."""
    blocks = units(layers)
    if not isinstance(layers, Graph):
        parts = iter(blocks)
        return layered([[next(parts) for _ in layer] for layer in layers])
    if layers.triples:
        return _gated(blocks, layers)
    if len(set(layers.numbers)) < len(layers.pairs):
        sizes = [blocks[block].size for block in layers.pairs[0]]
        links = [(*pair, 0) for pair in layers.pairs]
        return Energy(blocks, links, [Dense(*sizes)])
    if len(layers.pairs) == len(blocks) * (len(blocks) - 1) // 2:
        return full(blocks)
    return graph(blocks, layers.pairs)


def _gated(blocks, layers):
    links = [(*pair, number) for pair, number in zip(layers.pairs, layers.numbers)]
    couplings = [Dense(blocks[i].size, blocks[j].size) for i, j in layers.pairs]
    sizes = {k: blocks[b].size for t in layers.triples for b, k in zip(*t)}
    couplings += [Wide(sizes[number], 3) for number in sorted(sizes)]
    return Energy(blocks, links, couplings, triples=layers.triples)


class Wide(Factors):
    """Factors with weights nearly as large as those of other couplings."""

    def init(self, rng, scale=1.0, dtype=np.float64):
        return Dense.init(self, rng, 0.7 * scale, dtype)


def some_moments(energy):
    """Means (or other moments) of each block, for a base model."""
    moments = []
    for unit in energy.units:
        share = np.arange(1.0, unit.size + 1)
        share /= share.sum()
        if isinstance(unit, Gaussian):
            moments.append((share, 2 * share))
        else:
            moments.append(share if isinstance(unit, Softmax) else 0.7 * share)
    return tuple(moments)


class Enumeration:
    """All joint states of a machine's discrete blocks, with their probabilities.

    Given these a block of real units is normal: in its place stand its means in each
    state, and its variances beside them (which are zero elsewhere).
    """

    def __init__(self, layers, params):
        self.layers, self.params, self.units = layers, params, units(layers)
        if isinstance(layers, Graph):
            _, pairs, self.numbers, self.triples = layers
        else:
            numbers = iter(range(len(self.units)))
            numbers = [[next(numbers) for _ in layer] for layer in layers]
            pairs = [pair for two in pairwise(numbers) for pair in product(*two)]
            self.numbers, self.triples = tuple(range(len(pairs))), ()
        self.links = pairs
        self.W = self.weights(params)
        tables = [_table(unit) for unit in self.units]
        codes = np.indices([len(table) for table in tables]).reshape(len(tables), -1)
        self.x = [table[code] for table, code in zip(tables, codes)]
        self.var = [np.zeros(unit.size) for unit in self.units]
        self.real = {i for i, u in enumerate(self.units) if isinstance(u, Gaussian)}
        self.log_w = np.zeros(codes.shape[1])
        for block in set(range(len(self.units))) - self.real:
            self.log_w += self.x[block] @ params.units[block]
        for i, j in pairs:
            if not {i, j} & self.real:
                self.log_w += ((self.x[i] @ self.W[i, j]) * self.x[j]).sum(axis=1)
        for triple in self.triples:
            sent = [self.x[b] @ params.couplings[k] for b, k in zip(*triple)]
            self.log_w += (sent[0] * sent[1] * sent[2]).sum(axis=1)
        for block in self.real:
            bias, log_precision = params.units[block]
            self.x[block] = bias + self.received(block, self.x, self.W)
            self.var[block] = np.exp(-log_precision)
            # What is exp(0) where all are zero has a known density there.
            at_zero = norm.logpdf(0.0, self.x[block], np.sqrt(self.var[block]))
            self.log_w -= at_zero.sum(axis=1)
        self.log_Z = logsumexp(self.log_w)
        self.p = np.exp(self.log_w - self.log_Z)

    def weights(self, params):
        """The weights of each link."""
        return {
            pair: params.couplings[number]
            for pair, number in zip(self.links, self.numbers, strict=True)
        }

    def received(self, block, x, W):
        """What neighbors' values add to a real block's mean."""
        below = sum(x[i] @ W[i, j] for i, j in self.links if j == block)
        return below + sum(x[j] @ W[i, j].T for i, j in self.links if i == block)

    def posterior(self, given):
        """Log weights of the states, means and variances, given values of some blocks:
        {block: value}, NaN where unknown."""
        log_w, x, var = self.log_w.copy(), list(self.x), list(self.var)
        for block, value in given.items():
            known = ~np.isnan(value)
            if block in self.real:
                density = norm.logpdf(value, x[block], np.sqrt(var[block]))
                log_w += density[:, known].sum(axis=1)
                x[block] = np.where(known, value, x[block])
                var[block] = np.where(known, 0.0, var[block])
            else:
                log_w[(known & (x[block] != value)).any(axis=1)] = -np.inf
        return log_w, x, var

    def log_prob(self, given):
        """Log probability (or density) of partial states."""
        return logsumexp(self.posterior(given)[0]) - self.log_Z

    def log_likelihood(self, *data):
        """Its mean over rows of the first blocks."""
        return np.mean([self.log_prob(dict(enumerate(row))) for row in zip(*data)])

    def mean(self, block, given=None):
        """Conditional mean of a block."""
        log_w, x, _ = self.posterior(given or {})
        return softmax(log_w) @ x[block]

    def statistics(self, weight=None, given=None, params=None):
        """Expected derivatives of -E by the parameters, or by another machine's."""
        log_w, x, var = self.posterior(given or {})
        p = softmax(log_w) if weight is None else weight
        params = self.params if params is None else params
        W, T, own = self.weights(params), list(x), []
        for block, values in enumerate(x):
            if block in self.real:
                bias, precision = params.units[block][0], np.exp(params.units[block][1])
                T[block] = precision * values
                field = bias + self.received(block, x, W)
                pull = T[block] * field - 0.5 * precision * (values**2 + var[block])
                own.append(Normal(p @ T[block], p @ pull))
            else:
                own.append(p @ values)
        pairs = [(p[:, None] * T[i]).T @ T[j] for i, j in self.links]
        numbers = list(self.numbers)
        for blocks, own_numbers in self.triples:
            sent = [x[b] @ params.couplings[k] for b, k in zip(blocks, own_numbers)]
            for place in range(3):
                rest = [part for other, part in enumerate(sent) if other != place]
                pairs.append((p[:, None] * T[blocks[place]]).T @ (rest[0] * rest[1]))
                numbers.append(own_numbers[place])
        couplings = (
            sum(part for part, own in zip(pairs, numbers) if own == number)
            for number in range(len(params.couplings))
        )
        return Params(tuple(own), tuple(couplings))

    def likelihood_gradient(self, *data):
        """Gradient of the mean log-likelihood of rows of the first blocks."""
        each = [self.statistics(given=dict(enumerate(row))) for row in zip(*data)]
        mean = tree_map(lambda *parts: sum(parts) / len(parts), *each)
        return tree_map(np.subtract, mean, self.statistics())

    def draw(self, n, seed):
        """Exact samples: a tuple with an array for each block."""
        rng = np.random.default_rng(seed)
        which = rng.choice(len(self.p), n, p=self.p)
        return tuple(
            x[which] + np.sqrt(var) * rng.normal(size=(n, len(var)))
            if block in self.real
            else x[which]
            for block, (x, var) in enumerate(zip(self.x, self.var))
        )

    def between(self, base, beta):
        """The machine on the way here from a base, which is one of its kind."""
        own, scale = [], []
        for block, (start, end) in enumerate(zip(base, self.params.units)):
            if block not in self.real:
                own.append((1 - beta) * start + beta * end)
                scale.append(np.ones(len(end)))
                continue
            first, last = np.exp(start.log_precision), np.exp(end.log_precision)
            precision = (1 - beta) * first + beta * last
            theta = (1 - beta) * first * start.mean + beta * last * end.mean
            own.append(Normal(theta / precision, np.log(precision)))
            scale.append(last / precision)
        couplings = tuple(
            beta * np.multiply.outer(scale[i], scale[j]) * self.W[i, j]
            for i, j in self.links
        )
        if self.triples:
            # Of each triple one coupling that no other has, and the links' own.
            last = {numbers[0] for _, numbers in self.triples}
            couplings = tuple(
                W * (beta if k in last or k < len(couplings) else 1.0)
                for k, W in enumerate(self.params.couplings)
            )
            return Enumeration(self.layers, Params(tuple(own), couplings))
        layers = self.layers
        if isinstance(layers, Graph):
            layers = layers._replace(numbers=tuple(range(len(couplings))))
        return Enumeration(layers, Params(tuple(own), couplings))


def _table(unit):
    if isinstance(unit, Softmax):
        return np.eye(unit.size)
    if isinstance(unit, Gaussian):
        return np.zeros((1, unit.size))
    return np.array(list(product([0.0, 1.0], repeat=unit.size)))


def standard_error(mean, n):
    """Of the mean of n independent bits."""
    return np.sqrt(np.clip(mean * (1 - mean), 0, None) / n)
