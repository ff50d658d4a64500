import numpy as np
import pytest

from skdgm.energies import contrast, tiled
from skdgm.gradients import cd, pcd
from skdgm.samplers import FastWeights, Gibbs, Ladder, ParallelTempering, betas
from skdgm.utils.lists import Lists
from skdgm.utils.random import stream
from skdgm.utils.tree import tree_map
from tests.numerical import (
    arrays,
    assert_expectation,
    assert_trees,
    clamped,
    observed,
)
from tests.reference import ALL, MIXED, Enumeration, random_machine, some_moments

N, N_STEPS = 3840, 20
SHALLOW = ["rbm", "wide-rbm", *MIXED]


def made(name, missing=0.0, scale=1.0):
    """A machine, and a few rows of data."""
    energy, params = random_machine(ALL[name], seed=4, scale=scale)
    truth = Enumeration(ALL[name], params)
    data = observed(truth, 8, missing, len(ALL[name][0]), seed=1)
    return energy, params, truth, data


def repeated(energy, data):
    """The rows again and again."""
    return clamped(energy, *(np.tile(part, (N // 8, 1)) for part in data))


def chains_of(energy, params, n=N):
    return Gibbs(energy).init(stream(1).rows(n), params.units)


def ladder_of(energy, params):
    base, _ = energy.base(params, some_moments(energy))
    return Ladder(betas(3), base)


def by_cd(energy, params, x, clamp):
    return cd(stream(0), Gibbs(energy), params, x, clamp, N_STEPS)[0]


def by_pcd(energy, params, x, clamp):
    chains = chains_of(energy, params)
    return pcd(stream(2), Gibbs(energy), params, x, clamp, N_STEPS, chains)[0]


def by_tempering(energy, params, x, clamp):
    ladder = ladder_of(energy, params)
    sampler = ParallelTempering(energy, ladder)
    replicas = sampler.init(stream(1).rows((N // 2) * len(ladder.betas)))
    return pcd(stream(2), sampler, params, x, clamp, N_STEPS, replicas)[0]


@pytest.mark.exhaustive(default=["mixture"])
@pytest.mark.parametrize("method", [by_cd, by_pcd, by_tempering])
@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("name", SHALLOW)
def test_many_steps_give_the_likelihood_gradient(name, missing, method):
    energy, params, truth, data = made(name, missing)
    phases = method(energy, params, *repeated(energy, data))
    assert_expectation(energy, params, phases, truth.likelihood_gradient(*data))


@pytest.mark.parametrize("name", SHALLOW)
def test_fast_weights_drive_the_chains_only(name):
    energy, params, truth, data = made(name)
    rng = np.random.default_rng(0)
    own = tree_map(lambda part: 0.3 * rng.normal(size=part.shape), params)
    sampler = FastWeights(energy, own)
    x, clamp = repeated(energy, data)
    chains = chains_of(energy, params)
    phases, *_ = pcd(stream(2), sampler, params, x, clamp, N_STEPS, chains)
    model = tree_map(np.add, params, own)
    driven = Enumeration(ALL[name], model).statistics(params=params)
    exact = tree_map(
        lambda grad, own, driven: grad + own - driven,
        *(truth.likelihood_gradient(*data), truth.statistics(), driven),
    )
    assert_expectation(energy, params, phases, exact)


def test_persistent_chains_reach_the_model_a_step_at_a_time():
    energy, params, truth, data = made("rbm")
    x, clamp = clamped(energy, *data)
    chains = chains_of(energy, params)
    for number in range(N_STEPS):
        phases, chains, _ = pcd(
            stream(2, number), Gibbs(energy), params, x, clamp, 1, chains
        )
    found = contrast(energy, params, *phases)
    assert_trees(found, truth.likelihood_gradient(*data), atol=5 * 0.5 / np.sqrt(N))


@pytest.mark.parametrize("name", ["rbm", *MIXED])
def test_cd_1_is_zero_in_expectation_at_the_data_distribution(name):
    energy, params, truth, _ = made(name)
    x, clamp = clamped(energy, *truth.draw(N, seed=3)[: len(ALL[name][0])])
    phases, *_ = cd(stream(0), Gibbs(energy), params, x, clamp, n_steps=1)
    nothing = tree_map(np.zeros_like, params)
    assert_expectation(energy, params, phases, nothing)


@pytest.mark.parametrize("name", SHALLOW)
def test_positive_phase_is_exact_for_complete_rows(name):
    energy, params, truth, data = made(name)
    x, clamp = clamped(energy, *data)
    given = params, x, clamp, 1
    ladder = ladder_of(energy, params)
    gibbs, tempering = Gibbs(energy), ParallelTempering(energy, ladder)
    replicas = tempering.init(stream(1).rows(2 * len(ladder.betas)))
    made_by = {
        "cd": cd(stream(2), gibbs, *given)[0],
        "pcd": pcd(stream(2), gibbs, *given, chains_of(energy, params, 5))[0],
        "tempered": pcd(stream(2), tempering, *given, replicas)[0],
    }
    rows = [truth.statistics(given=dict(enumerate(row))) for row in zip(*data)]
    exact = tree_map(lambda *parts: sum(parts) / len(parts), *rows)
    for phases in made_by.values():
        nothing = tuple(np.zeros_like(part[:1]) for part in phases.data)
        found = contrast(energy, params, phases.data, nothing)
        assert_trees(found, exact, atol=1e-12)


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_deep_machines_by_persistent_chains(missing):
    # With weak couplings mean field is nearly exact, and so is the gradient.
    energy, params, truth, data = made("dbm", missing, scale=0.1)
    phases = by_pcd(energy, params, *repeated(energy, data))
    found = contrast(energy, params, *phases)
    tolerance = {"atol": 5 * np.sqrt(2) * 0.5 / np.sqrt(N)}
    assert_trees(found, truth.likelihood_gradient(*data), **tolerance)


@pytest.mark.parametrize("with_model", [False, True])
def test_kernels_take_the_same_way(with_model):
    energy, params, _, (v,) = made("rbm")
    fast = tree_map(lambda part: np.full_like(part, 0.3), params)
    chains, clamp, found = chains_of(energy, params, 6), (True, None), []
    for form, x in ((tiled, Lists.pack(v, binary=True)), (lambda p: p, v)):
        sampler = FastWeights(energy, form(fast)) if with_model else Gibbs(energy)
        given = sampler, form(params), (x, None), clamp, 3, chains
        found.append(pcd(stream(2), *given)[:2])
    (phases, after), (expected, expected_after) = found
    assert isinstance(after.x[0], Lists)
    for a, b in zip(after.x, expected_after.x):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(phases, expected):
        assert_trees(a, b, atol=1e-12)


@pytest.mark.parametrize("name", ["rbm", "real-classifier"])
def test_types_are_kept_and_addresses_repeat(name):
    energy, params, _, data = made(name, 0.3)
    params = tree_map(lambda a: a.astype(np.float32), params)
    x, clamp = clamped(energy, *data)
    x = tuple(part.astype(np.float32) for part in x)
    (phases, chains, _), (again, *_) = (
        cd(stream(7), Gibbs(energy), params, x, clamp, 2) for _ in range(2)
    )
    grad = contrast(energy, params, *phases)
    assert {leaf.dtype for leaf in arrays(grad)} == {np.dtype(np.float32)}
    assert {leaf.dtype for leaf in chains.x} == {np.dtype(np.float32)}
    assert_trees(grad, contrast(energy, params, *again), rtol=0)
