import numpy as np
import pytest

from skdgm.nets import Layer, NetState, forward, squared_error
from skdgm.optim import Clock
from skdgm.utils.tree import copy, leaves
from tests.nets.recipes import blobs, table_of, trained, tuner_of
from tests.numerical import assert_trees, numerical_gradient

X, Y = blobs()
TABLE = table_of(X, Y)
START = Clock(0)


def assert_differ(a, b):
    assert any((x != y).any() for x, y in zip(leaves(a), leaves(b), strict=True))


def step(clock=START, **options):
    """Parameters before and after a step, and the tuner."""
    tuner = tuner_of(TABLE, **options)
    state = tuner.start()
    before = copy(state.params)
    return before, tuner.step(state, np.arange(20), clock).params, tuner


def test_a_step_goes_down_the_slope_of_the_penalized_mean_loss():
    options = {"solver": "sgd", "momentum": 0.0, "alpha": 3.0}
    before, after, tuner = step(learning_rate=0.1, **options)
    index = np.arange(20)

    def objective(params):
        squares = sum((layer.W**2).sum() for layer in params)
        return tuner.losses(NetState(params), index).mean() + 0.5 * 3.0 * squares / 20

    grads = numerical_gradient(objective, before)
    expected = [a - 0.1 * g for a, g in zip(leaves(before), leaves(grads))]
    assert_trees(after, expected, rtol=1e-6)


def test_adams_first_step_is_as_long_as_the_rate():
    before, after, _ = step(learning_rate=0.1, alpha=0.0)
    for a, b in zip(leaves(before), leaves(after)):
        np.testing.assert_allclose(abs(a - b), 0.1, rtol=1e-3)


@pytest.mark.parametrize(
    "schedule, factor", [("constant", 1), ("invscaling", 0.5), ("linear", 0.25)]
)
def test_schedules(schedule, factor):
    options = {"solver": "sgd", "momentum": 0.0, "schedule": schedule}
    before, after, _ = step(clock=Clock(3, 4), **options)
    _, expected, _ = step(clock=Clock(0, 4), **options)
    for a, b, c in zip(leaves(before), leaves(after), leaves(expected)):
        np.testing.assert_allclose(b - a, factor * (c - a), rtol=1e-9)


@pytest.mark.parametrize(
    "option",
    [
        {"activation": "tanh"},
        {"activation": "relu"},
        {"solver": "sgd"},
        {"alpha": 1.0},
        {"batch_size": 10},
        {"learning_rate": 0.02},
        {"schedule": "linear"},
        {"schedule": "invscaling"},
        {"momentum": 0.5},
        {"dropout": 0.5},
        {"dropout": (0.2, 0.0)},
        {"max_norm": 0.3},
        {"seed": 1},
        {"early_stopping": True},
    ],
    ids=str,
)
def test_options_change_what_is_learned(option):
    expected, found = trained(TABLE), trained(TABLE, **option)
    assert_differ(found.state.params, expected.state.params)


def test_a_number_for_dropout_is_that_of_hidden_units():
    one, pair = trained(TABLE, dropout=0.5), trained(TABLE, dropout=(0.0, 0.5))
    assert_trees(one.state.params, pair.state.params, rtol=0)
    both = trained(TABLE, dropout=(0.5, 0.5))
    assert_differ(one.state.params, both.state.params)


@pytest.mark.parametrize("center", [0.0, np.array([0.25, 0.5, 1.0])])
def test_inputs_that_drop_out_take_their_mean(center):
    X = np.full((200, 3), 0.75)
    tuner = tuner_of(table_of(X, np.ones((200, 1))), dropout=(0.5, 0.0))
    tuner.center = center
    seen, *_ = tuner.prepare(tuner.start(), np.arange(200), Clock(0))
    expected = np.stack(np.broadcast_arrays(center, 2 * X[0] - center))
    dropped = seen == expected[0]
    np.testing.assert_allclose(seen[~dropped], np.tile(expected[1], (200, 1))[~dropped])
    assert 0.4 < dropped.mean() < 0.6
    assert abs(seen.mean(axis=0) - X[0]).max() < 0.2


def test_what_drops_out_changes_from_step_to_step():
    options = {"dropout": 0.5, "solver": "sgd"}
    _, after, _ = step(**options)
    for clock in Clock(1), Clock(0, batch=1, n_batches=2):
        assert_differ(step(clock=clock, **options)[1], after)


def test_losses_are_without_dropout():
    tuner, plain = tuner_of(TABLE, dropout=0.5), tuner_of(TABLE)
    params = tuner.start().params
    index = np.arange(9)
    expected = plain.loss(forward(params, X[:9], "logistic"), Y[:9])
    np.testing.assert_array_equal(tuner.losses(NetState(params), index), expected)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_max_norm_holds_for_hidden_units(solver):
    options = {"learning_rate": 0.5, "hidden": (8, 7), "solver": solver}
    *hidden, (W, _) = trained(TABLE, max_norm=0.7, **options).state.params
    for layer in hidden:
        norms = np.linalg.norm(layer.W, axis=0)
        assert norms.max() <= 0.7 * (1 + 1e-12)
        assert norms.max() > 0.69
    assert np.linalg.norm(W, axis=0).max() > 0.8
    free = trained(TABLE, **options).state.params
    assert np.linalg.norm(free[0].W, axis=0).max() > 0.8


def test_memory_goes_on_with_the_same_solver_only():
    tuner = tuner_of(TABLE, solver="sgd")
    state = tuner.start()
    tuner.step(state, np.arange(20), START)
    assert tuner.resume(state).optimizer is state.optimizer
    other = tuner_of(TABLE).resume(state)
    assert other.optimizer.t[0] == 0
    assert not any(leaf.any() for leaf in leaves(other.optimizer))


def test_targets_that_are_unknown_teach_nothing():
    targets = Y.copy()
    targets[:, 1] = np.nan
    table = table_of(X, targets)
    before = tuner_of(table).start().params
    after = trained(table, loss=squared_error).state.params
    W, b = after[-1]
    np.testing.assert_array_equal(b[1], before[-1].b[1])
    assert (W[:, [0, 2]] != before[-1].W[:, [0, 2]]).all()


def test_a_state_is_layers():
    net = (Layer(np.ones((6, 3)), np.zeros(3)),)
    state = tuner_of(TABLE).resume(NetState(net))
    assert [type(layer) for layer in state.params] == [Layer]
    assert len(state.optimizer.m) == 1
