"""Saul's mean field: a bound, its gradient, and what it is not for."""

import numpy as np
import pytest
from scipy.special import entr, logsumexp

from skdgm import SigmoidBeliefNetwork
from skdgm.data import tabulate
from skdgm.directed._mean_field import Factored
from skdgm.directed._method import BeliefBatch, BeliefNet, affine
from skdgm.nets import Variables, vjp
from skdgm.options import BeliefObjective
from skdgm.utils.random import stream
from skdgm.utils.threading.parallel import limit
from skdgm.utils.tree import leaves
from tests.directed import test_density as bits
from tests.directed import test_gradients as small
from tests.directed.test_sigmoid_belief_network import BARS
from tests.numerical import arrays, assert_trees, numerical_gradient
from tests.options import grouped

CODES = np.random.default_rng(1).integers(0, 3, (6, 4)).astype(float)
HOLES = np.array([[1.0, np.nan, 0.0], [np.nan, np.nan, 1.0]])


def test_the_bound_is_below_the_likelihood():
    sbn, exact = bits.network(), np.log(bits.marginal())
    found = sbn.mean_field_bound(bits.ROWS)
    assert (found < exact).all()
    # It is better than that of few sweeps, and not far off.
    assert (found > sbn.mean_field_bound(bits.ROWS, n_steps=1) - 1e-9).all()
    assert (exact - found).mean() < 0.2
    fits = [(np.isnan(row) | (row == bits.ROWS)).all(axis=1) for row in HOLES]
    exact = [np.log(bits.marginal()[fit].sum()) for fit in fits]
    assert (sbn.mean_field_bound(HOLES) < exact).all()


@pytest.mark.parametrize("plain", [0.0, 0.5])
def test_xi_makes_the_bound_better(plain):
    sbn = bits.network()
    (model, kept), density = sbn.density_.net, sbn.density_
    factored = Factored(BeliefNet(density.hierarchy, density.output, density.share))
    found = factored.optimize(Variables(model, kept), bits.ROWS, 30)
    fixed = [np.full_like(part, plain) for part in found.better]
    worse = factored.bound(model, bits.ROWS, found._replace(better=fixed))
    assert (factored.bound(model, bits.ROWS, found) > worse + 1e-3).all()


RNG = np.random.default_rng(0)
TABLES = {"gaussian": RNG.normal(size=(6, 3)), "categorical": CODES}
for table in TABLES.values():
    table[2, 1] = np.nan
KINDS = {
    "feature": {"column_types": "gaussian"},
    "fixed": {"column_types": "gaussian", "variance": 0.4},
    "codes": {"column_types": "categorical"},
}


def above(kind, objective="rws"):
    """A network above columns of a kind, with parameters of some size; its rows in
    their units, and its objective."""
    how = {"mean_field_steps": 3, "n_iter": 0, "random_state": 0}
    sbn = grouped(
        SigmoidBeliefNetwork, (3, 2), objective=objective, **how, **KINDS[kind]
    )
    X = TABLES[sbn._options.column_types]
    rng = np.random.default_rng(3)
    for leaf in leaves(sbn.fit(X)._training.learned.model):
        leaf[...] = rng.normal(0, 0.7, leaf.shape)
    own = sbn._objective(tabulate(sbn._rows(X), None), 0)
    return sbn, own.rows.take(np.arange(len(X))), own


@pytest.mark.parametrize("kind", KINDS)
def test_the_bound_of_other_columns_is_below_the_likelihood(kind):
    sbn, rows, own = above(kind)
    log_p, _ = small.enumerated(own, sbn._training.learned.model, rows)
    exact = logsumexp(log_p, axis=1)
    exact = exact + sbn._domain.log_volume(sbn._columns, own.rows)
    found = sbn.mean_field_bound(TABLES[sbn._options.column_types])
    assert (found < exact).all()
    assert (exact - found).mean() < 0.2


