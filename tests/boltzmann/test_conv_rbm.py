"""Convolutional machines: every state of small images is listed."""

from itertools import product

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.special import logsumexp
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdgm import ConvRBM
from skdgm.boltzmann.structure.convolved import geometry_of
from skdgm.couplings import Dense
from skdgm.distributions import Bernoulli, Pooled
from skdgm.energies import Energy, Params, contrast
from skdgm.options import Filters, Penalty
from skdgm.partition import exact
from skdgm.samplers import Gibbs
from skdgm.utils.random import stream
from tests.numerical import assert_means, numerical_gradient
from tests.options import asked_value, assign, grouped

RNG = np.random.default_rng(0)
SMALL = [
    {"filter_shape": 2, "pool_shape": 2, "image_shape": (3, 3), "n_components": 2},
    {"filter_shape": 2, "pool_shape": 1, "image_shape": (3, 3), "n_components": 2},
    {"filter_shape": (2, 3), "pool_shape": (1, 2), "image_shape": (2, 4)},
    {"filter_shape": 3, "pool_shape": (2, 1), "image_shape": (4, 4)},
    {"filter_shape": 2, "pool_shape": 2, "image_shape": (2, 2, 2), "padding": "same"},
    {"filter_shape": 3, "pool_shape": 2, "image_shape": (1, 6)},
    {"filter_shape": 2, "pool_shape": (1, 2), "image_shape": (3, 4), "stride": (1, 2)},
    {"filter_shape": 3, "image_shape": (3, 4), "stride": 2, "padding": "same"},
    {"filter_shape": 3, "pool_shape": 2, "image_shape": (1, 9), "stride": 2},
]


@pytest.mark.release
def test_scaled_features_of_digits_are_better_than_pixels():
    # Scaled as the guide says: most of them are near 0, where penalties hold them.
    X, y = load_digits(return_X_y=True)
    train, test = slice(1200), slice(1200, None)
    plain = LogisticRegression(max_iter=1000)
    parts = ConvRBM(n_iter=10, random_state=0), StandardScaler(), clone(plain)
    of_pixels = plain.fit(X[train] / 16, y[train]).score(X[test] / 16, y[test])
    model = make_pipeline(*parts).fit(X[train] / 16, y[train])
    assert model.score(X[test] / 16, y[test]) > of_pixels + 0.01


def fitted(scale=1.0, **options):
    """A machine of known parameters."""
    model = grouped(ConvRBM, n_iter=0, random_state=0, **{"n_components": 2, **options})
    size, rng = int(np.prod(options["image_shape"])), np.random.default_rng(3)
    model.fit(rng.random((20, size)).round())
    model.components_ = rng.normal(0, scale, model.components_.shape)
    model.intercept_visible_ = rng.normal(size=size)
    model.intercept_hidden_ = rng.normal(size=model.components_.shape[0]) - 0.5
    return model


