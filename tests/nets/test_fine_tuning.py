import numpy as np
import pytest
from sklearn.datasets import load_digits, make_friedman1
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, r2_score
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler
from sklearn.utils._testing import ignore_warnings
from threadpoolctl import threadpool_info, threadpool_limits

from skdgm.nets import (
    Monitor,
    forward,
    logistic_cross_entropy,
    softmax_cross_entropy,
    squared_error,
)
from skdgm.training import canonical, labeled
from skdgm.training.hooks import Hook
from skdgm.utils.given import Given
from skdgm.utils.rows import Rows
from skdgm.utils.threading import parallel
from skdgm.utils.tree import leaves
from tests.nets.recipes import blobs, fine_tune, table_of, trained, tuner_of
from tests.numerical import assert_trees
from tests.suites import DTYPES

X, Y = blobs()
TABLE = table_of(X, Y)


def assert_same(a, b):
    assert_trees(a.state.params, b.state.params, rtol=0)
    assert a.losses == b.losses
    assert a.validation == b.validation


@pytest.mark.parametrize("loss", [softmax_cross_entropy, squared_error])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_weights_are_repetitions(loss, early_stopping):
    rng = np.random.default_rng(0)
    targets = Y + (loss is squared_error) * rng.normal(size=Y.shape)
    if loss is squared_error:
        targets[::7, 1] = np.nan
    weight = rng.integers(0, 4, len(X))
    order = rng.permutation(len(X))
    again = rng.permutation(np.repeat(np.arange(len(X)), weight))
    options = {"loss": loss, "early_stopping": early_stopping, "dropout": (0.1, 0.3)}
    weighted = table_of(X[order], targets[order], weight[order].astype(float))
    found = trained(weighted, **options)
    assert_same(trained(table_of(X[again], targets[again]), **options), found)
    without = trained(table_of(X, targets), **options)
    assert without.losses != found.losses


def test_any_number_of_threads(monkeypatch):
    monkeypatch.setattr(parallel, "_WORTHWHILE", 1)
    X, Y = blobs(300, 150, dtype=np.float32)
    found = []
    for n_threads in (1, 2, 4):
        with parallel.limit(n_threads):
            found.append(
                trained(
                    table_of(X, Y),
                    (200, 140),
                    batch_size=150,
                    dropout=(0.2, 0.5),
                    max_norm=1.0,
                )
            )
    for other in found[1:]:
        assert_same(found[0], other)


def test_blas_is_held_to_one_thread():
    found = set()

    def inputs(index):
        found.update(
            pool["num_threads"]
            for pool in threadpool_info()
            if pool["user_api"] == "blas"
        )
        return X[index]

    tuner = tuner_of(TABLE, hidden=(4,))
    tuner.inputs = inputs
    state = tuner.start()
    with threadpool_limits(2, user_api="blas"):
        fine_tune(tuner, TABLE, state, range(1))
    assert found == {1}


def test_rows_without_a_label_take_no_part():
    codes = np.where(np.arange(len(X)) % 3, Y.argmax(axis=1), -1)
    table = labeled(canonical(Rows(X, np.float64, given=Given(codes))))
    assert len(table.index) == np.count_nonzero(codes >= 0)
    read = set()

    def inputs(index):
        read.update(index.tolist())
        return X[index]

    tuner = tuner_of(TABLE, hidden=(4,))
    tuner.inputs = inputs
    fine_tune(tuner, table, tuner.start(), range(2))
    assert read == set(np.flatnonzero(codes >= 0).tolist())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_types_are_kept(dtype, solver):
    X, Y = blobs(dtype=dtype)
    options = {"alpha": 0.1, "max_norm": 1.0, "dropout": 0.2, "solver": solver}
    tuned = trained(table_of(X, Y), **options)
    for other in bool, np.float64:  # What targets come in does not matter.
        assert_same(trained(table_of(X, Y.astype(other)), **options), tuned)
    assert {leaf.dtype for leaf in leaves(tuned.state.params)} == {np.dtype(dtype)}
    assert all(isinstance(loss, float) for loss in tuned.losses)


class Listener(Hook):
    def __init__(self):
        self.reports = []

    def end(self, report):
        self.reports.append(report)
        return len(self.reports) == 2


def test_hooks_hear_of_epochs_and_may_stop():
    listener = Listener()
    tuned = trained(TABLE, n_epochs=9, hooks=[listener])
    assert tuned.ended == "stopped"
    assert [report.loss for report in listener.reports] == tuned.losses
    assert tuned.validation == []


def test_early_stopping_keeps_the_best():
    rng = np.random.default_rng(0)
    noise = np.eye(3)[rng.integers(0, 3, len(X))]
    options = {"early_stopping": True, "hidden": (60,), "learning_rate": 0.05}
    table, n_epochs = table_of(X, noise), 60
    tuned = trained(table, n_epochs=n_epochs, **options)
    assert tuned.ended == "stopped"
    assert len(tuned.validation) == len(tuned.losses) < n_epochs
    best = int(np.argmin(tuned.validation))
    assert 0 <= best < len(tuned.validation) - 1
    shorter = trained(table, n_epochs=best + 1, **options)
    assert_trees(shorter.state.params, tuned.state.params, rtol=0)


