"""Diffusions of images, by convolutions."""

import numpy as np
import pytest
from scipy.special import expit
from sklearn.base import clone

import skdgm
from skdgm import Diffusion
from skdgm.diffusion._field import N_TIMES
from skdgm.nets import vjp
from skdgm.nets.images.unet import unet
from skdgm.utils.tree import leaves
from tests.options import grouped

RNG = np.random.default_rng(0)
# Images of 3 x 4 pixels: a bright spot in one half or the other, and noise.
SIDE = RNG.integers(0, 2, 120)
GRAY = 0.3 * RNG.normal(size=(120, 3, 4))
GRAY[SIDE == 1, :, :2] += 1
GRAY[SIDE == 0, :, 2:] += 1
GRAY = GRAY.reshape(120, 12)
BITS = (GRAY > 0.5).astype(float)
TINY = {
    **{"architecture": "conv", "conv_layer_sizes": (3, 4), "image_shape": (3, 4)},
    **{"hidden_layer_sizes": (5,), "n_iter": 3, "batch_size": 30, "n_steps": 3},
    **{"n_draws": 2, "n_resamplings": 1, "random_state": 0},
}


def _net(hidden=(5,), activation="tanh"):
    net = unet((3, 4, 2), 3, (2, 4, 3), hidden, activation, 2)
    n, params, statistics = net.init(RNG, 24 + 3, np.float64)
    assert n == 24
    for leaf in leaves(params):
        leaf += 0.1 * RNG.normal(size=leaf.shape)
    return net, params, statistics


@pytest.mark.parametrize("hidden", [(), (5,)])
def test_gradients_and_tangents_are_those_of_differences(hidden):
    net, params, statistics = _net(hidden)
    x, dx, vector = (RNG.normal(size=(3, m)) for m in (27, 27, 24))

    def of(params, x=x):
        return net.apply(params, statistics, x)[0]

    _, grads = vjp(of, params, lambda _: vector)
    step = 1e-6
    for leaf, grad in zip(leaves(params), leaves(grads), strict=True):
        way = RNG.normal(size=leaf.shape)
        values = []
        for sign in (1, -1, 0):
            leaf += sign * step * way
            values.append((of(params) * vector).sum())
            leaf -= sign * step * way
        slope = (values[0] - values[1]) / (2 * step)
        np.testing.assert_allclose((grad * way).sum(), slope, rtol=1e-5, atol=1e-7)
    out, turned = net.tangent(params, statistics, x, dx)
    np.testing.assert_allclose(out, of(params))
    slope = (of(params, x + step * dx) - of(params, x - step * dx)) / (2 * step)
    np.testing.assert_allclose(turned, slope, rtol=1e-5, atol=1e-8)