def states(model):
    """All images, and all states of the maps of which no block has two units on."""
    v = np.array(list(product([0.0, 1.0], repeat=model.n_features_in_)))
    high, wide = model.map_shape_
    rows, columns = model.pool_shape_
    n = high * wide * len(model.components_)
    h = np.array(list(product([0.0, 1.0], repeat=n)))
    images = h.reshape(len(h), high // rows, rows, wide // columns, columns, -1)
    return v, h[(images.sum(axis=(2, 4)) <= 1).all(axis=(1, 2, 3))]


def log_weights(model, v, h):
    """-E of each pair, with the correlation written out."""
    height, width, channels = model.image_shape_
    (high, wide), (rows, columns) = model.map_shape_, model.filter_shape_
    (down, right), above, left = model.stride_, 0, 0
    if asked_value(model, "padding") == "same":
        above = max(0, (high - 1) * down + rows - height) // 2
        left = max(0, (wide - 1) * right + columns - width) // 2
    images = v.reshape(len(v), height, width, channels)
    W = model.components_.reshape(-1, rows, columns, channels)
    eta = np.zeros((len(v), high, wide, len(W)))
    for i, j, a, b in product(*map(range, (high, wide, rows, columns))):
        y, x = down * i + a - above, right * j + b - left
        if 0 <= y < height and 0 <= x < width:
            eta[:, i, j] += images[:, y, x] @ W[:, a, b].T
    eta = (eta + model.intercept_hidden_).reshape(len(v), -1)
    return (v @ model.intercept_visible_)[:, None] + eta @ h.T


@pytest.mark.exhaustive(
    default=[
        "{'filter_shape': 3, 'pool_shape': 2, 'image_shape': (1, 6)}",
        "{'filter_shape': (2, 3), 'pool_shape': (1, 2), 'image_shape': (2, 4)}",
        "{'filter_shape': 3, 'pool_shape': 2, 'image_shape': (1, 9), 'stride': 2}",
    ]
)
@pytest.mark.parametrize("options", SMALL, ids=str)
def test_everything_is_that_of_all_states(options):
    model = fitted(**options)
    v, h = states(model)
    log_w = log_weights(model, v, h)
    log_Z = logsumexp(log_w)
    assert model.density_kind_ == "exact"
    assert model.log_Z_ == pytest.approx(log_Z)
    np.testing.assert_allclose(-model.free_energy(v), logsumexp(log_w, axis=1))
    np.testing.assert_allclose(
        model.score_samples(v), logsumexp(log_w, axis=1) - log_Z, atol=1e-10
    )
    posterior = np.exp(log_w - logsumexp(log_w, axis=1, keepdims=True))
    means = posterior @ h
    other = fitted(features="detection", **options)
    np.testing.assert_allclose(other.transform(v), means, atol=1e-10)
    likelihood = np.exp(log_w - logsumexp(log_w, axis=0))
    np.testing.assert_allclose(other.inverse_transform(h), likelihood.T @ v, atol=1e-10)
    rows, columns = model.pool_shape_
    high, wide = model.map_shape_
    shape = len(h), high // rows, rows, wide // columns, columns, -1
    pooled = h.reshape(shape).max(axis=(2, 4)).reshape(len(h), -1)
    np.testing.assert_allclose(model.transform(v), posterior @ pooled, atol=1e-10)
    assert model.inverse_transform(model.transform(v)).shape == v.shape
    # Missing pixels are summed out.
    holes = v[:: max(7, len(v) // 100)].copy()
    holes[:, 1::3] = np.nan
    marginal = [
        logsumexp(log_w[(np.isnan(row) | (v == row)).all(axis=1)]) for row in holes
    ]
    np.testing.assert_allclose(model.score_samples(holes), marginal - log_Z, atol=1e-9)
    # Each pixel given all others.
    log_p = logsumexp(log_w, axis=1)
    code = (v @ 2 ** np.arange(v.shape[1])[::-1]).astype(int)
    flipped = code[:, None] ^ 2 ** np.arange(v.shape[1])[::-1]
    expected = (log_p[:, None] - np.logaddexp(log_p[:, None], log_p[flipped])).sum(1)
    np.testing.assert_allclose(model.pseudo_likelihood(v), expected, atol=1e-9)


def test_samples_have_the_moments():
    model = fitted(0.7, **SMALL[0])
    v, h = states(model)
    p = np.exp(log_weights(model, v, h) - model.log_Z_)
    # Chains start from one state, far from equilibrium.
    x = model.sample(6000, random_state=0, init=np.ones((1, 9)), n_steps=60)
    assert_means(x, p.sum(axis=1) @ v)
    pairs = x[:, :4] * x[:, 4:8]
    assert_means(pairs, p.sum(axis=1) @ (v[:, :4] * v[:, 4:8]))
    energy, params = model.density_.energy, model.density_.params
    start = Gibbs(energy).init(stream(0).rows(6000), params.units)
    state, _ = Gibbs(energy).step(stream(1).rows(6000), params, start, 60)
    assert_means(state.x[1], p.sum(axis=0) @ h)


def test_the_gradient_is_that_of_the_free_energy():
    model = fitted(**SMALL[3])
    energy, params = model.density_.energy, model.density_.params
    v = RNG.random((5, 16)).round()
    numeric = numerical_gradient(
        lambda params: energy.log_marginal(params, (v, None)).mean(), params
    )
    unit = energy.units[1]
    h = unit.mean(energy.field(params, 1, energy.received(params, (v, None), 1)))
    grad = contrast(energy, params, (v, h), (0 * v, 0 * h))
    np.testing.assert_allclose(
        np.asarray(grad.couplings[0]), numeric.couplings[0], atol=1e-8
    )
    for found, expected in zip(grad.units, numeric.units):
        np.testing.assert_allclose(found, expected, atol=1e-8)


def test_it_is_the_dense_machine_of_the_unrolled_filters():
    model = fitted(**SMALL[1])
    conv, params = model.density_.energy, model.density_.params
    M = conv.couplings[0].matrix(params.couplings[0])
    c = np.tile(params.units[1], 4)
    dense = Energy([Bernoulli(9), Bernoulli(8)], [(0, 1, 0)], [Dense(9, 8)])
    other = Params((params.units[0], c), (M,))
    assert model.log_Z_ == pytest.approx(exact.log_partition(dense, other))
    v = RNG.random((6, 9)).round()
    np.testing.assert_allclose(
        -model.free_energy(v), dense.log_marginal(other, (v, None))
    )


def test_features_move_with_the_image():
    model = ConvRBM(
        3, filters=Filters(shape=3, pool_shape=2), image_shape=(10, 10), n_iter=0
    )
    model.fit(RNG.random((20, 100)))
    model.components_ = RNG.normal(size=(3, 9))
    image, moved = np.zeros((2, 10, 10))
    image[2:5, 2:6] = RNG.random((3, 4))
    moved[4:7, 4:8] = image[2:5, 2:6]
    here, there = model.transform([image.ravel(), moved.ravel()]).reshape(2, 4, 4, 3)
    np.testing.assert_allclose(there[1:, 1:], here[:-1, :-1], rtol=1e-6)


@pytest.mark.release
@pytest.mark.parametrize("column_types", ["bernoulli", "gaussian"])
def test_it_learns_bars(column_types):
    rng, X = np.random.default_rng(0), np.zeros((200, 8, 8), np.float32)
    for image in X:
        i, j = rng.integers(0, 6, 2)
        if rng.random() < 0.5:
            image[i : i + 3, j] = 1
        else:
            image[i, j : j + 3] = 1
    X = X.reshape(200, 64)
    if column_types == "gaussian":
        X = X + rng.normal(0, 0.1, X.shape).astype(np.float32)
    model = ConvRBM(
        4, filters=Filters(shape=3), column_types=column_types, random_state=0
    )
    model.set_params(n_iter=15).fit(X)
    assert model.loss_curve_[-1] < model.loss_curve_[0] - 1
    part, holes = X[:60], X[:60].copy()
    holes[:, 20:28] = np.nan
    filled = model.impute(holes)
    np.testing.assert_array_equal(filled[:, :20], part[:, :20])
    blank = np.where(np.isnan(holes), X.mean(axis=0), holes)
    assert ((filled - part) ** 2).mean() < ((blank - part) ** 2).mean()
    # Other pixels of each image.
    some = np.where(rng.random(X.shape) < 0.2, np.nan, X)
    again = clone(model).set_params(n_iter=3).fit(some)
    assert np.isfinite(again.components_).all()
    assert again.loss_curve_[-1] < again.loss_curve_[0]


def test_gaussian_densities_integrate_to_one():
    X = RNG.normal(size=(200, 4))
    model = ConvRBM(
        2, filters=Filters(shape=2), column_types="gaussian", image_shape=(2, 2)
    )
    assign(model, n_iter=3, padding="same", pool_shape=2, random_state=0).fit(X)
    assert model.density_kind_ == "exact"
    p = model.precision_
    assert np.ptp(p * model.scale_**2) < 1e-6
    spread = 2 * model.scale_
    draws = model.mean_ + spread * np.random.default_rng(1).normal(size=(20000, 4))
    log_q = -0.5 * (((draws - model.mean_) / spread) ** 2).sum(axis=1)
    log_q -= np.log(spread).sum() + 2 * np.log(2 * np.pi)
    ratio = np.exp(model.score_samples(draws) - log_q)
    assert_means(ratio[:, None], [1.0])


def test_sparsity_lowers_activity():
    X = load_digits().data[:500] / 16
    given = {"n_iter": 5, "features": "detection", "random_state": 0}
    loose = grouped(ConvRBM, 8, **given).fit(X).transform(X).mean()
    tight = grouped(
        ConvRBM, 8, penalty=Penalty(sparsity_target=0.005, sparsity_cost=1.0), **given
    ).fit(X)
    assert tight.transform(X).mean() < loose


def test_csr_and_shapes():
    X = (load_digits().data[:200] > 7).astype(np.float32)
    given = {"filter_shape": 5, "pool_shape": 2, "n_iter": 2, "random_state": 0}
    model = grouped(ConvRBM, 4, **given).fit(sp.csr_array(X))
    np.testing.assert_array_equal(
        model.components_, grouped(ConvRBM, 4, **given).fit(X).components_
    )
    np.testing.assert_array_equal(model.transform(sp.csr_array(X)), model.transform(X))
    assert model.image_shape_ == (8, 8, 1)
    assert (model.filter_shape_, model.map_shape_) == ((5, 5), (4, 4))
    assert (model.pool_shape_, model.stride_) == ((2, 2), (1, 1))
    assert len(model.get_feature_names_out()) == 16
    model = ConvRBM(4, filters=Filters(shape=5), features="detection", n_iter=0).fit(X)
    assert len(model.get_feature_names_out()) == 64
    line = ConvRBM(3, n_iter=0).fit(RNG.random((9, 10)))
    assert line.image_shape_ == (1, 10, 1)
    assert line.filter_shape_ == (1, 4)
    assert ConvRBM(3, n_iter=0).fit(RNG.random((9, 1))).filter_shape_ == (1, 1)


@pytest.mark.parametrize(
    ("side", "stride", "filters", "positions", "pool"),
    [
        (8, 1, 4, 5, 1),
        (12, 1, 5, 8, 2),
        (15, 1, 6, 10, 2),
        (28, 1, 9, 20, 2),
        (28, 2, 9, 10, 2),
        (60, 2, 17, 22, 2),
    ],
)
def test_default_shapes(side, stride, filters, positions, pool):
    options = ConvRBM(filters=Filters(stride=stride, shape=None))
    found = geometry_of(options._options, side**2)
    assert found.shapes == {
        "image_shape_": (side, side, 1),
        "filter_shape_": (filters, filters),
        "stride_": (stride, stride),
        "pool_shape_": (pool, pool),
        "map_shape_": (positions, positions),
    }
    line = geometry_of(options.set_params(image_shape=(1, side))._options, side)
    assert line.shapes["stride_"] == (1, stride)
    assert line.shapes["map_shape_"] == (1, positions)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"filter_shape": 9}, "larger than images"),
        ({"filter_shape": (3, 9)}, "larger than images"),
        ({"filter_shape": 5, "pool_shape": 3}, "does not divide the 4 x 4"),
        ({"pool_shape": (2, 0)}, "filters__pool_shape of ConvRBM must be a positive"),
        ({"filter_shape": (2, 2, 2)}, "filters__shape of ConvRBM must be a positive"),
        ({"stride": (1, 0)}, "filters__stride of ConvRBM must be a positive"),
        ({"image_shape": (8, 9)}, "image_shape=.*64"),
        ({"image_shape": (64,)}, "image_shape"),
    ],
)
def test_shapes_that_do_not_fit(options, message):
    X = load_digits().data[:20] / 16
    model = ConvRBM(3, n_iter=0, random_state=0).fit(X)
    before = model.components_
    with pytest.raises(ValueError, match=message):
        assign(model, **options).fit(X)
    assert model.components_ is before


