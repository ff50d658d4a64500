"""What tests of nets share: grads held to differences, and a recipe and rows with
targets to train on."""

from types import SimpleNamespace

import numpy as np

from skdgm.nets import Tuner, softmax_cross_entropy, vjp
from skdgm.training import Run, canonical, optimize
from skdgm.utils.given import Given
from skdgm.utils.rows import Rows
from skdgm.utils.threading.threads import one_blas_thread
from tests.numerical import assert_gradient


def recipe(**options):
    """An estimator's parameters, those of MLPClassifier for the greater part."""
    defaults = {
        "activation": "logistic",
        "solver": "adam",
        "alpha": 1e-4,
        "batch_size": 20,
        "learning_rate": 0.01,
        "schedule": "constant",
        "power_t": 0.5,
        "momentum": 0.9,
        "beta_2": 0.999,
        "clip_norm": None,
        "average": False,
        "early_stopping": False,
        "validation_fraction": 0.2,
        "n_iter_no_change": 5,
        "tol": 1e-4,
        "dropout": 0.0,
        "max_norm": None,
    }
    assert set(options) <= set(defaults)
    return SimpleNamespace(**{**defaults, **options})


def table_of(X, targets, sample_weight=None):
    """Rows with targets, in canonical order."""
    return canonical(Rows(X, X.dtype.type, given=Given(targets)), sample_weight)


def tuner_of(
    table, loss=softmax_cross_entropy, seed=0, epochs_before=0, hidden=(8,), **options
):
    """A tuner for rows whose labels are the targets."""
    rows = table.rows
    sizes = rows.shape[1], *hidden, rows.given.values.shape[1]
    return Tuner(
        Run(recipe(**options), None, seed, epochs_before),
        inputs=rows.take,
        targets=rows.given.values,
        loss=loss,
        sizes=sizes,
        dtype=rows.dtype,
    )


def fine_tune(tuner, table, state, epochs, **options):
    """What a tuner learns from a table."""
    with one_blas_thread():
        return optimize(tuner, table, epochs, state, **options)[0]


def trained(table, hidden=(8,), n_epochs=3, hooks=(), **options):
    """A net that has learned from a table."""
    tuner = tuner_of(table, hidden=hidden, **options)
    return fine_tune(
        tuner,
        table,
        tuner.start(),
        range(n_epochs),
        n_epochs=n_epochs,
        hooks=hooks,
        early_stopping=tuner.options.early_stopping,
    )


def blobs(n_rows=120, n_columns=6, n_classes=3, dtype=np.float64, seed=0):
    """Rows of a few classes that nearly part, and the classes as rows with a 1."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, n_classes, n_rows)
    X = rng.normal(size=(n_classes, n_columns))[codes]
    X = X + rng.normal(size=(n_rows, n_columns))
    return X.astype(dtype), np.eye(n_classes, dtype=dtype)[codes]


def numbers(*shape, dtype=np.float64, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def assert_slopes(function, params):
    """The grads of a function, which differ by value, are central differences. Returns
    them."""
    grad = numbers(*function(params).shape, seed=3)
    value, grads = vjp(function, params, lambda value: grad)
    np.testing.assert_array_equal(value, function(params))

    def total(params):
        return (grad * function(params)).sum()

    assert_gradient(total, params, grads, rtol=1e-6, atol=1e-8)
    return grads
