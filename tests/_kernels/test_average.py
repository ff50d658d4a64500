import numpy as np

from skdgm._kernels.nets.steps import average


def test_means_move_by_their_share_in_any_parts():
    mean, theta = np.arange(7.0), np.full(7, 4.0)
    average(mean, theta, 0.25, 0, 3)
    np.testing.assert_array_equal(mean, [1, 1.75, 2.5, 3, 4, 5, 6])
    average(mean, theta, 0.25, 3, 7)
    np.testing.assert_array_equal(mean, [1, 1.75, 2.5, 3.25, 4, 4.75, 5.5])
