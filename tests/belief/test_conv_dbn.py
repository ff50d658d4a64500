"""Convolutional belief networks: every state of small images and maps is listed."""

from itertools import product

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.special import expit, logsumexp
from scipy.stats import norm
from sklearn.datasets import load_digits

from skdgm import DBN, BernoulliRBM, ConvDBN, ConvRBM
from skdgm.belief._stack import attributes_of
from skdgm.distributions import Pooled, Selected
from skdgm.options import Filters, Penalty
from skdgm.utils.random import stream
from tests.numerical import assert_means
from tests.options import assign, grouped

RNG = np.random.default_rng(0)
NETWORKS = {
    "maps-maps": {
        "conv_layer_sizes": (1, 2),
        "filter_shape": (2, 1),
        "pool_shape": (2, 1),
        "image_shape": (3, 3),
    },
    "maps-units": {
        "conv_layer_sizes": 2,
        "filter_shape": ((2, 3),),
        "pool_shape": ((1, 2),),
        "image_shape": (2, 4),
        "hidden_layer_sizes": 3,
    },
    "maps-maps-units": {
        "conv_layer_sizes": (1, 2),
        "filter_shape": ((2, 1), (1, 2)),
        "pool_shape": ((2, 1), 1),
        "image_shape": (3, 2),
        "hidden_layer_sizes": (2,),
    },
    "same": {
        "conv_layer_sizes": (1, 1),
        "filter_shape": 3,
        "pool_shape": (2, 1),
        "image_shape": (2, 2, 2),
        "padding": "same",
    },
    "real": {
        "conv_layer_sizes": (1, 2),
        "filter_shape": (2, 1),
        "pool_shape": (2, 1),
        "image_shape": (3, 3),
        "column_types": "gaussian",
    },
    "max": {
        "conv_layer_sizes": (1, 2),
        "filter_shape": (2, 1),
        "pool_shape": ((2, 1), 1),
        "image_shape": (3, 3),
        "pooling": ("max", "probabilistic"),
    },
    "mean": {
        "conv_layer_sizes": (2, 2),
        "filter_shape": (2, 1),
        "pool_shape": (2, 1),
        "image_shape": (3, 3),
        "pooling": "mean",
    },
}


def random_network(options, scale=1.0):
    """A network of known parameters."""
    rng, n = np.random.default_rng(3), int(np.prod(options["image_shape"]))
    X = rng.integers(0, 2, (30, n)).astype(float)
    if options.get("column_types") == "gaussian":
        X = X * 2 + rng.normal(size=X.shape)
    dbn = grouped(ConvDBN, n_iter=0, random_state=0, **options).fit(X)
    for machine in dbn.layers_:
        machine.components_ = rng.normal(0, scale, machine.components_.shape)
        machine.intercept_hidden_ = rng.normal(size=len(machine.components_)) - 0.5
        machine.intercept_visible_ = rng.normal(size=machine.n_features_in_)
    dbn._forget()
    vars(dbn).update(attributes_of(dbn.layers_))
    return dbn


def dense(machine):
    """Weights and biases of a machine as one that sees all at all positions."""
    energy, params = machine.density_.energy, machine.density_.params
    unit = energy.units[1]
    if not isinstance(unit, Pooled):
        return params.couplings[0], params.units[1]
    W = energy.couplings[0].matrix(params.couplings[0])
    return W, np.tile(params.units[1], unit.height * unit.width)


