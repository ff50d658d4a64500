import numpy as np

from skdgm.utils.clusters import distant_rows


def test_rows_are_drawn_by_their_distance_to_the_nearest_center():
    rng = np.random.default_rng(0)
    z, weight = np.array([[0.0], [1], [4]]), np.array([1.0, 2, 0])
    pairs = np.array([distant_rows(z, weight, rng.random(2))[:, 0] for _ in range(300)])
    # The first by weight, and the second is the only other row with a weight.
    assert abs((pairs[:, 0] == 1).mean() - 2 / 3) < 4 * (2 / 9 / 300) ** 0.5
    np.testing.assert_array_equal(pairs[:, 1], 1 - pairs[:, 0])
    # The second by squared distances to the first, which is 0: 16 and 1.
    z, weight = np.array([[0.0], [4], [1]]), np.array([1.0, 1, 1])
    seconds = np.array(
        [distant_rows(z, weight, [0.0, u])[1, 0] for u in rng.random(300)]
    )
    assert abs((seconds == 4).mean() - 16 / 17) < 4 * (16 / 289 / 300) ** 0.5
