import numpy as np
import pytest

from skdgm.partition.estimate import interval, of_weights

LOG_W = np.log([1.0, 3.0, 2.0, 2.0])


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_of_weights(sign):
    found = of_weights(LOG_W, 5.0, sign)
    assert found.log_Z == pytest.approx(5.0 + sign * np.log(2.0))
    assert found.ess == pytest.approx(64 / 18)
    assert found.se == pytest.approx(np.std([1, 3, 2, 2], ddof=1) / 2 / 2)
    np.testing.assert_allclose(found.log_w, 5.0 + sign * LOG_W)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_intervals_are_those_of_normal_errors(sign):
    log_w = 700.0 + np.random.default_rng(0).normal(size=4000) * 0.1
    found = of_weights(log_w, 0.0, sign)
    low, high = interval(found.log_w, np.random.default_rng(1), 0.95, sign)
    assert (low + high) / 2 == pytest.approx(found.log_Z, abs=0.3 * found.se)
    # A thousand draws tell a tail's quantile to a tenth.
    assert (high - low) / (2 * 1.96 * found.se) == pytest.approx(1, abs=0.1)
    narrow = interval(found.log_w, np.random.default_rng(1), 0.5, sign)
    assert low < narrow[0] < narrow[1] < high