def test_what_was_learned_keeps_its_shape():
    X = load_digits().data[:50] / 16
    model = ConvRBM(3, n_iter=1, random_state=0).fit(X)
    with pytest.raises(ValueError, match=r"^filters__shape changed .*=\(4, 4\)"):
        assign(model, filter_shape=3).partial_fit(X)
    assign(model, filter_shape=None, n_components=4)
    with pytest.raises(ValueError, match="n_components changed"):
        model.partial_fit(X)


def test_annealing_agrees_with_enumeration():
    model = fitted(0.7, **SMALL[3])
    true = model.log_Z_
    found = model.density_.bracket(max_bits=1, compare=False)
    assert abs(found.log_Z - true) < 5 * found.se + 0.02
    assert isinstance(model.density_.energy.units[1], Pooled)


@pytest.mark.exhaustive
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_biases_may_start_at_zero(solver):
    X = load_digits().data[:600] / 16
    rate = {"sgd": 0.3, "adam": 0.03}[solver]
    given = {"solver": solver, "learning_rate": rate, "momentum": 0.5, "n_iter": 10}
    given |= {"init_biases": "zeros", "random_state": 0}
    model = grouped(ConvRBM, 4, **given).fit(X)
    draws = model.sample(500, random_state=0)
    assert abs(draws.mean(axis=0) - X.mean(axis=0)).max() < 0.25


@pytest.mark.exhaustive
def test_motifs_of_signals_become_filters():
    rng = np.random.default_rng(0)
    t = np.arange(9)
    motifs = np.array([np.exp(-((t - 4) ** 2) / 3) - 0.2, np.sin(2 * np.pi * t / 4.5)])
    motifs *= 4 / np.linalg.norm(motifs, axis=1, keepdims=True)
    X = rng.normal(0, 0.5, (1000, 40))
    for row in X:
        for start in rng.integers(11, size=2) + (0, 20):
            row[start : start + 9] += motifs[rng.integers(2)]
    shapes = {"image_shape": (1, 40), "filter_shape": (1, 9), "pool_shape": (1, 8)}
    rbm = grouped(
        ConvRBM, 2, **shapes, column_types="gaussian", n_iter=10, random_state=0
    )
    norms = np.linalg.norm(filters := rbm.fit(X).components_, axis=1)
    likeness = [
        [np.correlate(np.pad(f, 4), motif, "full").max() / 4 for f in filters]
        for motif in motifs
    ] / norms
    assert set(likeness.argmax(axis=1)) == {0, 1}
    assert likeness.max(axis=1).min() > 0.95, likeness
