"""Slopes of what is learned are central differences of exact log-likelihoods."""

from functools import partial

import numpy as np
import pytest
from sklearn.datasets import load_digits

from skdgm import MADE
from skdgm.autoregressive import model as models
from skdgm.distributions import standard_mixture
from skdgm.nets import vjp
from skdgm.utils.random import stream
from skdgm.utils.tree import leaves, tree_map
from tests.autoregressive.models import (
    CHAINS,
    FAMILIES,
    ORDERLESS,
    SEVERAL,
    SOME,
    data,
    given_known,
    inside,
    made,
    probabilities,
    rnade,
    states,
)
from tests.numerical import (
    assert_gradient,
    assert_means,
    assert_trees,
    numerical_gradient,
)
from tests.options import assign

KINDS = ["bits", "mixed", "table", "real"]
# A table has columns of all kinds.
PAIRS = [(n, k) for n in CHAINS for k in ("bits", "table")]
PAIRS += [("network", "real"), ("nade", "mixed")]


@pytest.fixture(autouse=True)
def _slopes_of_means_as_they_are(monkeypatch):
    """Not rescaled: then they are no grads of the loss."""
    plain = partial(standard_mixture, rescaled=False)
    monkeypatch.setattr(models, "standard_mixture", plain)


def rows(own, kind, n=5):
    return own._rows(data(kind)[:n]).take(slice(None))


def assert_learned(model, params, v, number, expected, n_learned):
    """The grads of losses are those of minus ``expected(params)``, row by row."""
    prepared = model.prepare(params, v, stream(7), number)
    weight = np.random.default_rng(2).random(len(v)) + 0.5
    value, found = vjp(
        lambda p: model.forward(p, prepared)[0], params, lambda loss: weight
    )
    np.testing.assert_allclose(value, -expected(params), rtol=1e-9)
    assert_gradient(lambda p: -weight @ expected(p), params, found)
    assert sum(leaf.any() for leaf in leaves(found)) >= n_learned


@pytest.mark.parametrize("name, kind", PAIRS)
def test_chains_learn_their_likelihood(name, kind):
    own = made(name, kind, n_orders=2, ordering="random", scale=0.5)
    (model, params), v = inside(own), rows(own, kind)
    for number in (0, 1):
        turns = [number] if name in SEVERAL else [0, 1]

        def expected(params, turns=turns):
            parts = [model.log_likelihood(params, v, k, None) for k in turns]
            return np.sum(parts, axis=0)

        n = 2 if name == "fvbn" else 3
        assert_learned(model, params, v, number, expected, n)


@pytest.mark.parametrize("shape", ["gaussian", "laplace"])
@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic"])
def test_rnade_learns_its_likelihood(shape, activation):
    own = rnade(conditional=shape, activation=activation, scale=0.5)
    (model, params), v = inside(own), rows(own, "real")

    def expected(params):
        return model.log_likelihood(params, v, 0, None)

    assert_learned(model, params, v, 0, expected, 5)


@pytest.mark.exhaustive(default=["-table"])
@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ORDERLESS)
def test_orderless_nets_learn_what_is_hidden(name, kind, dropout):
    own = made(name, kind, dropout=dropout, scale=0.5)
    (model, params), v = inside(own), rows(own, kind)
    v[0, 1] = v[2, 0] = np.nan
    v[3] = np.nan
    prepared = model.prepare(params, v, stream(7), 0)

    def expected(params):
        return -model.forward(params, prepared)[0]

    assert_learned(model, params, v, 0, expected, len(list(leaves(params))))


@pytest.mark.parametrize("name", CHAINS)
def test_what_is_missing_is_drawn_and_not_predicted(name):
    own = made(name, "mixed", ordering=(3, 1, 0, 2))
    (model, params), v = inside(own), rows(own, "mixed", 30)
    holed = np.where(np.random.default_rng(0).random(v.shape) < 0.3, np.nan, v)
    ((k, ordered, whole),) = model.prepare(params, holed, stream(3), 0)
    missing = np.isnan(holed[:, model.members[k].order])
    np.testing.assert_array_equal(np.isnan(ordered), missing)
    np.testing.assert_array_equal(whole[~missing], ordered[~missing])
    assert not np.isnan(whole).any()
    whole_log_p = model.log_p(params, whole[:, model.members[k].place], k, None)
    known = ~np.isnan(holed)
    expected = -(whole_log_p * known).sum(axis=1)
    found = model.forward(params, [(k, ordered, whole)])[0]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("name", SOME)
def test_what_is_missing_is_drawn_from_the_model(name):
    own, X = made(name, "mixed", ordering=(3, 1, 0, 2)), states("mixed")
    (model, params), n = inside(own), 10_000
    row = np.array([np.nan, 1, np.nan, 2])
    prepared = model.prepare(params, np.tile(row, (n, 1)), stream(3), 0)
    ((_, _, whole),) = prepared
    p = given_known(probabilities(own, "mixed"), X, row)
    assert_means((whole[:, None, [2, 1, 3, 0]] == X).all(axis=2), p)


