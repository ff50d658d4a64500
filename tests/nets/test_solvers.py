"""Details of solvers, in each family of nets: decay rates, clipping, averages."""

import numpy as np
import pytest

from skdgm import (
    DBM,
    NADE,
    RNNNADE,
    VAE,
    VRNN,
    Autoencoder,
    DBMClassifier,
    DBNClassifier,
    Diffusion,
    Flow,
    GeneratorNet,
    PredictabilityMinimization,
    SigmoidBeliefNetwork,
    StackedAutoencoderRegressor,
)
from skdgm.nets import objective
from skdgm.options import Adam, Pretraining
from skdgm.utils.tree import copy, leaves

X = np.random.default_rng(0).integers(0, 2, (40, 5)).astype(float)
Y = X[:, 0].astype(int)
SHORT = {"batch_size": 20, "n_iter": 12, "learning_rate": 0.01, "random_state": 0}
START = {"pretrain": Pretraining(n_iter=0)}
FAMILIES = {
    "vae": VAE(2, (3,), column_types="bernoulli"),
    "autoencoder": Autoencoder(2, (3,), column_types="bernoulli"),
    "predictability": PredictabilityMinimization(2, column_types="bernoulli"),
    "belief": SigmoidBeliefNetwork((3,), column_types="bernoulli"),
    "given": GeneratorNet((3,), column_types="bernoulli"),
    "nade": NADE(3, column_types="bernoulli"),
    "flow": Flow(early_stopping=False),
    "diffusion": Diffusion((3,), column_types="bernoulli"),
    "sequences": RNNNADE(3, column_types="bernoulli"),
    "latent-sequences": VRNN(2, column_types="bernoulli"),
    "dbn": DBNClassifier((3,), column_types="bernoulli", **START),
    "stack": StackedAutoencoderRegressor((3,), column_types="bernoulli", **START),
    "dbm": DBMClassifier(DBM((3, 3), column_types="bernoulli", n_iter=1)),
}


def used(model):
    """Parameters by which a model predicts, as a list of arrays."""
    if hasattr(model, "net_coefs_"):
        both = zip(model.net_coefs_, model.net_intercepts_, strict=True)
        return [part for layer in both for part in layer]
    return leaves(model._state().learned)


@pytest.mark.exhaustive(default=["vae", "dbn"])
@pytest.mark.parametrize("family", FAMILIES)
def test_details_of_adam_are_those_of_its_formula(family, monkeypatch):
    """Steps by clipped gradients with both decay rates, and a mean of late updates."""
    solver = Adam(
        schedule="constant", beta_1=0.6, beta_2=0.7, clip_norm=0.05, average=True
    )
    estimator, updates, ascend = FAMILIES[family], [], objective.ascend

    def watched(joined, options, grads, *given, **more):
        before, plain = copy(joined.params), copy(grads)
        ascend(joined, options, grads, *given, **more)
        updates.append((leaves(before), leaves(plain), leaves(copy(joined.params))))

    monkeypatch.setattr(objective, "ascend", watched)
    model = type(estimator)(**estimator.get_params(deep=False) | SHORT)
    model.set_params(alpha=0.0, solver=solver).fit(X, Y)
    assert len(updates) >= 10
    m = s = n_clipped = 0.0
    mean = updates[0][0]
    for t, (before, grads, after) in enumerate(updates, 1):
        norm = np.sqrt(sum((g.astype(float) ** 2).sum() for g in grads))
        factor = min(1.0, 0.05 / norm)
        n_clipped += factor < 1
        clipped = np.concatenate([factor * np.ravel(g.astype(float)) for g in grads])
        m, s = 0.6 * m + 0.4 * clipped, 0.7 * s + 0.3 * clipped**2
        size = np.sqrt(s / (1 - 0.7**t)) + 1e-8
        step = 0.01 * m / (1 - 0.6**t) / size
        moved = np.concatenate([np.ravel(b - a) for a, b in zip(before, after)])
        np.testing.assert_allclose(moved, step, atol=1e-6)
        # Constraints, which are kept after the step, are seen before the next one.
        kept = updates[t][0] if t < len(updates) else after
        weight = 10 / (t + 9)
        mean = [a + weight * (b - a) for a, b in zip(mean, kept)]
    assert n_clipped
    for own, expected in zip(used(model), mean, strict=True):
        np.testing.assert_allclose(own, expected, rtol=1e-4, atol=1e-6)
    assert any((a != b).any() for a, b in zip(used(model), kept))


@pytest.mark.exhaustive
@pytest.mark.parametrize("family", ["dbn", "stack"])
def test_fine_tuning_goes_on_from_the_last_parameters_of_an_average(family):
    solver, estimator = Adam(schedule="constant", average=True), FAMILIES[family]
    options = estimator.get_params(deep=False) | SHORT | {"solver": solver}
    whole = type(estimator)(**options).fit(X, Y)
    half = type(estimator)(**options | {"n_iter": 6, "warm_start": True})
    half.fit(X, Y).fit(X, Y)
    for own, expected in zip(used(half), used(whole), strict=True):
        np.testing.assert_array_equal(own, expected)
    np.testing.assert_array_equal(half.coefs_[0], used(half)[0])
