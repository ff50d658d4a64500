"""Convolutional machines whose pixels are categories: all states are listed."""

from itertools import product

import numpy as np
import pytest
from scipy.special import logsumexp
from sklearn.datasets import load_digits

from skdgm import ConvDBN, ConvRBM
from skdgm.energies import contrast
from skdgm.options import Columns
from skdgm.partition import exact
from tests.boltzmann.test_conv_rbm import states
from tests.numerical import assert_means, numerical_gradient
from tests.options import asked_value, assign, grouped

RNG = np.random.default_rng(0)
SMALL = [
    {"filter_shape": 2, "image_shape": (2, 3), "pool_shape": (1, 2)},
    {"filter_shape": (1, 2), "image_shape": (1, 3, 2), "padding": "same"},
    {"filter_shape": 1, "image_shape": (2, 2), "stride": (1, 2), "pooling": "max"},
]
X = np.digitize(load_digits().data, [1, 6, 12]).astype(float)
CODES = {"column_types": "categorical", "random_state": 0}


def fitted(**options):
    """A machine of known parameters, and three categories."""
    model = grouped(ConvRBM, 2, n_iter=0, **CODES, **options)
    n = int(np.prod(options["image_shape"]))
    rows = np.vstack([np.full(n, 2), RNG.integers(0, 2, (9, n))])
    model.fit(rows.astype(float))
    rng = np.random.default_rng(3)
    model.components_ = rng.normal(size=model.components_.shape)
    model.intercept_visible_ = rng.normal(size=3 * n)
    model.intercept_hidden_ = rng.normal(size=2) - 0.5
    return model


class Listed:
    """All images and maps, with the correlation written out."""

    def __init__(self, model):
        height, width, channels = model.image_shape_
        self.v = np.array(list(product(range(3), repeat=height * width * channels)))
        self.hot = np.eye(3)[self.v].reshape(len(self.v), -1)
        binary, (high, wide) = ConvRBM(2), model.map_shape_
        # The maps of a machine of one bit have the same states.
        binary.n_features_in_ = 1
        binary.map_shape_, binary.pool_shape_ = model.map_shape_, model.pool_shape_
        binary.components_ = model.components_
        if asked_value(model, "pooling") != "probabilistic":
            binary.pool_shape_ = 1, 1
        self.h = states(binary)[1]
        (rows, columns), (down, right) = model.filter_shape_, model.stride_
        top = left = 0
        if asked_value(model, "padding") == "same":
            top = max(0, (high - 1) * down + rows - height) // 2
            left = max(0, (wide - 1) * right + columns - width) // 2
        W = model.components_.reshape(2, rows, columns, channels, 3)
        eta = np.zeros((len(self.v), high, wide, 2)) + model.intercept_hidden_
        images = self.hot.reshape(-1, height, width, channels, 3)
        for i, j, a, b in product(*map(range, (high, wide, rows, columns))):
            y, x = down * i + a - top, right * j + b - left
            if 0 <= y < height and 0 <= x < width:
                eta[:, i, j] += np.einsum("nck,mck->nm", images[:, y, x], W[:, a, b])
        self.log_w = eta.reshape(len(eta), -1) @ self.h.T
        self.log_w += (self.hot @ model.intercept_visible_)[:, None]
        self.log_Z = logsumexp(self.log_w)
        self.log_p = logsumexp(self.log_w, axis=1) - self.log_Z


@pytest.mark.parametrize("options", SMALL, ids=str)
def test_everything_is_that_of_all_states(options):
    model = fitted(**options)
    listed, v = Listed(model), Listed(model).v
    assert model.log_Z_ == pytest.approx(listed.log_Z)
    assert model.density_kind_ == "exact"
    np.testing.assert_allclose(model.score_samples(v), listed.log_p, atol=1e-10)
    holes = v[::17].astype(float)
    holes[:, ::2] = np.nan
    agree = [(np.isnan(row) | (v == row)).all(axis=1) for row in holes]
    expected = [logsumexp(listed.log_p[some]) for some in agree]
    np.testing.assert_allclose(model.score_samples(holes), expected, atol=1e-10)
    other = fitted(features="detection", **options)
    posterior = np.exp(listed.log_w - logsumexp(listed.log_w, axis=1, keepdims=True))
    np.testing.assert_allclose(other.transform(v), posterior @ listed.h, atol=1e-10)
    # Each pixel given all others.
    total = 0
    for pixel in range(v.shape[1]):
        rest = np.delete(v, pixel, axis=1) @ 3 ** np.arange(v.shape[1] - 1)
        sums = np.zeros(rest.max() + 1)
        np.add.at(sums, rest, np.exp(listed.log_p))
        total = total + listed.log_p - np.log(sums[rest])
    np.testing.assert_allclose(model.pseudo_likelihood(v), total, atol=1e-9)


