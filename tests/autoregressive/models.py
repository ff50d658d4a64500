"""What tests of autoregressive models share: small ones, whose parameters are drawn,
not learned, and all rows that there are of discrete columns."""

from functools import cache
from itertools import product

import numpy as np

from skdgm import FVBN, MADE, NADE, RNADE, EoNADE, NeuralAutoregressive
from skdgm.utils.tree import leaves
from tests.options import grouped

FAMILIES = {
    "fvbn": (FVBN, {}),
    "network": (NeuralAutoregressive, {"n_components": 2}),
    "indirect": (NeuralAutoregressive, {"n_components": 3, "direct": False}),
    "nade": (NADE, {"n_components": 5, "activation": "logistic"}),
    "nade-relu": (NADE, {"n_components": 5, "activation": "relu"}),
    "made": (MADE, {"hidden_layer_sizes": (9,), "activation": "tanh"}),
    "deep": (MADE, {"hidden_layer_sizes": (8, 9), "direct": False}),
    "eonade": (EoNADE, {"hidden_layer_sizes": (6,), "n_orderings": 1}),
    "orderless": (EoNADE, {"hidden_layer_sizes": (6, 5), "n_orderings": 1}),
    "steps": (EoNADE, {"hidden_layer_sizes": (6, 5), "n_orderings": 1, "n_steps": 3}),
}
CHAINS = [name for name in FAMILIES if FAMILIES[name][0] is not EoNADE]
ORDERLESS = [name for name in FAMILIES if name not in CHAINS]
# One of each way to have conditionals.
SOME = ["fvbn", "indirect", "nade", "deep"]
# How members of an ensemble are asked for.
SEVERAL = {"made": "n_masks", "deep": "n_masks"}
# Numbers of values of discrete columns; one of them is a constant.
SIZES = {"bits": (2, 2, 2, 2), "codes": (2, 3, 1, 4), "mixed": (2, 3, 2, 4)}
OUTPUT = {
    "bits": "bernoulli",
    "codes": "categorical",
    "mixed": ("bernoulli", "categorical", "bernoulli", "categorical"),
    "real": "gaussian",
    "table": ("bernoulli", "gaussian", "categorical"),
}


def states(kind):
    """All rows."""
    return np.array(list(product(*(np.arange(float(n)) for n in SIZES[kind]))))


def data(kind, n=40, seed=0):
    """Some rows, of columns that have something to do with one another."""
    rng = np.random.default_rng(seed)
    if kind in SIZES:
        X = states(kind)
        weight = rng.random(len(X)) ** 2
        rows = X[rng.choice(len(X), n, p=weight / weight.sum())]
        return np.concatenate([rows, [np.array(SIZES[kind]) - 1]])
    cause = rng.normal(size=(n, 1))
    X = np.hstack([cause, np.sin(2 * cause)]) + 0.3 * rng.normal(size=(n, 2))
    if kind == "real":
        return X * [5, 0.2] + [1, -3]
    bit, code = X[:, 1] > 0, (cause[:, 0] > -0.5) + 1 * (cause[:, 0] > 0.5)
    return np.column_stack([bit, 5 * X[:, 0] + 1, code])


def made(name, kind, *, n_orders=1, scale=0.7, **options):
    """A model whose parameters are what they begin with, and noise."""
    cls, own = FAMILIES[name]
    several = {SEVERAL.get(name, "n_orderings"): n_orders}
    given = {"ordering": "given", "n_iter": 0, "random_state": 0, "average": False}
    given |= own | several | {"column_types": OUTPUT[kind]} | options
    return noisy(grouped(cls, **given).fit(data(kind)), scale)


def rnade(n_columns=2, scale=0.7, **options):
    """The same, of real columns only."""
    given = {"n_components": 5, "n_mixtures": 2, "n_iter": 0, "random_state": 0}
    model = grouped(RNADE, **given | {"average": False} | options)
    return noisy(model.fit(data("real")[:, :n_columns]), scale)


def noisy(model, scale=0.7):
    """With noise added to all parameters, those that masks forbid among them."""
    rng = np.random.default_rng(1)
    for leaf in leaves(model._training.learned):
        leaf += scale * rng.normal(size=leaf.shape)
    return model


@cache
def model(name, kind, **options):
    """The same one for all tests, who leave it as it is."""
    return made(name, kind, **options)


def inside(estimator):
    """The functions that an estimator is made of, and their parameters."""
    density = estimator.density_
    return density.model, density.params


def probabilities(estimator, kind):
    """Of all rows."""
    return np.exp(estimator.score_samples(states(kind)))


def given_known(p, X, row):
    """Probabilities of all rows given what of a row is known."""
    known = ~np.isnan(row)
    p = np.where((X[:, known] == row[known]).all(axis=1), p, 0)
    return p / p.sum()


def correlated_bits(n=300, n_columns=6, noise=0.1, seed=0):
    """Bits that are nearly copies of two causes, every other one of one."""
    rng = np.random.default_rng(seed)
    causes = rng.random((n, 2)) < 0.5
    X = np.tile(causes, (1, n_columns // 2))
    return (X ^ (rng.random(X.shape) < noise)).astype(np.float64)
