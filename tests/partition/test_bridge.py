import numpy as np
import pytest

from skdgm.partition import ladder
from skdgm.partition.estimate import consistent
from skdgm.samplers import Ladder
from tests.reference import ALL, Enumeration, random_machine, some_moments


@pytest.mark.parametrize("name", ["rbm", "dbm", "classifier"])
def test_exact_samples_give_log_Z(name):
    energy, params = random_machine(ALL[name], seed=2)
    base, log_Z_0 = energy.base(params, some_moments(energy))
    truth, betas = Enumeration(ALL[name], params), np.array([1.0, 0.6, 0.3, 0.0])
    levels = [truth.between(base, beta) for beta in betas]
    drive, rng = truth.log_w - levels[-1].log_w, np.random.default_rng(0)
    drawn = np.stack(
        [rng.choice(drive, size=(20, 500), p=level.p) for level in levels], axis=1
    )
    found = ladder.bridge(drawn, Ladder(betas, base), log_Z_0)
    assert abs(found.log_Z - truth.log_Z) < 4 * found.se
    assert found.se < 0.05
    assert found.log_w.shape == (500,)
    assert found.log_w.mean() == pytest.approx(found.log_Z)


def test_standard_errors_are_those_of_repetitions():
    energy, params = random_machine([[4], [3]], seed=5)
    base, log_Z_0 = energy.base(params, (None, None))
    truth, betas = Enumeration([[4], [3]], params), np.array([1.0, 0.5, 0.0])
    levels = [truth.between(base, beta) for beta in betas]
    drive, rng = truth.log_w - levels[-1].log_w, np.random.default_rng(0)
    rungs, found = Ladder(betas, base), []
    for _ in range(200):
        drawn = [rng.choice(drive, size=(5, 40), p=level.p) for level in levels]
        found.append(ladder.bridge(np.stack(drawn, 1), rungs, log_Z_0))
    spread = np.std([one.log_Z for one in found])
    # Two hundred repetitions tell a deviation to a twentieth.
    assert np.mean([one.se for one in found]) == pytest.approx(spread, rel=0.2)


def test_temperatures_without_common_states():
    rungs = Ladder(np.array([1.0, 0.0]), ())
    drive = np.array([[[4000.0, 4100.0], [10.0, 12.0]]] * 5)
    found = ladder.bridge(drive, rungs, 3.0)
    assert 13 <= found.log_Z <= 4103
    assert np.isnan(found.se)
    assert not consistent(found, found)
