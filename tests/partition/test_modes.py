"""The most probable states, and the bound that they give, beside enumeration."""

import numpy as np
import pytest

from skdgm.distributions import (
    Bernoulli,
    Binomial,
    Interval,
    Poisson,
    Sites,
    Softmax,
    UnitNormal,
)
from skdgm.energies import Params, layered
from skdgm.exceptions import LikelihoodWarning
from skdgm.partition import AISOptions, Problem, bracket, exact, modes
from skdgm.samplers import Gibbs, State
from skdgm.utils.random import stream

UNITS = {
    "bits": Bernoulli(4),
    "categories": Sites((3, 0, 2)),
    "one category": Softmax(4),
    "counts": Binomial(3, (2, 4, 1), (0.5, 1.0, 2.0)),
}
QUICK = AISOptions(n_betas=(100, 300), burn_in=100, n_steps=40)


def machine(visible, hidden, seed=0, scale=1.0):
    rng = np.random.default_rng(seed)
    units, size = (visible, hidden), (visible.size, hidden.size)
    biases = tuple(rng.normal(0, scale, unit.size) for unit in units)
    energy = layered([[visible], [hidden]])
    return energy, Params(biases, (rng.normal(0, scale, size),))


def given(energy, params, n_chains=50):
    return Gibbs(energy).init(stream(0).rows(n_chains), params.units)


@pytest.mark.parametrize("name", UNITS)
def test_modes_are_the_most_probable_states(name):
    unit = UNITS[name]
    states = unit.states(np.arange(unit.n_states)).astype(float)
    for seed in range(10):
        eta = np.random.default_rng(seed).normal(0, 2, (1, unit.size))
        log_w = unit.log_weight(eta, states)
        best = unit.log_weight(eta, unit.mode(eta))
        assert best == pytest.approx(log_w.max())


def test_modes_of_unlimited_counts():
    eta = np.log([[0.3, 2.5, 40.2]])
    np.testing.assert_array_equal(Poisson(3).mode(eta), [[0, 2, 40]])


@pytest.mark.parametrize("name", UNITS)
def test_ties_have_one_mode(name):
    unit = UNITS[name]
    states = unit.states(np.arange(unit.n_states))
    assert (unit.mode(np.zeros((1, unit.size))) == states).all(axis=1).any()


@pytest.mark.parametrize("hidden", UNITS)
@pytest.mark.parametrize("visible", [*UNITS, "unlimited counts", "shares"])
def test_the_bound_is_below_log_Z_and_near_it(visible, hidden):
    other = {"unlimited counts": Poisson(3), "shares": Interval(3)}
    energy, params = machine(UNITS.get(visible) or other[visible], UNITS[hidden])
    log_Z = exact.log_partition(energy, params)
    found = modes.search(stream(1), energy, params, given(energy, params))
    assert log_Z - 0.5 < found.floor <= log_Z + 1e-9


def test_without_states_there_is_no_bound():
    energy, params = machine(Interval(3), UnitNormal(2), scale=0.3)
    found = modes.search(stream(1), energy, params, given(energy, params))
    assert found.floor == -np.inf


def test_states_below_are_climbed_where_those_above_are_numbers():
    energy, params = machine(Bernoulli(5), UnitNormal(3))
    log_Z = exact.log_partition(energy, params)
    found = modes.search(stream(1), energy, params, given(energy, params))
    assert log_Z - 0.5 < found.floor <= log_Z + 1e-9


def needle(n=19, n_columns=12, weight=60.0):
    """A machine of counts of which one state of the hidden units has all of the
    probability: those that a single column asks for, as in fits that went astray."""
    energy, params = machine(Binomial(n_columns, 16), Bernoulli(n), scale=0.1)
    W, (b, c) = params.couplings[0], params.units
    W[0] = np.where(np.arange(n) % 2, weight, -weight)
    b[0] = -weight * (n // 2) + 50.0
    return energy, params._replace(units=(b, c), couplings=(W,))


@pytest.mark.exhaustive
def test_a_state_with_all_of_the_probability_is_found_and_warned_of():
    """Chains begin where that column is 0, and do not leave."""
    energy, params = needle()
    log_Z = exact.log_partition(energy, params)
    x = np.zeros((50, 12)), np.zeros((50, 19))
    start = State((x[0], energy.units[1].pack(x[1])))
    means = np.append(0.1, np.full(11, 8.0))
    with pytest.warns(LikelihoodWarning, match="training chains|at least"):
        found = bracket.estimate(
            stream(0), Problem(energy, params, start, (means, None)), QUICK
        )
    assert found.lower - 0.02 <= log_Z <= found.upper + 0.02
    assert found.log_Z == pytest.approx(log_Z, abs=1.0)
