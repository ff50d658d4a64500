import numpy as np
import pytest

from skdgm.energies import Params, tiled
from skdgm.samplers import Gibbs, Ladder, ParallelTempering, State, betas, tempering
from skdgm.utils.lists import Lists
from skdgm.utils.random import stream
from skdgm.utils.tree import tree_map
from tests.numerical import assert_means, assert_moments
from tests.reference import ALL, Enumeration, random_machine, some_moments
from tests.samplers.cases import SamplerCase
from tests.suites import DTYPES

N = 10000


def made(name, betas=(1.0, 0.6, 0.0)):
    """A machine, its ladder, and the machine at each temperature."""
    energy, params = random_machine(ALL[name], seed=2)
    base, _ = energy.base(params, some_moments(energy))
    truth = Enumeration(ALL[name], params)
    levels = [truth.between(base, beta) for beta in betas]
    return energy, params, Ladder(np.array(betas), base), levels


class TestTempering(SamplerCase):
    # Chains exchange states with others.
    test_rows_are_independent_of_their_company = None

    def sampler(self, name, energy, params):
        _, _, ladder, levels = made(name)
        return ParallelTempering(energy, ladder), levels


def exact(levels, n):
    """Replicas drawn from the distributions that they should have."""
    drawn = zip(*(level.draw(n, seed) for seed, level in enumerate(levels)))
    return State(tuple(np.concatenate(parts) for parts in drawn))


@pytest.mark.parametrize("name", ["rbm", "dbm", "gaussian", "real-classifier"])
def test_leaves_the_joint_distribution_as_it_is(name):
    energy, params, ladder, levels = made(name)
    start = exact(levels, N)
    state, info = ParallelTempering(energy, ladder).step(stream(0), params, start, 3)
    x = [np.asarray(part).reshape(3, N, -1) for part in state.x]
    for number, level in enumerate(levels):
        assert_moments([part[number] for part in x], level)
    # Neighbors are independent, too.
    for k in (0, 1):
        expected = np.outer(levels[k].mean(0), levels[k + 1].mean(0))
        assert_means(x[0][k][:, :, None] * x[0][k + 1][:, None, :], expected)
    assert ((info.swap_rates > 0) & (info.swap_rates < 1)).all()


@pytest.mark.parametrize("name", ["rbm", "dbm"])
def test_swap_rates(name):
    energy, params, ladder, levels = made(name, (1.0, 0.7, 0.3, 0.0))
    drive = levels[0].log_w - levels[-1].log_w
    # Gibbs steps keep the distribution, and so do swaps of other pairs.
    start = exact(levels, N)
    _, info = ParallelTempering(energy, ladder).step(stream(0), params, start, 1)
    for k in range(3):
        gap = ladder.betas[k] - ladder.betas[k + 1]
        accepted = np.minimum(1, np.exp(gap * (drive - drive[:, None])))
        rate = levels[k].p @ accepted @ levels[k + 1].p
        se = np.sqrt(rate * (1 - rate) / N)
        assert abs(info.swap_rates[k] - rate) < 4 * se


def test_rates_are_shares_of_all_steps():
    energy, params, ladder, _ = made("rbm")
    silent = Params(params.units, tuple(0 * W for W in params.couplings))
    alike = ladder._replace(base=params.units)
    start = ParallelTempering(energy, alike).init(stream(1).rows(5 * len(alike.betas)))
    _, info = ParallelTempering(energy, alike).step(stream(0), silent, start, 4)
    np.testing.assert_array_equal(info.swap_rates, [1, 1])


def test_starts_at_the_base():
    energy, _, ladder, levels = made("real-classifier")
    state = ParallelTempering(energy, ladder).init(
        stream(3).rows(N * len(ladder.betas))
    )
    assert len(state.x[0]) == 3 * N
    assert_moments(state.x, levels[-1])
    coldest = ParallelTempering(energy, ladder).coldest(state)
    np.testing.assert_array_equal(coldest[0], state.x[0][:N])


def test_temperatures():
    np.testing.assert_allclose(betas(5), [1, 0.75, 0.5, 0.25, 0])


def test_who_changes_places():
    ladder = Ladder(np.array([1.0, 0.7, 0.4, 0.0]), ())
    # The first chain always swaps, the second one never; in the third, the higher
    # drive goes where it is colder.
    drive = np.array([[0.0, 0, 1], [0, 0, 5], [0, 0, 2], [0, 0, 9]])
    uniform = np.array([[0.0, 1, 1]] * 3)
    order, rates = tempering._swap(drive, ladder, uniform)
    order = order.reshape(4, 3)
    np.testing.assert_array_equal(order % 3, np.tile([0, 1, 2], (4, 1)))
    expected = [[1, 3, 0, 2], [0, 1, 2, 3], [1, 3, 0, 2]]
    np.testing.assert_array_equal(order.T // 3, expected)
    np.testing.assert_allclose(rates, 2 / 3)


def two_modes():
    """All units off or all on, with equal probability, and little in between."""
    energy, _ = random_machine([[6], [6]], seed=0)
    biases = np.full(6, -6.0), np.full(6, -6.0)
    return energy, Params(biases, (np.full((6, 6), 2.0),))


def test_leaves_a_mode_where_gibbs_sampling_stays():
    energy, params = two_modes()
    truth, n = Enumeration([[6], [6]], params), 300
    assert truth.p[truth.x[0].sum(axis=1) == 3].sum() < 1e-3
    off = tuple(np.zeros((n, 6)) for _ in energy.units)
    stuck, _ = Gibbs(energy).step(stream(0).rows(n), params, State(off), 150)
    assert (np.asarray(stuck.x[0]).sum(axis=1) > 3).mean() < 0.05
    base, _ = energy.base(params, (np.full(6, 0.5), np.full(6, 0.5)))
    ladder = Ladder(betas(6), base)
    start = State(tuple(np.zeros((6 * n, 6)) for _ in energy.units))
    state, info = ParallelTempering(energy, ladder).step(stream(0), params, start, 150)
    on = np.asarray(ParallelTempering(energy, ladder).coldest(state)[0]).sum(axis=1) > 3
    assert abs(on.mean() - 0.5) < 4 * 0.5 / np.sqrt(n)
    assert info.swap_rates.min() > 0.1


@pytest.mark.parametrize("dtype", DTYPES)
def test_kernels_take_the_same_way(dtype):
    energy, params, ladder, _ = made("dbm")
    params, base = (
        tree_map(lambda part: part.astype(dtype), tree)
        for tree in (params, ladder.base)
    )
    ladder = ladder._replace(base=base)
    start = ParallelTempering(energy, ladder).init(
        stream(3).rows(20 * len(ladder.betas))
    )
    a, info_a = ParallelTempering(energy, ladder).step(stream(4), params, start, 5)
    b, info_b = ParallelTempering(energy, ladder).step(
        stream(4), tiled(params), start, 5
    )
    for found, expected in zip(b.x, a.x):
        assert isinstance(found, Lists)
        assert found.dtype == np.asarray(expected).dtype == dtype
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(info_a.swap_rates, info_b.swap_rates)
