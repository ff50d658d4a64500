"""Rules by which estimates are judged and joined, and ladders, by hand."""

import numpy as np
import pytest
from scipy.special import expit

from skdgm.distributions import Bernoulli
from skdgm.energies import Params, layered
from skdgm.exceptions import LikelihoodWarning
from skdgm.partition import Problem, bracket, equilibrium, estimate, ladder, modes
from skdgm.partition.bracket import AISOptions, Bracket
from skdgm.partition.modes import Found
from skdgm.samplers import Gibbs, State
from skdgm.utils.random import stream
from tests.reference import random_machine

BETAS = np.array([0, 0.5, 1])
# Deviations of 1 and 3: lengths of 0, 1 and 4.
INCREMENTS = np.array([[1.0, -1], [3, -3]])


def test_temperatures_share_the_length_but_for_a_tenth():
    upto = 0.9 / 4 + 0.1 * (1 - 0.5**0.5)
    middle = 0.5 + 0.5 * (0.5 - upto) / (1 - upto)
    found = ladder.equidistant(BETAS, INCREMENTS, 3)
    np.testing.assert_allclose(found, [0, middle, 1])


@pytest.mark.parametrize(
    "scale, limits, n",
    [(1, (3, 32), 5), (1, (8, 32), 8), (1, (2, 3), 3), (0.9, (2, 9), 5)],
)
def test_temperatures_are_a_unit_apart(scale, limits, n):
    found = ladder.unit_lengths(BETAS, scale * INCREMENTS, *limits)
    np.testing.assert_allclose(found, ladder.equidistant(BETAS, INCREMENTS, n))


def test_infinite_lengths_have_as_many_temperatures_as_there_may_be():
    with np.errstate(invalid="ignore", over="ignore"):
        increments = np.array([[1e308, -1e308], [1e308, -1e308]])
        assert len(ladder.unit_lengths(BETAS, increments, 3, 7)) == 7
        assert len(ladder.unit_lengths(BETAS, np.nan * INCREMENTS, 3, 7)) == 3


def test_simple_ladders():
    np.testing.assert_allclose(ladder.quadratic(3), [0, 0.75, 1])
    np.testing.assert_allclose(
        ladder.sigmoid(5)[1], (expit(-2) - expit(-4)) / (expit(4) - expit(-4))
    )


@pytest.mark.parametrize(
    "mean, found, is_unlike",
    [
        # Mean squares of 9 and 10.24 standard errors.
        ([0.5], [0.65], False),
        ([0.5], [0.66], True),
        ([0.5, 0.5], [0.65, 0.65], False),
        ([0.5, 0.5], [0.82, 0.5], True),
        # Constant columns have the error of one row in a hundred.
        ([0.0], [0.09], False),
        ([0.0], [0.11], True),
        ([1.0], [0.8], True),
        ([np.nan], [0.9], False),
    ],
)
def test_means_that_are_unlike(mean, found, is_unlike):
    text = estimate.unlike(np.array(found), np.array(mean), 100)
    assert (text is not None) == is_unlike


def test_chains_apart():
    half = np.repeat([[0.0], [1.0]], 50, axis=0)

    def shifted(by):
        return State((half + by, half))

    # Errors of 0.5 / 100: mean squares of 17 and 20 of one block, and 0 of the other.
    assert not modes.are_separate(State((half, half)), shifted(0.29))
    assert modes.are_separate(State((half, half)), shifted(0.32))


def test_rows_are_chosen_in_proportion():
    log_w = np.log([0.5, 0.25, 0.25]) - 700
    for seed in range(5):
        found = modes._chosen(stream(seed), log_w, 8)
        assert np.bincount(found, minlength=3).tolist() == [4, 2, 2]


def known(log_Z, lower, upper, se=0.2):
    side = estimate.Estimate(log_Z, se, 50.0, np.full(100, log_Z))
    return Bracket(log_Z, se, lower, upper, 50.0, 10, side, side, side)


def test_chains_in_other_parts_are_joined():
    one, other = known(10.0, 9.5, 10.5), known(12.0, 11.5, 12.5)
    found, complaints = bracket._united(one, ["one"], other, ["other"], 1.0)
    assert found is other
    assert len(complaints) == 1
    assert "12.0, those from the training chains 10.0" in complaints[0]
    assert bracket._united(other, ["one"], one, ["other"], 1.0) == (other, ["one"])
    assert bracket._united(one, [], other, ["other"], 2.0)[1] == ["other"]
    near = known(10.5, 10.2, 10.8)
    for pair in (one, near), (near, one):
        found, complaints = bracket._united(pair[0], ["a"], pair[1], ["b"], 1.0)
        assert complaints == ["a"]
        assert found.lower == 10.2
        assert found.upper == pytest.approx(np.logaddexp(10.5, 10.8))
        assert found.log_Z == 10.5
    low = known(10.4, 10.6, 10.8)
    assert bracket._united(low, [], one, [], 1.0)[0].log_Z == 10.6


