import numpy as np
import pytest

from skdgm.utils import images
from skdgm.utils.images import image_shape


@pytest.mark.parametrize(
    "n_features, given, expected",
    [
        (784, None, (28, 28, 1)),
        (1, None, (1, 1, 1)),
        (12, (3, 4), (3, 4, 1)),
        (12, (2, 3, 2), (2, 3, 2)),
        (3072, [32, 32, 3], (32, 32, 3)),
        (6, np.array([1, 6]), (1, 6, 1)),
        (4, (4, 1), (4, 1, 1)),
    ],
)
def test_shapes(n_features, given, expected):
    found = image_shape(n_features, given)
    assert found == expected
    assert {type(side) for side in found} == {int}


def test_shapes_that_cannot_be_told():
    message = r"GAN cannot tell .* 12 pixels.*image_shape=\(height, width\[, channels\]"
    with pytest.raises(ValueError, match=message):
        image_shape(12, subject="GAN")


@pytest.mark.parametrize("given", [(3, 5), (12,), 12, (0, 12), (3.0, 4), (1, 2, 3, 2)])
def test_shapes_that_do_not_match(given):
    message = r"image_shape=.*of GAN must be \(height, width\[, channels\]\).* = 12"
    with pytest.raises(ValueError, match=message):
        image_shape(12, given, subject="GAN")


def test_gray_images_have_no_channels():
    assert image_shape(12, (3, 4), with_channels=False) == (3, 4, 1)
    with pytest.raises(
        ValueError, match=r"\(height, width\) with height times width ="
    ):
        image_shape(12, (3, 2, 2), with_channels=False)


SHAPE, SIDES = (4, 6, 2), (2, 3)


def test_blocks_of_images():
    x = np.arange(3 * 48.0).reshape(3, 48)
    images_of = x.reshape(3, *SHAPE)
    blocks = [
        images_of[:, i : i + 2, j : j + 3, k].reshape(3, 6)
        for i in (0, 2)
        for j in (0, 3)
        for k in range(2)
    ]
    parts = images.split(x, SHAPE, SIDES)
    np.testing.assert_array_equal(parts, np.stack(blocks, axis=1))
    np.testing.assert_array_equal(images.joined(parts, SHAPE, SIDES), x)
    numbers = np.arange(24.0).reshape(3, 8)
    every = np.repeat(numbers[:, :, None], 6, axis=2)
    expected = images.joined(every, SHAPE, SIDES)
    np.testing.assert_array_equal(images.repeated(numbers, SHAPE, SIDES), expected)


def test_halves_are_rounded_up():
    assert images.halvings((5, 8), 3) == [(5, 8), (3, 4), (2, 2), (1, 1)]
