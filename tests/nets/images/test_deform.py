"""Random deformations: their maps, and gradients through them."""

import numpy as np

from skdgm.nets.images.deform import Deformation, warped
from skdgm.utils.random import stream
from tests.nets.test_fourier_features import assert_gradient

SHAPE = (4, 3, 2)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 24))


def test_gradients_through_deformed_images():
    maps = Deformation(SHAPE, 1.5).draw(stream(0), len(X))
    assert_gradient(lambda x: warped(x, maps, SHAPE), X)


def test_each_image_has_a_map_of_its_own():
    deform = Deformation(SHAPE, 1.0)
    same = np.tile(X[:1], (5, 1))
    found = deform(same, stream(3))
    assert len(np.unique(found, axis=0)) == 5
    np.testing.assert_array_equal(found, deform(same, stream(3)))
    assert (found != deform(same, stream(4))).any(axis=1).all()
    assert deform(same.astype(np.float32), stream(3)).dtype == np.float32
    np.testing.assert_allclose(Deformation(SHAPE, 0.0)(X, stream(0)), X)


def test_maps_are_within_their_bounds():
    maps = Deformation((28, 20, 1), 1.0).draw(stream(0), 20_000).reshape(-1, 2, 3)
    A, shift = maps[:, :, :2], maps[:, :, 2]
    # Shifts are uniform: their largest and their variance.
    for part, bound in zip(shift.T, (0.07 * 28, 0.07 * 20)):
        assert 0.999 * bound < abs(part).max() <= bound
        assert abs(part.var() / (bound**2 / 3) - 1) < 0.03
    # A = R S D: the determinant is that of D, exp(2 rho).
    scale = np.log(np.linalg.det(A)) / 2
    assert 0.999 * 0.15 < abs(scale).max() <= 0.15 + 1e-9
    # The last column of R S D is that of R, times exp(rho - sigma).
    angle = np.arctan2(-A[:, 0, 1], A[:, 1, 1])
    assert 0.999 * np.pi / 12 < abs(angle).max() <= np.pi / 12 + 1e-9
    wide = np.log(np.hypot(A[:, 0, 1], A[:, 1, 1]))
    stretch = scale - wide
    assert 0.999 * 0.15 < abs(stretch).max() <= 0.15 + 1e-9
    # Turned back and with sides as they were, a map is the shear.
    cos, sin = np.cos(angle), np.sin(angle)
    turned = np.stack([np.stack([cos, sin], -1), np.stack([-sin, cos], -1)], 1) @ A
    shear = turned[:, 1, 0] / np.exp(scale + stretch)
    np.testing.assert_allclose(turned[:, 0, 1], 0, atol=1e-12)
    assert 0.999 * 0.3 < abs(shear).max() <= 0.3 + 1e-9
    corners = np.corrcoef([angle, shear, scale, stretch, *shift.T])
    np.testing.assert_allclose(corners, np.eye(6), atol=0.03)
