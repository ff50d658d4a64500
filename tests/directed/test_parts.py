"""Parts of directed nets beside slow formulas."""

import numpy as np
import pytest
from scipy.special import expit, logsumexp

from skdgm.directed import _geometric_density
from skdgm.directed._mean_field import Factored
from skdgm.directed._method import affine
from skdgm.directed._watch import variance
from skdgm.gradients.stochastic.reinforce import Optimal
from skdgm.latent.filling import IncompleteRows
from skdgm.nets import Variables
from skdgm.optim import Clock
from skdgm.utils.random import stream
from skdgm.utils.tree import leaves, tree_map
from tests.directed import test_bidirectional_helmholtz_machine as two_ways
from tests.directed import test_gradients as small
from tests.directed.test_mean_field import above
from tests.numerical import arrays, assert_trees, numerical_gradient


@pytest.mark.parametrize("way", ["reinforce", "nvil"])
def test_baselines_of_parameters_are_taken_from_scores(way):
    more = {"objective": way, "normalize_signal": False, "baseline": "optimal"}
    own, params, kept = small.objective(**more)
    kept = small.after_others(kept, params)
    none = tree_map(np.zeros_like, kept.method.square)
    ratio = tree_map(lambda a, b: a / b, kept.method.cross, kept.method.square)
    found, plain = (
        small.drawn(own, params, kept._replace(method=moments), 0, 4).model.encoders
        for moments in (
            kept.method,
            Optimal(kept.method.signals, none, kept.method.square),
        )
    )
    given = small.update(own, params, kept, 0, 4)
    z = own.hierarchy.through(
        Variables(params.model, kept.model),
        given.v,
        lambda level, _: given.noise[level],
    ).z

    def log_q(encoders):
        model = params.model._replace(encoders=encoders)
        source = own.hierarchy.noise_of(z)
        again = own.hierarchy.through(Variables(model, kept.model), given.v, source)
        return sum(again.log_q).mean()

    scores = numerical_gradient(log_q, params.model.encoders)
    expected = tree_map(lambda g, r, s: g - r * s, plain, ratio, scores)
    assert_trees(found, expected, rtol=1e-5, atol=1e-7)


def test_the_watched_variance_is_that_of_gradients():
    options = {"objective": "concrete", "gradient_draws": 3, "batch_size": 2}
    own, _, _ = small.objective(**options)
    state, found = own.start(), []
    for k in range(3):
        given = own.prepare(state, np.arange(2), Clock(0, None, 2**31 + k, 3))

        def loss(model, given=given):
            params = state.params._replace(model=model)
            return own.forward(params, given)[0].mean()

        slopes = numerical_gradient(loss, state.params.model)
        found.append(np.concatenate([part.ravel() for part in arrays(slopes)]))
    expected = np.var(found, axis=0, ddof=1).sum()
    assert variance(own, state, np.arange(3)) == pytest.approx(expected, rel=1e-5)


def test_means_above_codes_move_one_by_one():
    _, v, own = above("codes")
    columns, rng = Factored(own.method.net).columns, np.random.default_rng(5)
    model = own.start().params.model
    for leaf in leaves(model):
        leaf[...] = rng.normal(size=leaf.shape)
    (W, b), output = affine(model, 0), own.method.net.output
    mean = rng.random((len(v), len(W)))
    xi, field = columns.start(mean @ W + b), rng.normal(size=mean.shape)
    found = mean.copy()
    columns.optimize(model, v, found, field, xi)
    # One unit, row and column at a time; the others as they are by then.
    edges = [*output.starts, len(b)]
    for j in range(len(W)):
        new = np.empty(len(v))
        for r, row in enumerate(v):
            pull = 0.0
            for k, code in enumerate(row):
                own = slice(edges[k], edges[k + 1])
                if np.isnan(code):
                    continue
                p, w = xi[r, own], W[:, own]
                w = w - (w @ p)[:, None]
                a = b[own] - b[own] @ p
                m = mean[r, :, None]
                total = a + np.log(1 - m + m * np.exp(w)).sum(axis=0)
                share = np.exp(total - logsumexp(total))
                e = np.exp(w[j])
                t = np.eye(len(p))[int(code)]
                slope = share * (e - 1) / (1 - m[j] + m[j] * e)
                pull += ((t - p) * W[j, own] - slope).sum()
            new[r] = expit(field[r, j] + pull)
        mean[:, j] = new
    np.testing.assert_allclose(found, mean, rtol=1e-9)


def test_chains_begin_with_known_entries_and_draws():
    density = two_ways.machine().density_
    v = np.tile([[1.0, np.nan, 0.0]], (50, 1))
    guess = np.where(np.isnan(v), 0.5, v)
    x = density.chain(IncompleteRows(v, guess), True).init(stream(0).rows(50)).x
    np.testing.assert_array_equal(x[:, [0, 2]], v[:, [0, 2]])
    assert set(x[:, 1]) == {0, 1}


@pytest.mark.parametrize("conditions", [{1: 1.0}, {0: [1.0], 2: 0.0}])
def test_draws_are_judged_by_columns_under_conditions(conditions, monkeypatch):
    plausibility, asked = _geometric_density.plausibility, []

    def seen(*given):
        asked.append(given[-1].tolist())
        return plausibility(*given)

    monkeypatch.setattr(_geometric_density, "plausibility", seen)
    two_ways.machine().sample(5, random_state=0, conditions=conditions)
    assert asked
    assert all(one == sorted(conditions) for one in asked)
