"""Losses that are watched, and their parts, beside scores."""

import numpy as np
import pytest
from sklearn.base import clone

from skdgm import RNNNADE, RNNRBM, RTRBM, VRNN
from skdgm.nets import nll
from skdgm.optim import Clock
from skdgm.training import segments
from skdgm.utils.random import stream
from tests.options import grouped

RNG = np.random.default_rng(0)
PARTS = [(RNG.random((n, 3)) < 0.4).astype(float) for n in (7, 12, 3, 12)]
LENGTHS = np.array([7, 12, 3, 12])
SMALL = {"n_iter": 2, "average": False, "random_state": 0}
MODELS = [
    grouped(RNNNADE, 3, n_recurrent=3, **SMALL),
    grouped(RNNRBM, 3, n_recurrent=3, cell="lstm", **SMALL),
    grouped(RTRBM, 3, **SMALL),
]
models = pytest.mark.parametrize("model", MODELS, ids=lambda m: type(m).__name__)
CLOCK = Clock(2, 10, 0, 1)


def run(model, parts=PARTS):
    table = model._begin(parts, None, None, fresh=False)
    objective = model._objective(table, 0)
    return objective, table, objective.resume(model._state())


@models
def test_losses_are_those_of_scores(model):
    objective, table, state = run(model.fit(PARTS))
    found = objective.losses(state, np.arange(4), stream(0))
    expected = [-own.sum() for own in model.score_samples(PARTS)]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    some = objective.losses(state, np.array([3, 0]), stream(0))
    np.testing.assert_allclose(some, [expected[3], expected[0]], rtol=1e-5)
    watch = objective.watch(table, None, state)
    assert watch.training_loss(state) == pytest.approx(sum(expected) / 34)
    weight = np.array([0.5, 1, 2, 0])
    loss = watch._loss(state, np.arange(4), weight)
    assert loss == pytest.approx(weight @ expected / (weight @ LENGTHS))
    assert model.loss_curve_[-1] == pytest.approx(-model.score(PARTS), rel=1e-4)


def test_some_steps_stand_for_all_where_each_costs_much(monkeypatch):
    model = grouped(RNNRBM, 3, n_recurrent=3, **SMALL).fit(PARTS)
    objective, _, state = run(model)
    step = type(objective.net.step)
    monkeypatch.setattr(step, "n_watched", lambda self, n_rows: n_rows // 3)
    monkeypatch.setattr(
        step, "watched", lambda self, machine, biases, v, rng: v[:, 0] + 1
    )
    found = objective.losses(state, np.arange(4), stream(0))
    # A third of the rows are seen; each counts three times.
    total = sum(len(part) + part[:, 0].sum() for part in PARTS)
    assert found.sum() == pytest.approx(total, rel=0.3)


def test_the_loss_of_a_variational_net_is_its_bound():
    parts = PARTS * 40
    model = VRNN(2, n_hidden=4, n_recurrent=4, n_iter=2, random_state=0).fit(parts)
    objective, _, state = run(model, parts)
    loss = objective.losses(state, np.arange(160), stream(0)).sum() / (34 * 40)
    bounds = np.concatenate([part.bound for part in model.elbo(parts, n_draws=20)])
    assert loss == pytest.approx(-bounds.mean(), abs=0.02)


def test_the_divergence_is_warmed_up():
    model = VRNN(2, n_hidden=4, n_recurrent=4, n_iter=1, random_state=0).fit(PARTS)
    assert run(model)[0].beta(CLOCK) == 1
    model.set_params(warm_up=8)
    objective, table, state = run(model)
    done = objective.epochs_before
    assert objective.beta(CLOCK) == pytest.approx(min(1, (done + 2) / 8))
    assert objective.beta(Clock(20, 30, 0, 1)) == 1
    (batch,) = segments(table.rows, [np.arange(4)])
    v, batch, noise, _ = objective.prepare(state, batch, CLOCK)
    net, params = objective.net, state.params
    trail = net.trail(params, net.inputs(v), noise, batch.sizes, net.begin(params, 4))
    out = nll(trail.out, params.dispersion, v, net.output)
    for own in 1.0, 0.25:
        loss, _ = objective.forward(params, (v, batch, noise, own))
        np.testing.assert_allclose(loss, out + own * trail.divergence, rtol=1e-6)


def test_of_a_single_sequence_the_last_steps_are_held_out():
    model = grouped(RNNNADE, 3, n_recurrent=3, validation_fraction=0.3, **SMALL)
    objective, table, _ = run(model.fit(PARTS[:1]), PARTS[1:2])
    train, held_out = objective.split(table)
    assert objective.rows.edges.tolist() == [0, 8, 12]
    assert (train.index.tolist(), held_out.index.tolist()) == ([0], [1])
    objective, table, _ = run(model)
    train, held_out = objective.split(table)
    assert sorted([*train.index, *held_out.index]) == [0, 1, 2, 3]
    assert objective.rows.edges.tolist() == [0, 7, 19, 22, 34]


@pytest.mark.parametrize(
    "model",
    [*MODELS, VRNN(2, n_hidden=4, n_recurrent=4, n_draws=50, random_state=0)],
    ids=lambda m: type(m).__name__,
)
def test_a_tenth_of_the_scale_is_ten_times_the_density(model):
    rng = np.random.default_rng(1)
    parts = [rng.normal(size=(n, 2)) @ [[1, 0.5], [0, 2]] for n in (6, 9)]
    model = clone(model).set_params(column_types="gaussian", n_iter=0)
    found = []
    for scale in (1.0, 1 / 8):
        model.fit([scale * part for part in parts])
        own = [model.score_samples([scale * part for part in parts])]
        for name in "score_features", "likelihood_bracket", "elbo":
            method = getattr(model, name, None)
            if method is not None:
                own.append(method([scale * part for part in parts]))
        found.append(own)
    for one, other in zip(*found, strict=True):
        gap = flat(other) - flat(one)
        # Entries have a column each; particles of other rows are others.
        each = 1 if isinstance(model, RNNNADE) and gap.size == 30 else 2
        wanted = each * np.log(8)
        if isinstance(model, VRNN):
            assert gap.mean() == pytest.approx(wanted, abs=0.15)
        else:
            np.testing.assert_allclose(gap, wanted, rtol=1e-5)


def flat(parts):
    """All numbers of lists of arrays, or of bounds."""
    if hasattr(parts, "bound"):
        return parts.bound
    if isinstance(parts, list | tuple):
        return np.concatenate([flat(part) for part in parts])
    return np.ravel(parts)
