"""Steps of nets that learn in turn: rates, weight decay, clipping, averages."""

from types import SimpleNamespace

import numpy as np
import pytest

from skdgm.nets.parts import Part, Parts
from skdgm.nets.tuner import dropped
from skdgm.optim import Clock
from skdgm.training import canonical
from skdgm.utils.rows import Rows
from skdgm.utils.tree import copy

W, GRAD = np.array([1.0, -2.0, 3.0]), np.array([3.0, 4.0, 0.0])


def _parts(**options):
    usual = {"solver": "sgd", "learning_rate": 0.1, "schedule": "constant"}
    usual |= {"power_t": 0.5, "momentum": 0.0, "alpha": 0.0, "clip_norm": None}
    usual |= {"beta_2": 0.999, "historical_averaging": 0.0}
    parts = Parts(SimpleNamespace(**usual | options))
    return parts, parts.ready(Part((W.copy(),), ()))


@pytest.mark.parametrize(
    "options, expected",
    [
        ({}, W + 0.1 * GRAD),
        ({"clip_norm": 1.0}, W + 0.1 * GRAD / 5),
        ({"clip_norm": 6.0}, W + 0.1 * GRAD),
        ({"schedule": "linear"}, W + 0.1 * 0.75 * GRAD),
        ({"historical_averaging": 0.3}, W + 0.1 * GRAD),
    ],
    ids=str,
)
def test_a_step(options, expected):
    parts, part = _parts(**options)
    found = parts.ascend("own", part, (GRAD.copy(),), Clock(1, 4, 0, 1), 20)
    np.testing.assert_allclose(found.params[0], expected)
    again = parts.ascend("own", found, (GRAD.copy(),), Clock(1, 4, 0, 1), 20, rate=0.0)
    np.testing.assert_allclose(again.params[0], expected)


def test_averages_pull():
    """Towards the mean of what parameters were, by twice the strength."""
    parts, part = _parts(historical_averaging=0.3)
    clock, one = Clock(0, 1), parts.ascend
    part = one("own", part, (GRAD.copy(),), Clock(0, 1), 20, n_before=0)
    moved = W + 0.1 * GRAD
    mean = (W + moved) / 2
    np.testing.assert_allclose(part.past[0], mean)
    part = one("own", part, (0 * GRAD,), clock, 20, n_before=1)
    after = moved - 0.1 * 2 * 0.3 * (moved - mean)
    np.testing.assert_allclose(part.params[0], after)
    np.testing.assert_allclose(part.past[0], (2 * mean + after) / 3)
    assert _parts()[0].ready(part).past == ()


def test_optimizers_are_kept_unless_the_solver_is_another():
    parts, part = _parts(solver="adam")
    part = parts.ascend("own", part, (GRAD.copy(),), Clock(0, 1), 20)
    kept = copy(part.optimizer)
    for solver, is_kept in ("adam", True), ("rmsprop", False):
        again = _parts(solver=solver)[0].ready(part)
        assert (type(again.optimizer) is type(kept)) is is_kept
        if is_kept:
            np.testing.assert_array_equal(again.optimizer.m[0], kept.m[0])
            assert again.optimizer.t[0] == 1
    assert parts.ready(()) == ()


def test_inputs_that_drop_out_become_means_where_these_are_usual():
    """But 0 where a third of all values is near it."""
    x = np.array([[1.0, 0.0, 0.05], [2.0, 3.0, 0.0], [4.0, 0.0, 6.0], [5.0, 2.0, 6.0]])
    x[3, 1:] = [2.0, 7.0]
    weight = np.array([1.0, 2.0, 1.0, 4.0])
    rows = Rows(x, np.float64, complete=True)
    table = canonical(rows, weight)
    found = dropped((0.2, 0.5), rows.take, table)
    mean = weight @ x / 8
    # Near 0 are 0, 2 and 3 of 8 rows.
    np.testing.assert_allclose(found, [mean[0], mean[1], 0])
    for rates in 0.5, (0.0, 0.5):
        assert dropped(rates, rows.take, table) == 0.0
