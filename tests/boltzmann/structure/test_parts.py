"""Parts of machines' structure: what may not change, options, attributes of tables."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import entr
from scipy.stats import poisson
from sklearn.base import clone

from skdgm import (
    DBM,
    RBM,
    BernoulliRBM,
    BoltzmannMachine,
    ConditionalRBM,
    ConvDBM,
    ConvRBM,
    DBMClassifier,
    GatedRBM,
    GaussianRBM,
    MeanCovarianceRBM,
    MeanProductOfT,
    RBMClassifier,
    ReplicatedSoftmax,
    SpikeSlabRBM,
)
from skdgm.base.groups import name_of
from skdgm.boltzmann.structure.visible import at_limit
from skdgm.distributions import Gaussian

RNG = np.random.default_rng(0)
BITS = RNG.integers(0, 2, (30, 16)).astype(float)
Y = np.arange(30) % 3
IMAGES = "column_types", "filter_shape", "image_shape", "padding", "pool_shape"
IMAGES += ("stride",)
PAIRS = "column_types", "condition_types", "gates", "hidden", "n_components"
PAIRS += "n_factors", "n_lags", "pairwise"
# Options that may not change while learning goes on.
STRUCTURES = {
    BernoulliRBM: ("column_types", "n_components"),
    GaussianRBM: ("column_types", "n_components"),
    RBM: ("column_types", "hidden", "n_components"),
    RBMClassifier: ("column_types", "n_components"),
    DBM: ("column_types", "hidden_layer_sizes"),
    DBMClassifier: ("column_types", "hidden_layer_sizes"),
    ConvRBM: (*IMAGES, "n_components"),
    ConvDBM: (*IMAGES, "conv_layer_sizes"),
    BoltzmannMachine: ("column_types", "edges", "n_hidden"),
    ReplicatedSoftmax: ("n_components",),
    MeanCovarianceRBM: ("n_covariance", "n_factors", "n_mean"),
    MeanProductOfT: ("n_covariance", "n_factors", "n_mean"),
    SpikeSlabRBM: ("n_components",),
    ConditionalRBM: PAIRS,
    GatedRBM: PAIRS,
}


@pytest.mark.parametrize("kind", STRUCTURES, ids=lambda kind: kind.__name__)
def test_structure_may_not_change(kind):
    own = {name: SMALL[name] for name in SMALL if hasattr(kind(), name)}
    machine = kind(**own).set_params(random_state=0)
    X = RNG.normal(size=(30, 4)) if kind in REAL else BITS
    machine.fit(X, Y)
    learned = vars(machine._learned)
    assert sorted(learned) == sorted(STRUCTURES[kind])
    machine._check_unchanged()
    for name, value in list(learned.items()):
        learned[name] = "another"
        with pytest.raises(ValueError, match=name_of(kind, name)):
            machine._check_unchanged()
        learned[name] = value


SMALL = {
    "n_iter": 0,
    "n_components": 2,
    "hidden_layer_sizes": (3, 2),
    "n_covariance": 2,
    "n_factors": 3,
    "dbm": DBM((3, 2), n_iter=0),
    "fine_tune": None,
}
REAL = MeanCovarianceRBM, MeanProductOfT, SpikeSlabRBM, GaussianRBM, GatedRBM


def test_precisions_are_in_the_order_of_columns():
    X = RNG.normal(size=(40, 5)) * [1, 5, 1, 0.2, 3]
    X[:, [0, 4]] = np.maximum(X[:, [0, 4]], 0)
    X[:, 2] = X[:, 2] > 0
    kinds = "rectified", "gaussian", "bernoulli", "gaussian", "rectified"
    rbm = RBM(3, column_types=kinds, n_iter=5, random_state=0).fit(X)
    density, expected = rbm.density_, np.full(5, np.nan)
    scale = density.columns.scale
    layout = density.layout
    for kind, which, own in zip(layout.kinds, layout.columns, density.params.units):
        if kind != "bernoulli":
            expected[which] = np.exp(own.log_precision) / scale[which] ** 2
    assert len(set(expected)) == 5
    np.testing.assert_allclose(rbm.precision_, expected[[0, 1, 3, 4]], rtol=1e-6)


@pytest.mark.parametrize(
    "hidden", ["binomial", "bernoulli(3)", "poisson(2)", "categorical", "softmax(3)"]
)
def test_hidden_units_of_unknown_kinds_are_refused(hidden):
    with pytest.raises(ValueError, match="hidden must be one of"):
        clone(RBM(2, hidden=hidden, n_iter=0)).fit(BITS)


def test_the_loss_of_independent_columns_is_their_entropy():
    n = 400
    bit, code = RNG.random(n) < 0.3, RNG.choice(3, n, p=[0.2, 0.5, 0.3])
    count, real = RNG.poisson(1.5, n), 7 + 3 * RNG.normal(size=n)
    values = {"bernoulli": bit, "categorical": code, "poisson": count, "gaussian": real}

    def entropy(kind):
        if kind == "gaussian":
            return 0.5 * np.log(2 * np.pi * np.e)
        p = np.bincount(values[kind].astype(int)) / n
        if kind == "poisson":
            p = poisson.pmf(values[kind], values[kind].mean())
            return -np.log(p).mean()
        return entr(p).sum()

    kinds = [(kind,) for kind in values] + [tuple(values), ("gaussian",) * 3]
    for some in kinds:
        X = np.column_stack([values[kind] for kind in some]).astype(float)
        rbm = RBM(2, column_types=some, n_iter=0, random_state=0).fit(X)
        table = rbm._begin(X, None, None, fresh=False)
        objective = rbm._objective(table, 0)
        watch = objective.watch(table, None, objective.resume(rbm._state()))
        expected = sum(map(entropy, some))
        assert watch.independent_loss == pytest.approx(expected, rel=0.01), some


def test_columns_near_the_limit_of_precision_are_named():
    columns = SimpleNamespace(varies=np.array([True, True, False]))
    facts = SimpleNamespace(
        columns=columns, known=SimpleNamespace(feature_names_in_=None)
    )
    near = np.log([1.95, 1.7, 1.95])
    ((text, _),) = at_limit(facts, Gaussian(3, "diagonal", 0.5), near)
    assert "columns [0]" in text
    # Without a limit there is none to be near.
    for unit in Gaussian(3, "diagonal", 0.0), Gaussian(3, "fixed", 0.5):
        assert not list(at_limit(facts, unit, near))
