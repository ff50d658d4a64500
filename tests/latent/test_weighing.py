"""Rows filled by weighted draws."""

import numpy as np

from skdgm.latent.weighing import Draws, by_enough
from skdgm.utils.random import stream


def test_draws_without_weight_have_a_plain_mean_and_do_not_count():
    def draw(index, rng, n):
        log_w = np.full((len(index), n), -np.inf)
        log_w[index == 1] = 0
        value = np.where(log_w[..., None] == 0, 2.0, 0.5)
        return Draws(log_w, value, log_w)

    found = by_enough(draw, 2, stream(0).rows(2), 100, "mean")
    np.testing.assert_allclose(found.value[:, 0], [0.5, 2])
    assert found.number[0] == 0
    assert found.number[1] >= 25
