"""What every density and every objective promise, whatever the model."""

import inspect

import numpy as np
import pytest
from sklearn.base import clone

from skdgm.base import Density, MissingCapability
from skdgm.boltzmann.machine import Machine
from skdgm.metrics import raise_log_likelihood
from skdgm.nets import NetEstimator
from skdgm.optim import Clock
from skdgm.stacks import StackedNetwork
from skdgm.training import Objective, Watch
from skdgm.utils.random import stream
from skdgm.utils.tree import copy, leaves
from tests.common.instances import INSTANCES, cases, marks_of, name_of
from tests.common.shapes import machine
from tests.same_results import data

# The first instance of each class.
DENSITIES = {
    type(instance).__name__: instance
    for instance in reversed(INSTANCES)
    if isinstance(instance, NetEstimator | Machine | StackedNetwork)
}
EVERY = {
    name_of(instance): instance
    for instance in INSTANCES
    if type(instance).__name__ in DENSITIES
}
# Networks have an objective for each of their layers.
OBJECTIVES = {
    name: case
    for name, case in DENSITIES.items()
    if not isinstance(case, StackedNetwork)
}
# Methods that also return standard errors.
WITH_ERRORS = [
    pytest.param(case, method, id=f"{name}-{method}", marks=marks_of(case))
    for name, case in DENSITIES.items()
    for method in ("likelihood_bound", "importance_likelihood")
    if "return_se" in str(inspect.signature(getattr(type(case), method, print)))
]


# Kinds of results, of which the last is not a density.
KINDS_OF_RESULTS = "exact", "lower bound", "estimate", "reconstruction"


@pytest.fixture(params=cases(DENSITIES.values(), DENSITIES))
def fitted(request):
    """A fitted estimator, its rows, and the same with missing entries, with labels."""
    estimator = clone(request.param)
    machine(estimator).set_params(n_iter=2)
    if isinstance(estimator, StackedNetwork):
        estimator.set_params(feature_layer="all")
    X, y = data(estimator)
    X = X.astype(np.float64)
    holes = np.random.default_rng(0).random(X.shape) < 0.2
    return estimator.fit(X, y), X, np.where(holes, np.nan, X), y


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("fitted, method", WITH_ERRORS, indirect=["fitted"])
def test_values_are_the_same_with_standard_errors(fitted, method):
    estimator, X, _, _ = fitted
    estimate = getattr(estimator, method)
    values, se = estimate(X, n_draws=3, return_se=True)
    np.testing.assert_array_equal(estimate(X, n_draws=3), values)
    assert se.shape == values.shape


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_density_answers_for_its_estimator(fitted):
    estimator, X, missing, _ = fitted
    density = estimator.density_
    assert isinstance(density, Density)
    assert density.kind == estimator.density_kind_
    assert density.kind in KINDS_OF_RESULTS
    log_prob = density.log_prob(missing)
    assert log_prob.shape == (len(X),)
    assert log_prob.dtype == np.float64
    np.testing.assert_array_equal(log_prob, estimator.score_samples(missing))
    np.testing.assert_array_equal(density.features(X), estimator.transform(X))
    drawn = density.sample(4, random_state=0)
    assert drawn.shape == (4, X.shape[1])
    np.testing.assert_array_equal(drawn, estimator.sample(4, random_state=0))
    for method in ("mean", "sample"):
        full = density.fill(missing, method, random_state=0)
        np.testing.assert_array_equal(full[~np.isnan(missing)], X[~np.isnan(missing)])
        assert np.isfinite(full).all()
    assert set(density.bits) <= set(range(X.shape[1]))
    if hasattr(estimator, "log_Z_"):
        assert density.log_partition() == (estimator.log_Z_, estimator.log_Z_se_)
        return
    with pytest.raises(MissingCapability, match=f"{type(estimator).__name__}.*log_par"):
        density.log_partition()


ANY = stream(0)


def log_A(unit, eta):
    """Log partition of the visible units given each sample."""
    return unit.log_partition(eta)