def test_samples_and_what_is_filled_in_have_the_moments():
    model = fitted(**SMALL[0])
    listed = Listed(model)
    drawn = model.sample(5000, random_state=0, init="noise", n_steps=60)
    p = np.exp(listed.log_p)
    for code in range(3):
        assert_means(drawn == code, p @ (listed.v == code))
    row = np.array([np.nan, 1, np.nan, 2, 0, np.nan])
    filled = model.impute(
        np.tile(row, (3000, 1)), method="sample", n_steps=40, random_state=0
    )
    agree = (np.isnan(row) | (listed.v == row)).all(axis=1)
    own = p[agree] / p[agree].sum()
    holes = np.isnan(row)
    for code in range(3):
        expected = own @ (listed.v[agree] == code)
        assert_means(filled[:, holes] == code, expected[holes])


def test_the_gradient_is_that_of_the_likelihood():
    model = fitted(**SMALL[0])
    energy, params = model.density_.pair(np.float64)
    rows = np.array(list(product(range(3), repeat=6)))[::7]
    hot = np.eye(3)[rows].reshape(len(rows), -1)
    listed = Listed(model)

    def likelihood(W):
        changed = params._replace(couplings=(W,))
        log_Z = exact.log_partition(energy, changed)
        return energy.log_marginal(changed, (hot, None)).mean() - log_Z

    p = np.exp(listed.log_w - listed.log_Z)
    data = np.exp(listed.log_w - logsumexp(listed.log_w, axis=1, keepdims=True))
    index = rows @ 3 ** np.arange(6)[::-1]
    # Means of all states weigh as often as there are states.
    means = data @ listed.h
    model_part = means * len(p) * p.sum(axis=1, keepdims=True)
    any_one = hot[:1], means[:1]
    grad, less = (
        np.asarray(contrast(energy, params, phase, any_one).couplings[0])
        for phase in ((hot, means[index]), (listed.hot, model_part))
    )
    found = numerical_gradient(likelihood, params.couplings[0])
    np.testing.assert_allclose(grad - less, found, atol=1e-6)


@pytest.mark.release
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"gradient": "cd", "solver": "sgd", "centering": "data"},
        {"gradient": "tempering", "n_temperatures": 3, "sparsity_target": 0.1},
        {
            "gradient": "fpcd",
            "early_stopping": True,
            "max_norm": 2.0,
            "alpha": 0.01,
            "l1_ratio": 1.0,
        },
        {"pooling": "mean", "filter_shape": 3, "pool_shape": 2, "centering": "moving"},
    ],
    ids=str,
)
def test_it_learns(options):
    model = assign(grouped(ConvRBM, 6, **CODES), n_iter=6, **options).fit(X[:400])
    assert model.loss_curve_[-1] < model.loss_curve_[0]
    assert set(np.unique(model.chains_)) <= {0, 1, 2, 3}
    holed = np.where(RNG.random((30, 64)) < 0.3, np.nan, X[400:430])
    filled = model.partial_fit(holed).impute(holed)
    known = ~np.isnan(holed)
    np.testing.assert_array_equal(filled[known], holed[known])
    assert (filled == X[400:430])[~known].mean() > 0.55
    back = model.inverse_transform(model.transform(X[:50]))
    assert (back == X[:50]).mean() > 0.5


@pytest.mark.exhaustive
def test_what_does_not_go_together():
    with pytest.raises(ValueError, match="visible_bias='channel' is for bits"):
        grouped(ConvRBM, 2, visible_bias="channel", **CODES).fit(X[:20])
    with pytest.raises(ValueError, match="column_types='bernoulli' or 'gaussian'"):
        ConvDBN(layers=[("a", grouped(ConvRBM, 2, **CODES))]).fit(X[:20])
    model = grouped(ConvRBM, 2, n_iter=1, **CODES).fit(X[:20])
    with pytest.raises(ValueError, match="column_types changed"):
        model.set_params(column_types="bernoulli").partial_fit(X[:20] / 3)
    with pytest.raises(ValueError, match="set column_types__min_categories"):
        model.set_params(column_types="categorical").partial_fit(X[:20] + 1)
    with pytest.raises(ValueError, match="visible_bias='channel'"):
        model.resized((10, 10))
    kinds = Columns("categorical", min_categories=6)
    more = ConvRBM(2, n_iter=1, column_types=kinds, random_state=0).fit(X[:20])
    assert len(more.intercept_visible_) == 6 * 64
    assert np.isfinite(more.partial_fit(X[:20] + 2).score_samples(X[:3] + 2)).all()