def states(machine):
    """All states of a machine's hidden units, with those that are seen above."""
    unit = machine.density_.energy.units[1]
    h = np.array(list(product([0.0, 1.0], repeat=unit.size)))
    if not isinstance(unit, Pooled):
        return h, h
    if isinstance(unit, Selected):
        return selected_states(unit, h)[:2]
    high, wide, maps, rows, columns = unit[:5]
    images = h.reshape(len(h), high // rows, rows, wide // columns, columns, maps)
    seen = images.sum(axis=(2, 4))
    allowed = (seen <= 1).all(axis=(1, 2, 3))
    return h[allowed], seen[allowed].reshape(allowed.sum(), -1)


def selected_states(unit, h):
    """States of independent units with all choices of a position in each block: the
    units, those that are seen, and the positions."""
    every = list(product(range(np.prod(unit.block)), repeat=unit.n_pooled))
    which = np.tile(every, (len(h), 1))
    h = np.repeat(h, len(every), axis=0)
    return (
        h,
        np.take_along_axis(by_block(unit, h), which[:, :, None], 2)[:, :, 0],
        which,
    )


def by_block(unit, x):
    """Units, block after block, and of each map after map, cut out one by one."""
    x, (rows, columns) = x.reshape(-1, *unit[:3]), unit.block
    cut = [
        x[:, i : i + rows, j : j + columns, k].reshape(len(x), -1)
        for i in range(0, unit.height, rows)
        for j in range(0, unit.width, columns)
        for k in range(unit.maps)
    ]
    return np.stack(cut, axis=1)


class Listed:
    """All states of the layers below the top, and what is known of each."""

    def __init__(self, dbn):
        self.dbn = dbn
        *below, top = dbn.layers_
        W, c = dense(top)
        h, _ = states(top)
        seen = np.array(list(product([0.0, 1.0], repeat=top.n_features_in_)))
        weight = logsumexp((c + seen @ W) @ h.T, axis=1)
        weight += seen @ top.intercept_visible_
        prior = {
            tuple(s): w for s, w in zip(seen, weight - logsumexp(weight), strict=True)
        }
        tables = [states(machine) for machine in below]
        codes = np.indices([len(h) for h, _ in tables]).reshape(len(tables), -1)
        self.h = [h[code] for (h, _), code in zip(tables, codes)]
        self.seen = [s[code] for (_, s), code in zip(tables, codes)]
        self.log_p = np.array([prior[tuple(row)] for row in self.seen[-1]])
        self.dense = [dense(machine) for machine in below]
        for k, machine in enumerate(below):
            unit = machine.density_.energy.units[1]
            if isinstance(unit, Selected):
                c = self.dense[k][1]
                each = by_block(unit, self.h[k] * c - np.logaddexp(0, c))
                which = selected_states(unit, np.unique(self.h[k], axis=0))[2]
                which = np.tile(which, (len(each) // len(which), 1))
                assert k == 0
                np.put_along_axis(each, which[:, :, None], 0, axis=2)
                self.log_p += each.sum(axis=(1, 2)) - unit.n_pooled * np.log(
                    each.shape[2]
                )
                self.which = which
            elif isinstance(machine, ConvRBM):
                n = np.prod(machine.pool_shape_)
                self.log_p -= np.log(n) * self.h[k].sum(axis=1)
            if k:
                field = self.h[k] @ self.dense[k][0].T + machine.intercept_visible_
                own = self.seen[k - 1] * field - np.logaddexp(0, field)
                self.log_p += own.sum(axis=1)

    def log_joint(self, v):
        """Log p(v, h) of a row, of which some is known, for each state."""
        bottom, known = self.dbn.layers_[0], ~np.isnan(v)
        field = self.h[0] @ self.dense[0][0].T + bottom.intercept_visible_
        if self.dbn.column_types == "gaussian":
            mean = field * bottom.scale_ + bottom.mean_
            each = norm.logpdf(v, mean, bottom.precision_**-0.5)
        else:
            each = np.nan_to_num(v) * field - np.logaddexp(0, field)
        return self.log_p + each[:, known].sum(axis=1)

    def log_q(self, v):
        """Log Q(h | v) for each state."""
        total = 0.0
        for k, (h, (W, c)) in enumerate(zip(self.h, self.dense)):
            x = v if k == 0 else self.seen[k - 1]
            if k == 0 and self.dbn.column_types == "gaussian":
                bottom = self.dbn.layers_[0]
                x = (x - bottom.mean_) * bottom.scale_ * bottom.precision_
            all_h, _ = states(self.dbn.layers_[k])
            eta = np.broadcast_to(x @ W + c, h.shape)
            total = total + (h * eta).sum(axis=1) - logsumexp(eta @ all_h.T, axis=1)
            unit = self.dbn.layers_[k].density_.energy.units[1]
            if isinstance(unit, Selected) and unit.choice == "max":
                best = by_block(unit, eta[:1]).argmax(axis=2)
                n = np.prod(unit.block)
                total = total + np.log((self.which == best) / 2 * n + 0.5).sum(axis=1)
        return total

    def log_prob(self, v):
        return logsumexp(self.log_joint(v))

    def bound(self, v):
        log_q = self.log_q(v)
        return np.exp(log_q) @ (self.log_joint(v) - log_q)

    def mean(self, v):
        """Means of bits given what is known of them."""
        field = self.h[0] @ self.dense[0][0].T + self.dbn.layers_[0].intercept_visible_
        log_w = self.log_joint(v)
        return np.exp(log_w - logsumexp(log_w)) @ expit(field)


@pytest.fixture(params=NETWORKS)
def dbn(request):
    return random_network(NETWORKS[request.param])


@pytest.fixture
def rows(dbn):
    rng, n = np.random.default_rng(1), dbn.n_features_in_
    if dbn.column_types == "gaussian":
        return rng.normal(1, 2, (3, n))
    return rng.integers(0, 2, (3, n)).astype(float)


@pytest.mark.exhaustive(default=["same"])
def test_bound_and_likelihood_are_those_of_all_states(dbn, rows):
    listed = Listed(dbn)
    assert dbn.density_kind_ == "lower bound"
    exact = np.array([listed.log_prob(v) for v in rows])
    bound = np.array([listed.bound(v) for v in rows])
    assert (bound < exact).all()
    found, se = dbn.likelihood_bound(rows, n_draws=800, return_se=True)
    assert (abs(found - bound) <= 4.5 * se).all()
    assert (se < 0.2).all()
    found, se = dbn.importance_likelihood(rows, n_draws=3000, return_se=True)
    assert (abs(found - exact) <= 4.5 * se).all()
    assert (se < 0.5).all()


@pytest.mark.exhaustive(default=["mean"])
def test_draws_of_pooled_units_find_the_likelihood(dbn, rows):
    listed = Listed(dbn)
    exact = np.array([listed.log_prob(v) for v in rows[:2]])
    found, se = dbn.importance_likelihood(rows[:2], n_draws=3000, return_se=True)
    assert (abs(found - exact) <= 4.5 * se).all()
    assert (se < 0.3).all()


@pytest.mark.exhaustive(default=["real"])
def test_missing_pixels_are_left_out(dbn, rows):
    listed = Listed(dbn)
    holed = np.where(np.random.default_rng(2).random(rows.shape) < 0.3, np.nan, rows)
    exact = np.array([listed.log_prob(v) for v in holed])
    found, se = dbn.importance_likelihood(holed, n_draws=3000, return_se=True)
    assert (abs(found - exact) <= 4.5 * se + 1e-12).all()
    filled = dbn.impute(holed)
    known = ~np.isnan(holed)
    np.testing.assert_array_equal(filled[known], holed[known])


def test_probabilities_of_all_images_add_up_to_one():
    listed = Listed(random_network(NETWORKS["maps-maps"]))
    v = np.array(list(product([0.0, 1.0], repeat=9)))
    assert logsumexp([listed.log_prob(row) for row in v]) == pytest.approx(0)


@pytest.mark.parametrize("name", ["maps-maps", "maps-maps-units", "max", "mean"])
def test_samples_have_the_moments(name):
    dbn = random_network(NETWORKS[name], 0.7)
    listed, n = Listed(dbn), dbn.n_features_in_
    x = dbn.sample(6000, random_state=0, init=np.ones((1, n)), n_steps=40)
    assert_means(x, listed.mean(np.full(n, np.nan)))
    v = np.array(list(product([0.0, 1.0], repeat=n)))
    p = np.exp([listed.log_prob(row) for row in v])
    assert_means(x[:, :2] * x[:, 3:5], p @ (v[:, :2] * v[:, 3:5]))


def test_what_is_filled_in_has_the_means():
    # A recognition that is exact, as that of filters of zeros is.
    dbn = random_network(NETWORKS["maps-maps"], 0.0)
    v = np.array([np.nan, 1, 0, 0, np.nan, 1, 1, np.nan, 0])
    filled = dbn.impute(v[None], n_steps=50)
    np.testing.assert_allclose(
        filled[0, [0, 4, 7]], Listed(dbn).mean(v)[[0, 4, 7]], atol=1e-6
    )


def test_features_are_means_of_pooled_units(dbn, rows):
    below = rows
    for k, machine in enumerate(dbn.layers_):
        W, c = dense(machine)
        h, seen = states(machine)
        if k == 0 and dbn.column_types == "gaussian":
            below = (below - machine.mean_) * machine.scale_ * machine.precision_
        log_w = (below @ W + c) @ h.T
        unit = machine.density_.energy.units[1]
        if isinstance(unit, Selected) and unit.choice == "max":
            below = by_block(unit, expit(below @ W + c)).max(axis=2)
        else:
            below = np.exp(log_w - logsumexp(log_w, axis=1, keepdims=True)) @ seen
        np.testing.assert_allclose(dbn.transform_layers(rows)[k], below, atol=1e-9)
        dbn.set_params(feature_layer=k)
        np.testing.assert_allclose(dbn.transform(rows), below, atol=1e-9)
        assert dbn.inverse_transform(below).shape == rows.shape
    maps = dbn.transform_maps(rows)
    assert len(maps) == sum(isinstance(m, ConvRBM) for m in dbn.layers_)
    for part, flat in zip(maps, dbn.transform_layers(rows)):
        np.testing.assert_array_equal(part.reshape(len(rows), -1), flat)


def test_with_blocks_of_one_it_is_the_dense_network_of_unrolled_filters():
    options = {**NETWORKS["maps-maps"], "pool_shape": 1}
    conv = random_network(options)
    sizes = [machine.density_.energy.units[1].size for machine in conv.layers_]
    X = np.random.default_rng(3).integers(0, 2, (30, 9)).astype(float)
    other = DBN(tuple(sizes), n_iter=0, random_state=0).fit(X)
    for ours, theirs in zip(conv.layers_, other.layers_):
        W, c = dense(ours)
        theirs.components_, theirs.intercept_hidden_ = W.T, c
        theirs.intercept_visible_ = ours.intercept_visible_
    other._forget()
    vars(other).update(attributes_of(other.layers_))
    assert conv.log_Z_ == pytest.approx(other.log_Z_)
    np.testing.assert_allclose(conv.transform(X), other.transform(X))
    found, se = conv.likelihood_bound(X, n_draws=200, return_se=True)
    expected, other_se = other.likelihood_bound(X, n_draws=200, return_se=True)
    assert (abs(found - expected) <= 4.5 * np.hypot(se, other_se) + 1e-9).all()


def test_units_are_drawn_within_their_blocks():
    unit = Pooled(4, 6, 2, 2, 3)
    pooled = np.tile((RNG.random(unit.n_pooled) < 0.7).astype(float), (6000, 1))
    h = unit.unpool(pooled, None, stream(0).rows(6000))
    np.testing.assert_array_equal(unit.pool(h), pooled)
    assert_means(h[:, unit.spread(pooled)[0] > 0], 1 / 6)
    np.testing.assert_allclose(
        unit.log_unpooled(h, pooled, None), -np.log(6) * pooled.sum(axis=1), rtol=1e-12
    )


@pytest.mark.parametrize("choice", ["max", "mean"])
def test_one_unit_of_a_block_is_seen(choice):
    unit = Selected(4, 6, 2, 1, 1, 2, 3, choice)
    mean, n = RNG.random((1, unit.size)), 8000
    h = unit.draw(np.tile(mean, (n, 1)), stream(0).rows(n))
    seen = unit.select(h, np.tile(mean, (n, 1)), stream(1).rows(n))
    found = by_block(unit, mean)
    expected = found.max(axis=2) if choice == "max" else found.mean(axis=2)
    np.testing.assert_allclose(unit.pool(mean), expected)
    assert_means(seen, expected[0])
    # What is drawn given what is seen.
    own, pooled = np.array([-1.0, 0.5]), RNG.random((1, unit.n_pooled)).round()
    x = unit.unpool(np.tile(pooled, (n, 1)), own, stream(2).rows(n))
    assert_means(x, unit.spread(pooled, own)[0])
    parts = by_block(unit, x)
    rate = np.tile(expit(own), 4)
    both = (2 * pooled[0] * rate + 4 * rate**2) / 6
    assert_means(parts[:, :, 0] * parts[:, :, 1], both)


def test_features_move_with_the_image():
    dbn = ConvDBN(
        (2, 3),
        filters=Filters(shape=(3, 2), pool_shape=(2, 1)),
        n_iter=0,
        image_shape=(14, 14),
    ).fit(RNG.random((20, 196)))
    for machine in dbn.layers_:
        machine.components_ = RNG.normal(size=machine.components_.shape)
    dbn._forget()
    vars(dbn).update(attributes_of(dbn.layers_))
    image, moved = np.zeros((2, 14, 14))
    image[4:7, 4:8] = RNG.random((3, 4))
    moved[6:9, 6:10] = image[4:7, 4:8]
    for part in dbn.transform_maps([image.ravel(), moved.ravel()]):
        here, there = part
        np.testing.assert_allclose(there[1:, 1:], here[:-1, :-1], rtol=1e-6)


def test_it_learns_and_continues():
    X = (load_digits().data[:300] / 16).astype(np.float32)
    given = {"filter_shape": (3, 2), "pool_shape": 2, "n_iter": 3}
    dbn = grouped(ConvDBN, (8, 12), **given, random_state=0).fit(X)
    assert all(curve[-1] < curve[0] for curve in dbn.loss_curves_)
    assert dbn.layers_[1].image_shape_ == (3, 3, 8)
    before = dbn.layers_[1].components_
    dbn.partial_fit(X, layer=1)
    assert dbn.n_iter_ == 7
    assert dbn.layers_[1].components_ is not before
    rows = sp.csr_array((X > 0.5).astype(np.float32))
    np.testing.assert_array_equal(dbn.transform(rows), dbn.transform(rows.toarray()))
    with pytest.raises(ValueError, match="Layer 1 is to have 13 units"):
        dbn.set_params(conv_layer_sizes=(8, 13)).partial_fit(X)


def test_layers_given_see_the_maps_below():
    X = load_digits().data[:60] / 16
    layers = [
        ("strokes", ConvRBM(5, filters=Filters(shape=3, pool_shape=2), n_iter=1)),
        (
            "parts",
            ConvRBM(
                6,
                filters=Filters(shape=2, pool_shape=2),
                n_iter=1,
                penalty=Penalty(alpha=0.1),
            ),
        ),
        ("whole", BernoulliRBM(7, n_iter=1)),
    ]
    dbn = ConvDBN(layers=layers, random_state=0).fit(X)
    assert layers[1][1].image_shape is None
    assert [part.shape[1] for part in dbn.transform_layers(X)] == [45, 6, 7]
    dbn.set_params(parts__n_components=4, feature_layer=1).fit(X)
    assert dbn.transform(X).shape == (60, 4)
    same = ConvDBN(layers=layers[:1], random_state=0).fit(X)
    assert same.density_kind_ == "estimate"
    np.testing.assert_array_equal(same.transform(X), same.layers_[0].transform(X))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"filter_shape": 9}, "layer 0: A filter of shape"),
        ({"filter_shape": 5}, "layer 1: A filter of shape"),
        (
            {"filter_shape": (3, 2), "pool_shape": (2, 3)},
            "layer 1: filters__pool_shape=3",
        ),
        ({"filter_shape": (3, 3, 3)}, "filters__shape must be one value, or a tuple"),
        ({"stride": (1, 0)}, "layer 1: The 'stride' parameter of Filters of ConvRBM"),
        (
            {"filter_shape": (3, "a")},
            "layer 1: The 'shape' parameter of Filters of ConvRBM",
        ),
        ({"image_shape": (8, 9)}, "layer 0: image_shape=.*64"),
        ({"conv_layer_sizes": ()}, "at least one layer of maps"),
        ({"conv_layer_sizes": (3, 0)}, "conv_layer_sizes must be whole numbers"),
        ({"hidden_layer_sizes": (3, -1)}, "hidden_layer_sizes must be whole numbers"),
        ({"n_iter": (1, 2, 3)}, "n_iter must be one value, or a tuple"),
        ({"layers": [("a", BernoulliRBM())]}, "at the bottom, must be a ConvRBM"),
        (
            {"layers": [("a", ConvRBM()), ("b", BernoulliRBM()), ("c", ConvRBM())]},
            "above a layer without maps, must be a BernoulliRBM",
        ),
        ({"layers": [("a", ConvRBM(features="detection"))]}, "features='pooled'"),
        (
            {"layers": [("a", ConvRBM()), ("b", ConvRBM(column_types="gaussian"))]},
            "column_types='bernoulli'",
        ),
        (
            {"layers": [("a", ConvRBM()), ("b", ConvRBM(image_shape=(3, 3)))]},
            r"layer 1: image_shape=\(3, 3\), but the layer below",
        ),
    ],
)
def test_options_that_do_not_fit(options, message):
    X = load_digits().data[:20] / 16
    dbn = ConvDBN((3, 4), n_iter=0, random_state=0).fit(X)
    before = dbn.layers_
    with pytest.raises(ValueError, match=message):
        assign(dbn, **options).fit(X)
    assert dbn.layers_ is before
