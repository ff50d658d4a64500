"""Rows with missing entries, on every road of a flow: scores, the monitor's losses and
those that are followed are integrals of the density of complete rows."""

import numpy as np
import pytest

from skdgm import Flow
from skdgm.data import tabulate
from skdgm.optim import Clock
from skdgm.utils.random import stream
from skdgm.utils.tree import copy, leaves
from tests.nets.recipes import assert_slopes
from tests.options import grouped

RNG = np.random.default_rng(0)
SHORT = {"n_layers": 1, "hidden_layer_sizes": 3, "n_iter": 0, "random_state": 0}
SHORT |= {"early_stopping": False, "base": "normal", "n_draws": 60}
Z = RNG.normal(size=(60, 1))
REAL = np.concatenate([Z, 0.7 * Z + 0.5 * RNG.normal(size=(60, 1))], axis=1) * [1, 5]
SHARES = 1 / (1 + np.exp(-REAL / [1, 5]))
COUNTS = np.clip(np.rint(1.5 + REAL / [1, 4]), 0, 4)
SIDE = {
    "real": np.linspace(-30, 30, 601),
    "shares": (np.arange(500) + 0.5) / 500,
    "counts": np.arange(5.0),
}
# Rows and options.
ROADS = {
    "spline": ("real", {}),
    "autoregressive": ("real", {"layer_type": "affine", "autoregressive": True}),
    "mixture": ("real", {"base": "mixture"}),
    "attributes": ("real", {"attribute_conditional": True}),
    "bounds": ("shares", {"bounds": (0, 1)}),
    "counts": ("counts", {"bounds": (0, 4), "dequantization": "uniform"}),
    "student": ("real", {"base": "student"}),
    "variational": ("counts", {"bounds": (0, 4), "dequantization": "variational"}),
}


@pytest.fixture(scope="module", params=ROADS)
def road(request):
    """A flow, its objective, rows with gaps and attributes, and exact scores."""
    kind, options = ROADS[request.param]
    X = {"real": REAL, "shares": SHARES, "counts": COUNTS}[kind]
    y = Z + RNG.normal(size=(60, 1)) if "attribute_conditional" in options else None
    flow = grouped(Flow, **SHORT | options).fit(X, y)
    holes, side = X[:6].copy(), SIDE[kind]
    holes[:3, 0] = holes[3:5, 1] = np.nan
    exact = np.empty(6)
    for k, row in enumerate(holes):
        places = np.tile(row, (len(side), 1))
        missing = np.isnan(row)
        places[:, missing] = side[:, None]
        beside = None if y is None else np.repeat(y[k : k + 1], len(side), axis=0)
        p = np.exp(flow.score_samples(places, beside))
        step = side[1] - side[0] if missing.any() else 1 / len(side)
        exact[k] = np.log(p.sum() * step)
    return request.param, flow, holes, None if y is None else y[:6], exact


def test_scores_are_integrals(road):
    _, flow, holes, y, exact = road
    np.testing.assert_allclose(flow.score_samples(holes, y), exact, atol=0.25)
    assert (
        flow.score_samples(np.full((1, 2), np.nan), None if y is None else y[:1]) == 0
    )


def test_losses_are_minus_scores(road):
    """Those of the monitor, and those that updates follow."""
    name, flow, holes, y, exact = road
    rows = flow._label(flow._rows(holes), y, False, None)[0]
    objective = flow._objective(tabulate(rows, None), 0)
    state, index = objective.resume(flow._training), np.arange(6)
    scale = flow._columns.scale
    exact = exact + (np.log(scale) * ~np.isnan(holes)).sum(axis=1)
    n = 10 if name in ("counts", "variational", "student") else 1
    found = [objective.losses(state, index, stream(k).rows(6)) for k in range(n)]
    atol = 1e-3 if n == 1 else 0.3
    np.testing.assert_allclose(-np.mean(found, axis=0), exact, atol=atol)
    if n == 1:
        clock = Clock(0, 1)
        given = objective.prepare(state, index, clock)
        loss, _ = objective.forward(state.params, given)
        np.testing.assert_allclose(-loss, exact, atol=atol)


@pytest.mark.exhaustive(default=["spline", "autoregressive", "mixture"])
def test_slopes_are_differences(road):
    _, flow, holes, y, _ = road
    rows = flow._label(flow._rows(holes), y, False, None)[0]
    objective = flow._objective(tabulate(rows, None), 0)
    state, rng = objective.resume(copy(flow._training)), np.random.default_rng(1)
    # At the start much is zero.
    for leaf in leaves(state.params):
        leaf += 0.1 * rng.normal(size=leaf.shape)
    given = objective.prepare(state, np.arange(6), Clock(0, 1))
    assert_slopes(lambda params: objective.forward(params, given)[0], state.params)