@pytest.mark.parametrize("kind", KINDS)
def test_sweeps_above_other_columns_raise_the_bound(kind):
    _, v, own = above(kind)
    columns, mean = Factored(own.method.net).columns, np.full((len(v), 3), 0.3)
    model = own.start().params.model
    rng = np.random.default_rng(5)
    for leaf in leaves(model):
        leaf[...] = rng.normal(size=leaf.shape)
    W, b = affine(model, 0)
    xi, field = columns.start(mean @ W + b), rng.normal(size=mean.shape)

    def aim():
        entropy = (entr(mean) + entr(1 - mean)).sum(axis=1)
        return columns.log_p(model, v, mean, xi) + (mean * field).sum(axis=1) + entropy

    last = aim()
    for _ in range(20):
        columns.optimize(model, v, mean, field, xi)
        now = aim()
        assert (now >= last - 1e-12).all()
        last = now
    assert (now - last < 1e-6).all()


@pytest.mark.parametrize("kind", ["bits", *KINDS])
def test_the_model_follows_the_gradient_of_the_bound(kind):
    if kind == "bits":
        own, params, kept = small.objective(objective="mean-field")
        v = np.vstack([small.X, HOLES])
    else:
        sbn, v, own = above(kind, "mean-field")
        params, kept = sbn._training.params, sbn._training.statistics
    factored = own.method.factored
    found = factored.optimize(
        Variables(params.model, kept.model), v, own.options.mean_field_steps
    )
    found = found._replace(better=found.xi)
    noise = [np.full(part.shape, 0.5) for part in found.means]
    given = BeliefBatch(params, kept, v, noise, None, stream(0))
    _, grads = vjp(
        lambda p: own.forward(p, given)[0],
        params,
        lambda out: np.full_like(out, -1 / len(out)),
    )
    expected = numerical_gradient(
        lambda model: factored.bound(model, v, found).mean(), params.model
    )
    for part in "decoders", "dispersion", "prior":
        wanted = getattr(expected, part)
        if len(wanted):
            close = {"rtol": 1e-5, "atol": 1e-7}
            assert_trees(arrays(getattr(grads.model, part)), wanted, **close)

    def predicted(model):
        below, total = own.method.net.inputs(v), 0.0
        for net, layer, mean in zip(own.hierarchy.up, model.encoders, found.means):
            a = net.apply(layer, ((),), below)[0]
            total += (mean * a - np.logaddexp(0, a)).sum(axis=1)
            below = (mean > 0.5).astype(float)
        return total.mean()

    expected = numerical_gradient(predicted, params.model).encoders
    assert_trees(grads.model.encoders, expected, rtol=1e-5, atol=1e-7)


def test_results_are_the_same_on_any_number_of_threads():
    found = []
    for n in 1, 2:
        with limit(n):
            sbn = SigmoidBeliefNetwork(
                (40, 30), objective="mean-field", n_iter=2, random_state=0
            )
            X = BARS.astype(np.float64)
            found.append(sbn.fit(X).mean_field_bound(X[:50]))
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"column_types": "mixed"}, 'objective="mean-field" takes .*mixed'),
        ({"column_types": ("gaussian",) * 9}, 'objective="mean-field" takes'),
        ({"column_types": "gaussian", "variance": "sample"}, 'not "sample"'),
    ],
)
def test_columns_without_closed_forms_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        grouped(SigmoidBeliefNetwork, (3,), objective="mean-field", **options).fit(BARS)
    sbn = grouped(SigmoidBeliefNetwork, (3,), n_iter=0, **options).fit(BARS)
    with pytest.raises(ValueError, match="Mean field .* is for columns of"):
        sbn.mean_field_bound(BARS)


@pytest.mark.exhaustive
def test_draws_are_for_losses_alone():
    options = {"n_iter": 3, "random_state": 0}
    one, many = (
        SigmoidBeliefNetwork((4, 3), objective=objective, **options).fit(BARS)
        for objective in ("mean-field", BeliefObjective("mean-field", n_importance=5))
    )
    for a, b in zip(one.coefs_, many.coefs_):
        np.testing.assert_array_equal(a, b)
