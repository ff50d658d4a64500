"""What each path of annealing promises."""

import numpy as np
from scipy.special import logsumexp

from skdgm.partition import AnnealingPath, anneal
from skdgm.utils.random import stream
from tests.numerical import assert_means

N = 4000


class Tilt(AnnealingPath):
    """Bits whose log odds are beta times three; steps are exact draws."""

    odds = 3.0

    def log_p(self, x, beta):
        return beta * self.odds * x

    def step(self, rng, x, beta):
        return (rng.uniform(1)[:, 0] < 1 / (1 + np.exp(-beta * self.odds))) * 1.0


def test_weights_of_chains_are_ratios_of_constants():
    path, log_w = Tilt(), np.zeros(N)
    start = path.step(stream(0).rows(N), None, 0.0)
    trace, rngs = [], stream(1).rows(N).folds()
    end = anneal(path, rngs, start, np.linspace(0, 1, 5), log_w, trace=trace)
    assert_means(np.exp(log_w), (1 + np.exp(3.0)) / 2)
    assert_means(end, 1 / (1 + np.exp(-3.0)))
    assert len(trace) == 4
    np.testing.assert_array_equal(trace[-1], log_w)
    back = np.zeros(N)
    anneal(path, rngs, end, np.linspace(1, 0, 5), back)
    assert_means(np.exp(back), 2 / (1 + np.exp(3.0)))


def test_resampled_chains_have_equal_weights():
    def resample(rng, x, log_w):
        p = np.exp(log_w - logsumexp(log_w))
        log_w[:] = logsumexp(log_w) - np.log(N)
        return x[rng.fold(9).generator().choice(N, N, p=p)]

    path, log_w = Tilt(), np.zeros(N)
    start = path.step(stream(0).rows(N), None, 0.0)
    # Without steps of its own the sample at the end is what was resampled.
    path.step = lambda rng, x, beta: x
    rngs = stream(2).rows(N).folds()
    end = anneal(path, rngs, start, [0, 0.5, 1], log_w, resample=resample)
    assert np.ptp(log_w) == 0
    assert abs(log_w[0] - np.log((1 + np.exp(3.0)) / 2)) < 0.1
    assert abs(end.mean() - 1 / (1 + np.exp(-3.0))) < 0.02