# Calls of what densities can do: of rows, and of nothing or what is given.
OF_ROWS = {
    "log_prob": lambda density, X, **given: density.log_prob(X, **given),
    "log_prob_of_entries": lambda density, X: density.log_prob_of_entries(X),
    "numerator": lambda density, X: density.numerator(X, 2)[0],
    "free_energy": lambda density, X: density.free_energy(X),
    "pseudo_likelihood": lambda density, X: density.pseudo_likelihood(X),
    "importance": lambda density, X: density.importance(X, 2)[0],
    "bound": lambda density, X: density.bound(X, 2)[0],
    "importance_likelihood": lambda density, X: density.importance_likelihood(X, 2)[0],
    "elbo": lambda density, X: density.elbo(X, 2).bound,
    "log_joint_of": lambda density, X: density.log_joint_of(density.rows(X)),
    "features": lambda density, X: density.features(X),
    "fill": lambda density, X: density.fill(X),
}
OTHERS = {
    "sample": lambda density, given: density.sample(4, 0, **given),
    "trace": lambda density, _: density.trace(4, n_steps=1)[0],
    "visible_fields": lambda density, _: log_A(*density.visible_fields(4, ANY, 1)),
    "inverse": lambda density, _: density.inverse(
        np.full((4, density.n_features_out), 0.5)
    ),
    "log_partition": lambda density, _: [density.log_partition()[0]] * 4,
    "bracket": lambda density, _: [density.bracket().log_Z] * 4,
}
# What some densities do of complete rows only.
LACKED = [(name, "missing") for name in ("numerator", "importance", "annealed")]
LABELS = np.arange(4) % 2
GIVEN = {
    "unconditional": {},
    "labels": {"codes": LABELS},
    "attributes": {"y": LABELS},
    "lengths": {"lengths": 5},
    "conditions": {"conditions": {0: [1, 0]}, "names": range(9)},
    "ranges": {"conditions": {0: slice(None, 1)}, "names": range(9)},
}


@pytest.mark.parametrize("fitted", cases(EVERY.values(), EVERY), indirect=True)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_what_a_density_declares_is_true(fitted):
    estimator, X, missing, _ = fitted
    density, name = estimator.density_, type(estimator).__name__
    bits = np.round(X) if len(density.bits) == X.shape[1] else X
    rows = {"complete": bits[:4], "missing": missing[:4], "gray": X[:4]}
    known = OF_ROWS | OTHERS
    few = {"n_betas": 3, "n_chains": 1, "n_samples": 5}
    known["annealed"] = lambda _, X: raise_log_likelihood(estimator, X, **few)
    assert density.capabilities.keys() <= known.keys()
    for capability, call in known.items():
        kinds = density.capabilities.get(capability, {})
        assert kinds.keys() <= {*rows, *GIVEN, "future"}
        for argument, given in (rows | GIVEN).items():
            if argument not in kinds:
                with pytest.raises(MissingCapability, match=rf"{name}.*{capability}"):
                    density.require(capability, argument)
                if (
                    capability in LACKED
                    and kinds
                    and argument in ("complete", "missing")
                ):
                    with pytest.raises(MissingCapability, match=f"{name}.* of .*rows"):
                        call(density, given)
                continue
            assert kinds[argument] in KINDS_OF_RESULTS
            if able(density, argument):
                more = {}
                if capability == "log_prob" and argument not in rows:
                    given, more = rows["complete"], given
                found = np.asarray(call(density, given, **more))
                assert len(found) == 4
                assert np.isfinite(found).all()


def able(density, argument):
    """Whether the first column may have a condition of a kind."""
    real = density.bits.size == 0
    return {"ranges": real, "conditions": not real}.get(argument, True)


def assert_same(a, b):
    for one, other in zip(leaves(a), leaves(b), strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


@pytest.mark.exhaustive(default=["RBM", "NADE", "VAE", "GAN", "Net", "GSN"])
@pytest.mark.parametrize(
    "fitted", cases(OBJECTIVES.values(), OBJECTIVES), indirect=True
)
def test_an_objective_lowers_its_loss(fitted):
    estimator, _, missing, y = fitted
    table = estimator._begin(missing, y, None, fresh=False)
    objective = estimator._objective(table, 0)
    assert isinstance(objective, Objective)
    state = objective.start()
    assert_same(state, objective.start())
    assert_same(*(objective.resume(estimator._state()) for _ in range(2)))
    watch = objective.watch(table, table, state)
    assert isinstance(watch, Watch)
    first, held_out = watch(state)
    assert watch(state) == (first, held_out)
    assert first < watch.limit
    assert not watch.is_useless(first)
    before = copy(state.params)
    # A game may rise at first, and what begins at a normal distribution, too.
    for n_epochs in (3, 10, 40):
        state = objective.start()
        for number in range(n_epochs):
            batches = objective.draw(table, number)
            for i, batch in enumerate(batches):
                clock = Clock(number, n_epochs, i, len(batches))
                state = objective.step(state, batch, clock)
        loss, _ = watch(state)
        if loss < first:
            break
    assert any((a != b).any() for a, b in zip(leaves(before), leaves(state.params)))
    assert not watch.is_useless(loss)
    assert loss < first