def test_held_out_rows_are_not_learned_from():
    seen, rows = set(), TABLE.rows
    tuner = tuner_of(TABLE, early_stopping=True, hidden=(4,))
    step = tuner.step

    def watched(state, batch, clock):
        seen.update(batch.tolist())
        return step(state, batch, clock)

    tuner.step = watched
    state = tuner.start()
    fine_tune(tuner, TABLE, state, range(2), early_stopping=True)
    assert len(seen) == pytest.approx(0.8 * rows.shape[0], abs=1)


def test_monitor_means_are_weighted():
    weight = np.arange(len(X)) % 4.0
    table = table_of(X, Y, weight)
    tuner = tuner_of(table, hidden=(4,))
    state = tuner.start()
    monitor = Monitor(tuner, TABLE, table, state)
    loss, held_out = monitor(state)
    losses = tuner.losses(state, np.arange(len(X)))
    assert held_out == pytest.approx(weight @ losses / weight.sum())
    assert loss == pytest.approx(losses.mean())
    assert loss == monitor.first


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_going_on_is_as_if_it_had_never_stopped(solver):
    options = {"solver": solver, "dropout": 0.3}
    whole = trained(TABLE, n_epochs=4, **options)
    half = trained(TABLE, n_epochs=2, **options)
    tuner = tuner_of(TABLE, epochs_before=2, **options)
    rest = fine_tune(tuner, TABLE, tuner.resume(half.state), range(2))
    assert_trees(rest.state, whole.state, rtol=0)
    assert half.losses + rest.losses == whole.losses


def test_growing_without_bound_is_divergence():
    options = {"loss": squared_error, "solver": "sgd", "activation": "identity"}
    tuned = trained(table_of(X, Y), learning_rate=0.2, n_epochs=1, **options)
    assert tuned.ended == "diverged"
    assert tuned.losses == []
    assert not tuned.is_useless


def test_divergence_keeps_the_last_good_state():
    tuned = trained(
        table_of(X, 1e3 * Y), loss=squared_error, solver="sgd", learning_rate=10.0
    )
    assert tuned.ended == "diverged"
    assert all(np.isfinite(leaf).all() for leaf in leaves(tuned.state.params))


def test_useless():
    assert not trained(TABLE, n_epochs=5).is_useless
    assert not trained(TABLE, n_epochs=0).is_useless
    assert trained(TABLE, solver="sgd", learning_rate=20.0, n_epochs=1).is_useless


MLP = {
    "alpha": 1e-4,
    "batch_size": 50,
    "activation": "logistic",
}
RATE = 5e-3


@pytest.mark.exhaustive
@pytest.mark.parametrize("activation", ["logistic", "relu"])
def test_learns_digits_as_well_as_mlp_classifier(activation):
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    options = {**MLP, "activation": activation}
    Y = np.eye(10, dtype=bool)[y]
    tuned = trained(
        table_of(X[:1200], Y[:1200]), (100,), 40, learning_rate=RATE, **options
    )
    z = forward(tuned.state.params, X[1200:], activation)
    rest = {"learning_rate_init": RATE, "random_state": 0, **options}
    mlp = MLPClassifier((100,), max_iter=40, **rest)
    with ignore_warnings(category=ConvergenceWarning):
        mlp.fit(X[:1200], y[:1200])
    expected = mlp.score(X[1200:], y[1200:])
    assert expected > 0.9
    assert accuracy_score(y[1200:], z.argmax(axis=1)) > expected - 0.02


@pytest.mark.exhaustive
def test_regresses_as_well_as_mlp_regressor():
    X, y = make_friedman1(1200, noise=0.5, random_state=0)
    X, y = (StandardScaler().fit_transform(a) for a in (X, y[:, None]))
    options = {**MLP, "activation": "tanh"}
    table = table_of(X[:800], y[:800])
    tuned = trained(table, (50,), 60, loss=squared_error, learning_rate=RATE, **options)
    z = forward(tuned.state.params, X[800:], "tanh")
    rest = {"learning_rate_init": RATE, "random_state": 0, **options}
    mlp = MLPRegressor(hidden_layer_sizes=(50,), max_iter=60, **rest)
    with ignore_warnings(category=ConvergenceWarning):
        mlp.fit(X[:800], y[:800, 0])
    expected = mlp.score(X[800:], y[800:])
    assert expected > 0.8
    assert r2_score(y[800:], z) > expected - 0.02


def test_learns_several_labels_at_once():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 4))
    Y = X @ rng.normal(size=(4, 3)) > 0
    tuned = trained(table_of(X, Y), (20,), 40, loss=logistic_cross_entropy)
    z = forward(tuned.state.params, X, "logistic")
    assert ((z > 0) == Y).mean() > 0.95