def _matrix(W, shape, stride):
    """Matrix of a convolution by filters of 3 x 3, entry by entry."""
    height, width, maps = shape
    high, wide = -(-height // stride), -(-width // stride)
    top, left = (
        max(0, (n - 1) * stride + 3 - side) // 2
        for n, side in ((high, height), (wide, width))
    )
    found = np.zeros((height, width, maps, high, wide, W.shape[1]))
    for i, j in np.ndindex(high, wide):
        for a, b in np.ndindex(3, 3):
            row, column = i * stride + a - top, j * stride + b - left
            if 0 <= row < height and 0 <= column < width:
                own = W.reshape(3, 3, maps, -1)[a, b]
                found[row, column, :, i, j] = own
    return found.reshape(height * width * maps, -1)


def test_a_net_of_images_is_a_dense_one_with_shared_weights():
    net, params, statistics = _net(activation="tanh")
    x = RNG.normal(size=(3, 27))
    h, s = x[:, :24], x[:, 24:]
    down, (first, second), up, last = params
    shapes = [(3, 4, 2), (3, 4, 2), (2, 2, 4), (1, 1, 3)]

    def whole(conv, side, h, shape, stride):
        z = h @ _matrix(conv.W, shape, stride)
        one = conv.b + s @ side.W + side.b
        return np.tanh(z + np.tile(one, z.shape[1] // one.shape[1]))

    levels = []
    for k, (conv, side) in enumerate(down):
        h = whole(conv, side, h, shapes[k], 2 if k else 1)
        levels.append(h)
    hidden = np.tanh(np.concatenate([h, s], axis=1) @ first.W + first.b)
    h = h + hidden @ second.W + second.b
    for k, (back, conv, side) in zip((1, 0), up):
        large = h @ _matrix(back.W, shapes[k + 1], 2).T
        h = levels[k] + large + np.tile(back.b, large.shape[1] // len(back.b))
        h = whole(conv, side, h, shapes[k + 1], 1)
    h = h @ _matrix(last.W, shapes[1], 1) + np.tile(last.b, 12)
    found = net.apply(params, statistics, x)[0]
    np.testing.assert_allclose(found, h, rtol=1e-10, atol=1e-12)


@pytest.fixture(scope="module")
def model():
    return grouped(Diffusion, **TINY).fit(GRAY)


def test_the_net_sees_pixels(model):
    density = model.density_
    field = density.field(np.float64)
    (axes,) = field.statistics
    np.testing.assert_allclose(axes @ axes.T, np.eye(12), atol=1e-12)
    time, v = 0.4, GRAY[:5] / model._columns.scale
    angles = field.at(v, time)
    y = angles.cos * density.whitening.components(v)
    # Without noise, inputs are proportional to pixels less their means.
    pixels = (y * angles.view) @ axes.T
    centered = (v - density.whitening.backward.b) / density.whitening.noise
    ratio = pixels / centered
    np.testing.assert_allclose(ratio, ratio[0, 0])
    body = unet((3, 4, 1), N_TIMES, (3, 4), (5,), "relu", 1)
    waves = np.pi * np.arange(1, 9) * time
    waves = np.tile(np.concatenate([np.sin(waves), np.cos(waves)]), (5, 1))
    given = np.concatenate([pixels, waves], axis=1)
    expected = body.apply(field.params, (), given)[0] @ axes
    np.testing.assert_allclose(field.out(y, time), expected)


def test_training_begins_at_a_normal_distribution():
    dense = Diffusion((5,), column_types="gaussian", n_iter=0, random_state=0).fit(GRAY)
    conv = grouped(Diffusion, **TINY | {"n_iter": 0}).fit(GRAY)
    for found in (dense, conv):
        found.set_params(n_steps=3)
    found, expected = (own.score_samples(GRAY) for own in (conv, dense))
    np.testing.assert_allclose(found, expected)


def test_divergences_are_those_of_differences(model):
    field, step, time = model.density_.field(np.float64), 1e-6, 0.4
    y = RNG.normal(size=(4, 12))
    v, found = field.divergence(y, time)
    np.testing.assert_allclose(v, field.velocity(y, time))
    rate, expected = field.at(y, time).rate, 0.0
    for j in range(12):
        moves = np.eye(12)[j] * step
        high, low = (field.velocity(y + s * moves, time)[:, j] for s in (1, -1))
        expected = expected + rate[:, j] * (high - low) / (2 * step)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_all_methods(model, tmp_path):
    holes = GRAY[:4].copy()
    holes[:2, :3] = np.nan
    assert np.isfinite(model.score_samples(holes)).all()
    filled = model.impute(holes)
    assert np.isfinite(filled).all()
    np.testing.assert_array_equal(filled[2:], GRAY[2:4])
    codes = model.set_params(n_steps=20).transform(GRAY[:4])
    np.testing.assert_allclose(model.inverse_transform(codes), GRAY[:4], atol=0.05)
    model.set_params(n_steps=3)
    drawn = model.sample(5, random_state=0, conditions={0: 0.5, 3: slice(0, None)})
    assert (drawn[:, 0] == 0.5).all()
    assert (drawn[:, 3] >= 0).all()
    slope = model.log_density_gradient(GRAY[:3], noise=0.5)
    assert np.isfinite(slope).all()
    skdgm.save(model, tmp_path / "model")
    again = skdgm.load(tmp_path / "model")
    np.testing.assert_array_equal(again.score_samples(GRAY), model.score_samples(GRAY))
    bound = model.set_params(likelihood="bound").score_samples(GRAY[:20])
    assert model.density_kind_ == "lower bound"
    model.set_params(likelihood="flow")
    assert abs(bound.mean() - model.score_samples(GRAY[:20]).mean()) < 5


@pytest.mark.exhaustive
def test_classes_weights_and_types():
    options = TINY | {"class_conditional": True, "guidance": 1.0, "n_iter": 40}
    options |= {"learning_rate": 0.01, "early_stopping": False}
    model = grouped(Diffusion, **options).fit(GRAY.astype(np.float32), SIDE)
    assert model.coefs_[0].dtype == np.float32
    drawn = [model.sample(40, random_state=0, y=side).mean(axis=0) for side in (0, 1)]
    gap = (drawn[1] - drawn[0]).reshape(3, 4).mean(axis=0)
    assert (gap[:2] > 0.3).all()
    assert (gap[2:] < -0.3).all()
    one = grouped(Diffusion, **TINY).fit(GRAY, sample_weight=np.where(SIDE, 2, 1))
    twice = clone(one).fit(np.concatenate([GRAY, GRAY[SIDE == 1]]))
    np.testing.assert_allclose(one.score_samples(GRAY), twice.score_samples(GRAY))


@pytest.mark.exhaustive
@pytest.mark.parametrize("bits", ["masks", "flips"])
def test_bits(bits):
    options = TINY | {"n_iter": 30, "learning_rate": 0.01, "early_stopping": False}
    own = {"column_types": "bernoulli", "bits": bits, "n_steps": 12, "n_draws": 12}
    model = grouped(Diffusion, **options | own).fit(BITS)
    assert model.density_kind_ == "lower bound"
    p = BITS.mean(axis=0)
    independent = (BITS * np.log(p) + (1 - BITS) * np.log1p(-p)).sum(axis=1).mean()
    assert model.score(BITS) > independent + 0.5
    holes = BITS[:6].copy()
    holes[:, 5] = np.nan
    assert np.isin(model.impute(holes, method="sample", random_state=0), [0, 1]).all()
    assert set(np.unique(model.sample(20, random_state=0))) == {0, 1}


def test_bits_begin_at_the_frequency_of_all():
    own = {"column_types": "bernoulli", "n_iter": 0, "n_draws": 12}
    model = grouped(Diffusion, **TINY | own).fit(BITS)
    (b,) = model.intercepts_[-1]
    assert abs(expit(b) - BITS.mean()) < 0.02


def test_codes_of_as_many_categories():
    codes = np.floor(2.99 * expit(2 * GRAY))
    codes[:3] = np.arange(3)[:, None]
    model = grouped(Diffusion, **TINY, column_types="categorical").fit(codes)
    assert np.isin(model.sample(5, random_state=0), [0, 1, 2]).all()
    with pytest.raises(ValueError, match="pixels of one kind"):
        model.fit(np.where(np.arange(12) < 3, np.minimum(codes, 1), codes))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_shape": None}, "is no square number"),
        ({"image_shape": (5, 2)}, "image_shape=.* must be"),
        ({"conv_layer_sizes": ()}, "architecture__layer_sizes must have a number"),
        ({"conv_layer_sizes": (0,)}, "architecture__layer_sizes"),
        ({"n_frequencies": 2}, "n_frequencies is for"),
        ({"column_types": ("gaussian",) * 11 + ("bernoulli",)}, "pixels of one"),
    ],
)
def test_refusals(options, message):
    with pytest.raises(ValueError, match=message):
        grouped(Diffusion, **TINY | options).fit(
            np.where(np.arange(12) < 11, GRAY, BITS)
        )
