"""Updates of a small machine in one call are those that are made one by one."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from skdgm import (
    DBM,
    DBN,
    BernoulliRBM,
    DBMClassifier,
    GaussianRBM,
    RBMClassifier,
)
from skdgm.boltzmann._fused_epochs import runs
from skdgm.exceptions import DivergenceError
from skdgm.utils.threading.parallel import limit
from tests.common.shapes import learned
from tests.options import grouped
from tests.suites import DTYPES

GRAY = load_digits().data[:150, 8:40] / 16
KINDS = {
    "gray": GRAY.astype(np.float32),
    "bits": (GRAY > 0.5).astype(np.float32),
    "float64": GRAY,
}


def crossed(options):
    """All options in double precision; in single precision the first with all kinds
    of rows, and each other with one of them."""
    *single, double = KINDS
    pairs = [(own, double) for own in options]
    pairs += [(options[0], kind) for kind in single]
    pairs += list(zip(options[1:], len(options) * single))
    ids = [f"{own}-{kind}" for own, kind in pairs]
    return pytest.mark.parametrize("options, kind", pairs, ids=ids)


OPTIONS = [
    {},
    {"n_chains": None},
    {"n_chains": 3, "batch_size": 20},
    {"gradient": "cd"},
    {"gradient": "cd", "n_steps": 3, "batch_size": 7},
    {"n_steps": (1, 4)},
    {"momentum": (0.5, 0.9), "alpha": 0.1, "l1_ratio": 0.1},
    {"resample": True, "gradient": "cd"},
    {"centering": "start"},
    {"centering": "data", "resample": True, "momentum": 0.5},
    {"centering": "moving", "gradient": "cd", "alpha": 0.01},
    {"early_stopping": True, "n_iter_no_change": 1},
    {"schedule": "invscaling"},
    {"schedule": "constant", "n_components": 300, "learning_rate": 0.01},
    {"max_norm": 0.3, "momentum": 0.5},
    {"n_components": 600, "learning_rate": 0.2, "batch_size": 50},
]
# Types of arguments are those of no options: nothing more is compiled.
ALL = {
    "n_steps": (1, 3),
    "momentum": 0.5,
    "alpha": 0.1,
    "l1_ratio": 0.1,
    "max_norm": 0.4,
}
DEEP = [
    {},
    ALL,
    {"hidden_layer_sizes": (40, 9, 33), "n_steps": (1, 3)},
    {"hidden_layer_sizes": (12, 10, 8, 6), "batch_size": 7, "momentum": 0.5},
    {"centering": None, "alpha": 0.1, "l1_ratio": 0.1, "n_chains": 3},
    {"centering": "moving", "mean_field_steps": 2, "n_chains": 20},
    {"centering": "start", "mean_field_steps": 1, "resample": False},
    {"pretrain": "layerwise", "pretrain_iter": 1},
    {"early_stopping": True, "schedule": "constant", "max_norm": 0.5},
]
MIXED = np.random.default_rng(0).normal(size=(6, 12))
REAL = np.random.default_rng(1).normal(size=(150, 6)) @ MIXED + 0.5
REAL += np.random.default_rng(2).normal(size=REAL.shape) * np.linspace(0.1, 2, 12)
OF_REAL = [
    {},
    {"gradient": "cd", "n_steps": 2, "batch_size": 7},
    {"centering": "start", "momentum": 0.5, "n_components": 40},
    {"centering": "moving", "precision": "scalar"},
    {"centering": None, "precision": "fixed", "alpha": 0.1, "l1_ratio": 0.1},
    {"n_chains": 3, "n_steps": (1, 3), "schedule": "invscaling"},
    {"max_norm": 0.5, "min_variance": 0.5, "learning_rate": 0.5},
    {"max_norm": None, "n_chains": None, "early_stopping": True},
]
PENALIZED = {"momentum": (0.0, 0.5), "alpha": 1.0, "l1_ratio": 0.1}
# What the kernel does not know.
OTHER = [
    {"gradient": "tempering", "n_temperatures": 3},
    {"gradient": "fpcd"},
    {"solver": "adam"},
    {"sparsity_target": 0.1},
    {"n_steps": 101},
]


@pytest.fixture
def calls(monkeypatch):
    """The arguments of each run of updates that the kernel makes."""
    made, learn = [], runs.learn

    def counting(*arguments):
        made.append(arguments)
        return learn(*arguments)

    monkeypatch.setattr(runs, "learn", counting)
    return made


def machine(**options):
    return grouped(
        BernoulliRBM, **{"n_components": 20, "n_iter": 3, "random_state": 0, **options}
    )


def deep_machine(**options):
    given = {"hidden_layer_sizes": (20, 35), "n_iter": 3, "random_state": 0}
    return grouped(DBM, **{**given, **options})


def one_by_one(estimator, X, monkeypatch):
    """The same estimator, fitted by a call for each update."""
    with monkeypatch.context() as context:
        context.setattr(runs, "supports_epoch", lambda *given: False)
        return estimator.fit(X)


def assert_same(one, other):
    one, other = learned(one), learned(other)
    assert one.keys() == other.keys()
    for name, value in one.items():
        np.testing.assert_array_equal(value, other[name], err_msg=name)


@pytest.mark.release(default=["-float64"])
@crossed(OPTIONS)
def test_parameters_are_the_same(options, kind, calls, monkeypatch):
    fast = machine(**options).fit(KINDS[kind])
    assert calls
    n_calls = len(calls)
    slow = one_by_one(machine(**options), KINDS[kind], monkeypatch)
    assert len(calls) == n_calls
    assert_same(fast, slow)


@pytest.mark.exhaustive(default=["{}-float64"])
@pytest.mark.release(default=["{}-float64", "0.4}-float64"])
@crossed(DEEP)
def test_parameters_of_deep_machines_are_the_same(options, kind, calls, monkeypatch):
    fast = deep_machine(**options).fit(KINDS[kind])
    n_calls = len(calls)
    assert n_calls
    slow = one_by_one(deep_machine(**options), KINDS[kind], monkeypatch)
    assert len(calls) == n_calls
    assert_same(fast, slow)


@pytest.mark.parametrize("options", [*OTHER[:-1], {"negative": "means"}], ids=str)
def test_other_deep_machines_are_left_to_others(options, calls):
    deep_machine(n_iter=1, **options).fit(GRAY)
    assert not calls


LABELS = load_digits().target[:150]
OF_LABELS = [
    {},
    {"gradient": "cd", "n_steps": 2, "batch_size": 7},
    {"centering": "start", "momentum": 0.5, "max_norm": 0.2, "alpha": 0.1},
    {"centering": "moving", "resample": True},
    {"centering": None, "max_norm": 0.2, "n_components": 40},
    {"n_chains": 3, "n_steps": (1, 3), "schedule": "invscaling"},
]


def classifier(**options):
    given = {"objective": "generative", "solver": "sgd", "learning_rate": 0.1}
    given |= {"n_components": 20, "n_iter": 3, "random_state": 0}
    return grouped(RBMClassifier, **{**given, **options})


@pytest.mark.exhaustive(default=["{}-float64"])
@pytest.mark.release(default=["{}-float64", "'alpha': 0.1}-float64"])
@crossed(OF_LABELS)
def test_labels_differ_by_rounding_only(options, kind, calls, monkeypatch):
    assert_rounded(classifier, options, KINDS[kind], calls, monkeypatch)


def assert_rounded(make, options, X, calls, monkeypatch):
    """Assert that what is learned in one call is what is learned one by one."""
    fast = make(**options).fit(X, LABELS)
    n_calls = len(calls)
    assert n_calls
    with monkeypatch.context() as context:
        context.setattr(runs, "supports_epoch", lambda *given: False)
        slow = make(**options).fit(X, LABELS)
    assert len(calls) == n_calls
    assert_close(fast, slow, 1e-9 if X.dtype == np.float64 else 1e-3)


# Of p(y | v), or both, by Adam.
OF_BOTH = [
    {},
    {"objective": "discriminative", "momentum": (0.5, 0.9)},
    {"objective": "generative", "n_chains": 3, "n_steps": (1, 3)},
    {"generative_weight": 0, "schedule": "invscaling"},
    {"generative_weight": 0.5, "gradient": "cd", "n_steps": 2, "batch_size": 7},
    {"generative_weight": 2, "resample": True, "n_chains": None},
    {"alpha": 0.1, "l1_ratio": 0.1, "max_norm": 0.2, "n_components": 40},
]


@pytest.mark.release(default=["-float64"])
@crossed(OF_BOTH)
def test_probabilities_of_labels_differ_by_rounding_only(
    options, kind, calls, monkeypatch
):
    options = {"objective": "hybrid", "solver": "adam", "momentum": 0.9, **options}
    options.setdefault("learning_rate", 0.003)
    assert_rounded(classifier, options, KINDS[kind], calls, monkeypatch)


OF_DEEP_LABELS = [
    {},
    ALL,
    {"hidden_layer_sizes": (12, 10, 8), "batch_size": 7, "momentum": 0.5},
    {"hidden_layer_sizes": (20,), "centering": "moving", "n_steps": (1, 2)},
    {"centering": None, "alpha": 0.1, "l1_ratio": 0.1, "n_chains": 3, "max_norm": 0.4},
    {"centering": "start", "mean_field_steps": 2, "resample": False},
    {"pretrain": "layerwise", "pretrain_iter": 1, "n_steps": 2},
]


def deep_classifier(**options):
    return DBMClassifier(deep_machine(**options), fine_tune=None, random_state=0)


@pytest.mark.release(default=["{}-float64"])
@crossed(OF_DEEP_LABELS)
def test_deep_labels_differ_by_rounding_only(options, kind, calls, monkeypatch):
    assert_rounded(deep_classifier, options, KINDS[kind], calls, monkeypatch)


@pytest.mark.exhaustive
def test_deep_labels_under_many_options_differ_by_rounding_only(calls, monkeypatch):
    options, kind = OF_DEEP_LABELS[-1], KINDS[list(KINDS)[-1]]
    assert_rounded(deep_classifier, options, kind, calls, monkeypatch)


@pytest.mark.parametrize(
    "options",
    [
        {"objective": "hybrid"},
        {"objective": "discriminative"},
        {"solver": "adam", "centering": "data"},
        {"solver": "adam", "sparsity_target": 0.1},
    ],
    ids=str,
)
def test_other_objectives_of_labels_are_left_to_others(options, calls):
    classifier(n_iter=1, **options).fit(GRAY, LABELS)
    assert not calls


def test_deep_labels_by_adam_are_left_to_others(calls):
    deep_classifier(n_iter=1, solver="adam").fit(GRAY, LABELS)
    assert not calls


def test_rows_without_label_are_left_to_others(calls):
    y = np.where(np.arange(150) < 20, -1, LABELS)
    classifier(n_iter=1, unlabeled=-1).fit(GRAY, y)
    assert not calls


def assert_close(one, other, tol):
    one, other = learned(one), learned(other)
    assert one.keys() == other.keys()
    for name, value in one.items():
        if np.asarray(value).dtype.kind == "f":
            given = {"rtol": tol, "atol": tol, "err_msg": name}
            np.testing.assert_allclose(value, other[name], **given)


@pytest.mark.release(default=["-float64"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("options", OF_REAL, ids=str)
def test_real_units_differ_by_rounding_only(options, dtype, calls, monkeypatch):
    X, options = REAL.astype(dtype), {"n_components": 20, "n_iter": 3, **options}
    fast = grouped(GaussianRBM, random_state=0, **options).fit(X)
    n_calls = len(calls)
    assert n_calls
    slow = one_by_one(grouped(GaussianRBM, random_state=0, **options), X, monkeypatch)
    assert len(calls) == n_calls
    assert_close(fast, slow, 1e-9 if dtype == np.float64 else 1e-3)


@pytest.mark.exhaustive(default=["-float64"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("options", [*OF_REAL[:6], PENALIZED], ids=str)
def test_steps_are_shortened_alike(options, dtype, calls, monkeypatch):
    X = REAL.astype(dtype)
    X[:, 3], X[40, 5] = np.arange(150) == 70, 1e3
    options = {"n_components": 20, "n_iter": 3, **options}
    options |= {"batch_size": 3, "learning_rate": 0.5}
    fast = grouped(GaussianRBM, random_state=0, **options).fit(X)
    n_calls = len(calls)
    assert n_calls
    slow = one_by_one(grouped(GaussianRBM, random_state=0, **options), X, monkeypatch)
    assert len(calls) == n_calls
    assert_close(fast, slow, 1e-8 if dtype == np.float64 else 2e-3)


@pytest.mark.parametrize("options", [*OTHER[:-1], {"quadratic": True}], ids=str)
def test_other_real_units_are_left_to_others(options, calls):
    grouped(GaussianRBM, n_iter=1, learning_rate=0.01, **options).fit(REAL[:20])
    assert not calls


def test_holes_in_real_rows_are_left_to_others(calls):
    X = REAL.copy()
    X[0, 0] = np.nan
    GaussianRBM(20, n_iter=1).fit(X)
    assert not calls


def test_parts_of_real_fits_add_up(calls, monkeypatch):
    options = {"schedule": "constant", "momentum": 0.5, "n_components": 20}
    whole = grouped(GaussianRBM, n_iter=2, random_state=0, **options).fit(REAL)
    parts = grouped(GaussianRBM, random_state=0, **options)
    for _ in range(2):
        parts.partial_fit(REAL)
    assert len(calls) == 4
    np.testing.assert_array_equal(whole.components_, parts.components_)


@pytest.mark.parametrize("options", OTHER, ids=str)
def test_what_the_kernel_does_not_know_is_left_to_others(options, calls):
    machine(n_iter=1, **options).fit(GRAY)
    assert not calls


def test_missing_values_are_left_to_others(calls):
    X = GRAY.copy()
    X[0, 0] = np.nan
    machine(n_iter=1).fit(X)
    assert not calls


def test_large_updates_are_shared_by_threads(calls):
    X = np.tile(GRAY, (1, 20))
    options = {"n_components": 500, "batch_size": 75, "n_iter": 1, "schedule": "linear"}
    found = []
    for n_threads in 1, 2:
        with limit(n_threads):
            found.append(machine(**options).fit(X))
    assert len(calls) == 2
    assert_same(*found)


def test_large_deep_machines_are_shared_by_threads(calls):
    X = np.tile(GRAY[:20], (1, 24))
    options = {"hidden_layer_sizes": (500, 400), "n_iter": 1}
    found = []
    for n_threads in 1, 2:
        with limit(n_threads):
            found.append(deep_machine(**options).fit(X))
    assert calls
    assert_same(*found)


def test_calls_are_short(calls, monkeypatch):
    whole = machine().fit(GRAY)
    monkeypatch.setattr(runs, "_MAX_WORK", 1.0)
    parts = machine().fit(GRAY)
    assert_same(whole, parts)
    assert len(calls) == 3 + 3 * -(-len(GRAY) // 10)


def test_layers_of_a_network_are_learned_so(calls, monkeypatch):
    options = {"n_iter": 2, "random_state": 0}
    fast = grouped(DBN, (10, 8), **options).fit(GRAY)
    assert len(calls) == 4
    assert_same(fast, one_by_one(grouped(DBN, (10, 8), **options), GRAY, monkeypatch))


def test_parts_add_up(calls):
    options = {"schedule": "constant", "momentum": 0.5, "centering": "data"}
    whole, parts = machine(**options).fit(GRAY), machine(**options)
    for _ in range(3):
        parts.partial_fit(GRAY)
    assert len(calls) == 6
    np.testing.assert_array_equal(whole.components_, parts.components_)


def test_divergence_is_noticed(calls):
    with pytest.raises(DivergenceError):
        machine(learning_rate=1e30, n_iter=5).fit(GRAY)
    assert calls