@pytest.mark.parametrize("alpha", [0.0, 3.0])
@pytest.mark.parametrize("name", FAMILIES)
def test_a_step_is_the_gradient_of_the_mean_and_of_the_penalty(
    name, alpha, monkeypatch
):
    """One update of plain gradient ascent by all rows."""
    own = made(name, "bits", solver="sgd", momentum=0.0, learning_rate=0.1)
    assign(own, alpha=alpha, schedule="constant", batch_size=1000)
    before, X = tree_map(np.copy, own._training.learned), data("bits")
    kind, prepared = type(inside(own)[0]), []
    prepare = kind.prepare

    def spied(*given):
        prepared.append(prepare(*given))
        return prepared[-1]

    monkeypatch.setattr(kind, "prepare", spied)
    own.partial_fit(X)
    assert len(prepared) == 1
    model = inside(own)[0]

    def objective(params):
        penalty = sum((part**2).sum() for part in leaves(params) if part.ndim == 2)
        losses = model.forward(params, prepared[0])[0]
        assert len(losses) == len(X)
        return -(losses.sum() + alpha / 2 * penalty) / len(X)

    grads = numerical_gradient(objective, before)
    expected = tree_map(lambda a, b: a + 0.1 * b, before, grads)
    assert_trees(own._training.learned, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("clip_norm", [0.01, 1e6])
def test_a_clipped_step_is_no_longer_than_it_may_be(clip_norm):
    own = made("nade", "bits", solver="sgd", momentum=0.0, learning_rate=0.1)
    assign(own, clip_norm=clip_norm, schedule="constant", batch_size=1000)
    before = [leaf.copy() for leaf in leaves(own._training.learned)]
    own.partial_fit(data("bits"))
    moved = [a - b for a, b in zip(leaves(own._training.learned), before, strict=True)]
    length = np.sqrt(sum((part**2).sum() for part in moved))
    if clip_norm == 0.01:
        assert length == pytest.approx(0.1 * 0.01)
    else:
        assert length > 0.01


def trained(name, kind, **options):
    # Of rectifiers some would never hear of anything.
    options |= {"activation": "tanh"} if name == "deep" else {}
    return made(name, kind, scale=0.0, n_iter=5, batch_size=5, **options)


@pytest.mark.parametrize("solver", ["adam", "rmsprop", "sgd"])
@pytest.mark.parametrize("name", ["fvbn", "network", "indirect", "made", "deep"])
def test_what_masks_forbid_stays_zero(name, solver):
    own = trained(name, "mixed", solver=solver, alpha=0.1, ordering="random")
    (model, (params,)) = inside(own)
    masks = model.members[0].masks
    placed = model.members[0].placed(params)
    assert len(masks) == len(placed)
    for mask, (W, _) in zip(masks, placed, strict=True):
        assert not W[~mask].any()
        assert W[mask].all()


@pytest.mark.parametrize("name", SEVERAL)
def test_what_no_set_of_masks_allows_stays_zero(name):
    own = trained(name, "bits", n_orders=3, ordering="random")
    model, (params,) = inside(own)
    masks = [member.allowed() for member in model.members]
    for number, (W, _) in enumerate(params):
        allowed = np.any([own[number].W for own in masks], axis=0)
        assert not W[~allowed].any()
        assert W[allowed].all()


def test_members_of_an_ensemble_learn_by_themselves():
    """Those of an order learn what one alone would."""
    one = trained("nade", "bits", ordering="given")
    several = trained("nade", "bits", ordering="given", n_orders=3)
    assert len(several.coefs_) == 6
    own, (first, second, _) = inside(one)[1][0], inside(several)[1]
    assert_trees(first, own, rtol=1e-6, atol=1e-9)
    assert abs(second.below.W - first.below.W).max() > 1e-3


def test_masks_come_by_turns():
    own = made("made", "bits", n_orders=3)
    model, params = inside(own)
    assert len(params) == 1
    v, found = rows(own, "bits"), []
    for number in range(7):
        ((k, ordered, _),) = model.prepare(params, v, stream(0), number)
        np.testing.assert_array_equal(ordered, v[:, model.members[k].order])
        found.append(k)
    assert found == [0, 1, 2, 0, 1, 2, 0]


def test_layers_alone_are_penalized():
    """Of RNADE the weights, but no biases and no factors."""
    own = rnade(alpha=1e6, solver="sgd", momentum=0.0, learning_rate=1e-9)
    before = tree_map(np.copy, own._training.learned)
    assign(own, schedule="constant", batch_size=1000).partial_fit(data("real"))
    ((below, above, rho),), ((W, c), (V, b), was) = own._training.learned, before[0]
    shrunk = 1 - 1e-3 / len(data("real"))
    np.testing.assert_allclose(below.W, shrunk * W, rtol=1e-6)
    np.testing.assert_allclose(above.W, shrunk * V, rtol=1e-6)
    for found, expected in [(below.b, c), (above.b, b), (rho, was)]:
        np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.exhaustive
def test_masks_by_turns_learn_more_than_independent_columns():
    """Weights belong to columns, wherever these are in an order."""
    X = (load_digits().data > 7).astype(np.float32)
    own = MADE((50,), n_masks=8, ordering="random", n_iter=15, random_state=0)
    own.set_params(learning_rate=0.01, batch_size=50)
    p = X.mean(axis=0).clip(0.01, 0.99)
    independent = (X * np.log(p) + (1 - X) * np.log1p(-p)).sum(axis=1).mean()
    assert own.fit(X).score(X) > independent + 3
