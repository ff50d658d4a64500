"""Kernels of epochs, as plain Python, make the updates that objectives make one by one.

They are run with ``NUMBA_DISABLE_JIT=1`` alone, for wrong lines and coverage: compiled
ones have the same tests with larger machines, in :mod:`tests.boltzmann.fused_epochs`.
"""

import numpy as np
import pytest
from numba.core.config import DISABLE_JIT

from skdgm import DBM, BernoulliRBM, DBMClassifier, GaussianRBM, RBMClassifier
from skdgm.boltzmann._fused_epochs import runs
from tests.common.shapes import learned
from tests.options import grouped

pytestmark = pytest.mark.skipif(not DISABLE_JIT, reason="compiled for minutes")

RNG = np.random.default_rng(0)
GRAY = np.where(
    RNG.random((14, 6)) < 0.4, RNG.random((14, 6)), RNG.random((14, 6)) < 0.4
)
BITS = (GRAY > 0.5).astype(float)
REAL = RNG.normal(size=(14, 3)) @ RNG.normal(size=(3, 5)) + RNG.normal(size=(14, 5))
LABELS = np.arange(14) % 3
PENALIZED = {"momentum": (0.3, 0.6), "alpha": 0.55, "l1_ratio": 1 / 11, "max_norm": 0.4}
BINARY = [
    {},
    {"gradient": "cd", "n_steps": 2, "batch_size": 4, "resample": True},
    {"n_steps": (1, 3), "n_chains": 3, "centering": "moving"} | PENALIZED,
    {"centering": "start", "schedule": "invscaling", "n_chains": None},
    {"centering": "data", "gradient": "cd", "resample": True, "alpha": 0.5},
]
REALS = [
    {},
    {"gradient": "cd", "n_steps": 2, "batch_size": 4, "centering": None},
    {"centering": "start", "precision": "scalar", "n_chains": 3} | PENALIZED,
    {"centering": "moving", "precision": "fixed", "n_steps": (1, 2)},
    {"batch_size": 3, "learning_rate": 0.5, "alpha": 0.3},
]
DEEP = [
    {},
    {"n_steps": 2, "batch_size": 4} | PENALIZED,
    {"centering": "moving", "mean_field_steps": 2, "n_chains": 3},
    {"centering": None, "resample": False},
]
DEPTHS = (2,), (4, 3, 5), (3, 4, 2, 3)
LABELED = [
    {"objective": "generative", "solver": "sgd"} | PENALIZED,
    {"objective": "generative", "solver": "sgd", "centering": "start", "alpha": 0.5},
    {"objective": "generative", "solver": "sgd", "gradient": "cd", "n_steps": 2},
    {"objective": "hybrid", "solver": "adam", "centering": None} | PENALIZED,
    {"objective": "discriminative", "solver": "adam", "batch_size": 4},
    {"objective": "generative", "solver": "adam", "n_chains": 3, "n_steps": (1, 2)},
    {"objective": "hybrid", "solver": "adam", "gradient": "cd", "resample": True},
]
SHORT = {"n_iter": 3, "random_state": 0, "batch_size": 5, "learning_rate": 0.1}


def deep_classifier(**options):
    options = {"hidden_layer_sizes": (4, 3), **SHORT, **options}
    return DBMClassifier(grouped(DBM, **options), fine_tune=None, random_state=0)


def cases():
    for rows, options in [(GRAY, BINARY), (BITS, BINARY[:3])]:
        for own in options:
            yield grouped(BernoulliRBM, 4, **SHORT | own), rows, 0.0
    for own in REALS:
        yield grouped(GaussianRBM, 4, **SHORT | own), REAL, 1e-9
    deep = DEEP + [{"hidden_layer_sizes": own} | PENALIZED for own in DEPTHS]
    for own in deep[: len(DEEP)] + deep[len(DEEP) + 1 :]:
        yield grouped(DBM, **{"hidden_layer_sizes": (4, 3)} | SHORT | own), GRAY, 0.0
    for own in LABELED:
        yield grouped(RBMClassifier, 4, **SHORT | own), GRAY, 1e-9
    for own in deep:
        yield deep_classifier(**own), BITS, 1e-9


def name(part):
    return type(part).__name__ if hasattr(part, "fit") else ""


@pytest.mark.parametrize("machine, X, tol", [*cases()], ids=name)
def test_epochs_are_updates_one_by_one(machine, X, tol, monkeypatch):
    made, learn, found = [], runs.learn, []
    monkeypatch.setattr(runs, "learn", lambda *own: made.append(own) or learn(*own))
    found.append(learned(machine.fit(X, LABELS)))
    assert made
    with monkeypatch.context() as context:
        context.setattr(runs, "supports_epoch", lambda *own: False)
        n_made = len(made)
        found.append(learned(machine.fit(X, LABELS)))
    assert len(made) == n_made
    for name, value in found[0].items():
        if value.dtype.kind == "f":
            np.testing.assert_allclose(
                value, found[1][name], rtol=tol, atol=tol, err_msg=name
            )
