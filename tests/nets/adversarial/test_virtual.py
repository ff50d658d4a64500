"""Virtual batch normalization, against its definition and finite differences."""

import numpy as np
import pytest

from skdgm import GAN
from skdgm.nets import layers
from skdgm.nets.adversarial import virtual
from skdgm.nets.images import maps
from skdgm.nets.normalization import EPSILON
from skdgm.nets.tape import vjp
from skdgm.utils.tree import copy, leaves

RNG = np.random.default_rng(0)
SHAPES = {"units": (1, 3), "maps": (4, 2)}


@pytest.fixture(params=SHAPES)
def given(request):
    """Rows, of which the first five are the reference, gains and shifts."""
    n_pixels, n_maps = SHAPES[request.param]
    gain, shift = RNG.normal(size=(2, n_maps))
    return RNG.normal(1, 2, size=(9, n_pixels * n_maps)), gain, shift


def test_a_row_is_standardized_with_the_reference_and_itself(given):
    x, gain, shift = given
    pixels = x.reshape(9, -1, len(gain))
    found = virtual.standardize_virtually(*given, 5).reshape(pixels.shape)
    for i, row in enumerate(found):
        # Reference rows by themselves alone.
        own = pixels[: 5 + (i >= 5)].copy()
        own[5:] = pixels[i]
        mean, variance = own.mean(axis=(0, 1)), own.var(axis=(0, 1))
        normal = (pixels[i] - mean) / np.sqrt(variance + EPSILON)
        np.testing.assert_allclose(row, normal * gain + shift)


def test_gradients(given):
    weight = RNG.normal(size=given[0].shape)
    _, grads = vjp(
        lambda p: virtual.standardize_virtually(*p, 5), given, lambda _: weight
    )
    for number, grad in enumerate(grads):
        way = RNG.normal(size=grad.shape)

        def moved(size, number=number, way=way):
            own = [a + size * way if n == number else a for n, a in enumerate(given)]
            return (virtual.standardize_virtually(*own, 5) * weight).sum()

        slope = (moved(1e-6) - moved(-1e-6)) / 2e-6
        np.testing.assert_allclose((grad * way).sum(), slope, rtol=1e-6)


def net(is_conv):
    if not is_conv:
        parts = layers.dense(6), virtual.virtual_norm(), layers.activation("tanh")
        return virtual.with_reference(layers.serial(*parts, layers.dense(2)))
    blocks = virtual.virtual_map_norm(), layers.activation("tanh"), maps.deconv(1)
    parts = layers.dense(2 * 2 * 3), maps.images((2, 2, 3), *blocks)
    return virtual.with_reference(layers.serial(*parts))


@pytest.mark.parametrize("is_conv", [False, True])
def test_a_net_keeps_the_reference_of_its_first_batch(is_conv):
    own = net(is_conv)
    _, params, statistics = own.init(RNG, 4, np.float64)
    first, second = RNG.normal(size=(2, 7, 4))
    y, after = own.apply(params, statistics, first, train=True)
    np.testing.assert_array_equal(after[0][:7], first)
    assert len(after[0]) == virtual.REFERENCE
    z, again = own.apply(params, after, second, train=True)
    np.testing.assert_array_equal(again[0], after[0])
    # Each row by itself, in training as afterwards.
    for i, row in enumerate(second):
        alone, _ = own.apply(params, again, row[None])
        np.testing.assert_allclose(alone[0], z[i])
    np.testing.assert_allclose(own.apply(params, after, first)[0], y)


@pytest.mark.parametrize("is_conv", [False, True])
def test_gradients_of_a_net(is_conv):
    own, x = net(is_conv), RNG.normal(size=(7, 4))
    _, params, statistics = own.init(RNG, 4, np.float64)
    _, statistics = own.apply(params, statistics, RNG.normal(size=(9, 4)), train=True)

    def value(params):
        return own.apply(params, statistics, x, train=True)[0]

    _, grads = vjp(value, params, lambda y: y)
    way = [RNG.normal(size=leaf.shape) for leaf in leaves(params)]

    def moved(size):
        there = copy(params)
        for leaf, part in zip(leaves(there), way):
            leaf += size * part
        return 0.5 * (value(there) ** 2).sum()

    slope = (moved(1e-6) - moved(-1e-6)) / 2e-6
    gained = sum((g * w).sum() for g, w in zip(leaves(grads), way))
    np.testing.assert_allclose(gained, slope, rtol=1e-6)


@pytest.mark.parametrize("architecture", ["dense", "conv"])
def test_a_gan_with_a_reference(architecture):
    X = RNG.random((40, 16)).astype(np.float32)
    gan = GAN(batch_norm="virtual", architecture=architecture, n_iter=2, batch_size=20)
    gan.set_params(hidden_layer_sizes=(6, 4), random_state=0).fit(X)
    Z = RNG.normal(size=(5, 16)).astype(np.float32)
    rows = gan.generate(Z)
    assert rows.dtype == np.float32
    one = np.concatenate([gan.generate(z[None]) for z in Z])
    np.testing.assert_allclose(rows, one, rtol=1e-5)
    gan.partial_fit(X)
    assert gan.n_iter_ == 3