@pytest.mark.parametrize(
    "floor, log_Z, lower, upper, told",
    [
        (9.0, 10.0, 9.5, 10.5, 0),
        (9.8, 10.0, 9.8, 10.5, 0),
        (10.55, 10.65, 10.55, 10.75, 0),
        (11.0, 11.1, 11.0, 11.2, 1),
    ],
)
def test_log_Z_is_not_below_the_states_that_are_known(
    floor, log_Z, lower, upper, told, monkeypatch
):
    start = State((np.zeros((4, 2)),))
    chains = (known(10.0, 9.5, 10.5), start, [])
    monkeypatch.setattr(bracket, "_from_chains", lambda *given: chains)
    found, complaints = bracket._tried(
        stream(0), None, AISOptions(), Found(start, floor)
    )
    assert found[:4] == pytest.approx((log_Z, 0.2, lower, upper))
    assert len(complaints) == told
    assert bracket._tried(stream(0), None, AISOptions(), None)[0] is chains[0]


def problem(moments, n_chains=40):
    energy, params = random_machine([[3], [2]], seed=0)
    start = Gibbs(energy).init(stream(0).rows(n_chains), params.units)
    return Problem(energy, params, start, moments)


def test_base_models_have_the_means_that_are_known():
    mean = np.array([0.2, 0.5, 0.9])
    given = problem((mean, None))
    fair, _ = equilibrium._fair(given)
    np.testing.assert_allclose(expit(fair[0]), mean)
    np.testing.assert_allclose(expit(fair[1]), 0.5)
    x = np.ones((40, 3)), np.repeat([[1.0, 0], [0, 0]], 20, axis=0)
    near, _ = equilibrium._near(given, State(x))
    np.testing.assert_allclose(expit(near[0]), mean)
    np.testing.assert_allclose(expit(near[1]), [0.5, 1 / 42])
    assert equilibrium.without_means(given).moments == (None, None)
    assert equilibrium.without_means(problem((None, None))) is None


def test_chains_in_equilibrium_swap_and_have_the_means():
    given = problem((None, None), n_chains=200)
    there = equilibrium.reach(stream(1), given, 10, 20, 50)
    assert ((there.swap_rates > 0.3) & (there.swap_rates < 1)).all()
    assert len(there.tempered.log_w) == 200
    assert abs(there.tempered.log_Z - there.pilot.log_Z) < 0.3


def test_fair_coins_that_find_more_are_believed(monkeypatch):
    asked = []
    given = problem((np.full(3, 0.5), None))
    low, high = known(10.0, 9.5, 10.5), known(12.0, 11.5, 12.5)
    monkeypatch.setattr(bracket, "_searched", lambda *given: None)
    pilot = estimate.Estimate(11.5, 0.4, 9.0, ())
    monkeypatch.setattr(bracket, "piloted", lambda *given: (None, pilot))

    def tried(rng, own, effort, there):
        asked.append(own.moments[0] is None)
        return (high, others) if own.moments[0] is None else (low, [])

    monkeypatch.setattr(bracket, "_tried", tried)
    # 2.5 standard errors above the bracket.
    others = []
    assert bracket.estimate(stream(0), given, AISOptions()) is high
    assert asked == [False, True]
    others = ["unsure"]
    with pytest.warns(LikelihoodWarning, match="unsure"):
        assert bracket.estimate(stream(0), given, AISOptions()) is high
    high = known(9.0, 8.5, 9.5)
    with pytest.warns(LikelihoodWarning, match="fair coins' chains give log Z 11.50"):
        assert bracket.estimate(stream(0), given, AISOptions()) is low
    pilot = pilot._replace(se=0.6)
    assert bracket.estimate(stream(0), given, AISOptions()) is low


def test_climbs_start_from_ends_of_single_units():
    visible, hidden = Bernoulli(3), Bernoulli(4)
    energy = layered([[visible], [hidden]])
    W = np.random.default_rng(0).normal(size=(3, 4))
    params = Params((np.zeros(3), np.zeros(4)), (W,))
    low, high = modes._ends(energy, params, 1, 0)
    order = np.argsort(-abs(W).sum(axis=1))
    # A unit that is off is taken for one that asks for the opposite.
    np.testing.assert_array_equal(low[1], W[order] < 0)
    np.testing.assert_array_equal(high[1], W[order] > 0)
    assert low[0] is high[0] is None


def test_complaints_are_of_the_sides_that_disagree():
    energy, params = random_machine([[3], [4]], 0, scale=3.0)
    state = Gibbs(energy).init(stream(0).rows(20), params.units)
    problem = Problem(energy, params, state, (None, None))
    effort = AISOptions((2,), burn_in=2, n_steps=2, n_pilot=2, max_gap=1e-6)
    found, _, complaints = bracket._from_chains(stream(1), problem, effort)
    expected = estimate.complaint(found.forward, found.reverse, 2, 1e-6)
    assert complaints == [expected]
