import warnings
from itertools import product

import numpy as np
import pytest

from skdgm.exceptions import LikelihoodWarning
from skdgm.partition import AISOptions, Estimate, Problem, bracket, estimate
from skdgm.samplers import Gibbs, State
from skdgm.utils.random import stream
from tests.reference import MIXED, Enumeration, random_machine, some_moments


def side(log_Z, se=0.1, ess=50.0):
    return Estimate(log_Z, se, ess, np.zeros(100))


def test_agreement_takes_the_middle():
    log_Z, se = estimate.combined(side(10.0, 0.3), side(10.8, 0.4))
    assert log_Z == pytest.approx(10.4)
    assert se == pytest.approx(0.25)


@pytest.mark.parametrize("up, down", [(10.0, 12.5), (12.5, 10.0)])
def test_disagreement_takes_the_higher(up, down):
    assert estimate.combined(side(up), side(down, 0.2))[0] == 12.5


def test_agreement_needs_enough_chains():
    assert estimate.agree(side(1.0), side(1.2))
    assert not estimate.agree(side(1.0), side(2.5))
    assert estimate.agree(side(1.0), side(2.5), max_gap=2.0)
    assert not estimate.agree(side(1.0, ess=2.0), side(1.2))


@pytest.mark.parametrize(
    "up, down, what",
    [
        (10.0, 12.5, "differ by 2.5 nats.*higher one is taken. Raise n_betas, to 800"),
        (12.5, 10.0, "reverse side is the lower.*Raise burn_in and n_steps"),
    ],
)
def test_complaints_say_what_to_raise(up, down, what):
    text = estimate.complaint(side(up), side(down), 300, 1.0)
    with pytest.raises(AssertionError, match=what):
        raise AssertionError(text)


def test_few_chains_that_count_are_complained_of():
    text = estimate.complaint(side(1.0, ess=3.0), side(1.1), 1000, 1.0)
    assert "3 and 50 of 100 chains" in text
    assert "to 2000 say, or n_chains" in text


def test_what_tempering_finds_beyond_is_said():
    assert estimate.exceeds(side(3.0, 0.1), 2.6)
    assert not estimate.exceeds(side(3.0, 0.2), 2.6)
    assert not estimate.exceeds(side(1.0, 0.1), 2.6)
    text = estimate.missed("pilot", side(3.0, 0.1), 2.6)
    assert text.startswith("pilot chains give log Z 3.00 ± 0.10, above the 2.60")


def test_samples_unlike_the_data_are_complained_of():
    mean = np.append(np.full(20, 0.3), np.nan)
    near = np.random.default_rng(0).binomial(100, 0.3, 21) / 100
    assert estimate.unlike(near, mean, 100) is None
    text = estimate.unlike(np.ones(21), mean, 100)
    assert "column 0 has 1.00 instead of 0.30" in text
    assert "Lower learning_rate" in text


def problem(layers, seed, scale=1.0, n_chains=100):
    energy, params = random_machine(layers, seed, scale)
    truth = Enumeration(layers, params)
    start = Gibbs(energy).init(stream(seed).rows(n_chains), params.units)
    unknown = (None,) * len(energy.units)
    return truth, Problem(energy, params, start, unknown)


SHAPES = [[[8], [5]], [[5], [8]], [[6], [6]], [[4], [4], [4]], [[3, 3], [4], [2]]]
QUICK = AISOptions(n_betas=(100, 300), burn_in=100, n_steps=40)


@pytest.mark.release
def test_exact_values_are_inside():
    """A bound of four standard deviations below the 0.95 that one side alone has."""
    inside, effort = [], QUICK._replace(n_betas=(50, 150), burn_in=50, n_steps=20)
    for seed in range(60):
        layers = SHAPES[seed % len(SHAPES)]
        scale = 0.3 * 10 ** (seed / 60)
        truth, given = problem(layers, seed, scale, n_chains=50)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = bracket.estimate(stream(seed), given, effort)
        if not caught:
            inside.append(found.lower <= truth.log_Z <= found.upper)
        assert found.lower <= found.log_Z <= found.upper
    assert len(inside) > 50
    assert np.mean(inside) > 0.95 - 4 * np.sqrt(0.95 * 0.05 / len(inside))


# A schedule knows of no units, but for an adaptive one, which measures the work.
@pytest.mark.release(default=["classifier-linear"])
@pytest.mark.parametrize(
    "name, schedule",
    [
        ("classifier", "linear"),
        ("gaussian", "quadratic"),
        ("mixture", "sigmoid"),
        *product(MIXED, ["adaptive"]),
    ],
)
def test_every_schedule_and_unit(name, schedule):
    energy, params = random_machine(MIXED[name], seed=1)
    truth = Enumeration(MIXED[name], params)
    start = Gibbs(energy).init(stream(0).rows(200), params.units)
    given = Problem(energy, params, start, some_moments(energy))
    effort = QUICK._replace(schedule=schedule, n_betas=(200,))
    found = bracket.estimate(stream(2), given, effort)
    assert found.n_betas == 200
    for one in (found.forward, found.reverse, found.tempered):
        assert abs(one.log_Z - truth.log_Z) < 4 * one.se + 0.02
    assert abs(found.log_Z - truth.log_Z) < 4 * found.se


def test_bad_mixing_is_warned_of():
    energy, params = random_machine([[12], [12]], seed=0)
    W = (np.full((12, 12), 4.0),)
    params = params._replace(
        units=(np.full(12, -24.2), np.full(12, -24.0)), couplings=W
    )
    start = State(tuple(np.ones((50, 12)) for _ in range(2)))
    given = Problem(energy, params, start, (None, None))
    with pytest.warns(LikelihoodWarning, match="Raise"):
        bracket.estimate(stream(0), given, QUICK._replace(n_betas=(10,)))


@pytest.mark.exhaustive
def test_a_brief_run_is_enough_for_easy_models():
    """Errors of a bound of three and a half standard errors, and of them together."""
    errors = []
    for seed in range(12):
        truth, given = problem(SHAPES[seed % len(SHAPES)], seed, scale=0.7)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = bracket.estimate(stream(seed), given)
        assert found.se <= bracket.BRIEF.max_se
        if seed < 3:
            brief = bracket.estimate(stream(seed), given, bracket.BRIEF)
            assert (brief.log_Z, brief.se) == (found.log_Z, found.se)
        errors.append((found.log_Z - truth.log_Z) / max(found.se, 1e-3))
    assert np.abs(errors).max() < 3.5
    assert np.mean(np.square(errors)) < 2.5


def test_models_of_which_it_is_not_sure_take_the_usual_run_alone(monkeypatch):
    _, given = problem([[8], [5]], seed=1)
    brief = bracket.BRIEF._replace(max_se=1e-9)
    monkeypatch.setattr(bracket, "BRIEF", brief)
    found = bracket.estimate(stream(0), given)
    usual = bracket.estimate(stream(0), given, AISOptions())
    assert (found.log_Z, found.n_betas) == (usual.log_Z, 300)
    np.testing.assert_array_equal(found.forward.log_w, usual.forward.log_w)


@pytest.mark.parametrize(
    "change, sure",
    [
        ({}, True),
        ({"se": 0.08}, False),
        ({"reverse": side(1.4)}, True),
        ({"reverse": side(1.5)}, False),
        ({"tempered": side(0.6)}, False),
        ({"tempered": side(1.25)}, True),
    ],
)
def test_a_brief_run_is_sure_if_three_estimates_agree(change, sure):
    one = side(1.0)
    sides = {"forward": one, "reverse": one, "tempered": one}
    found = bracket.exactly(1.0, 100)._replace(se=0.05, **sides)
    assert bracket._is_sure(found._replace(**change)) == sure


def test_temperatures_are_added_while_the_standard_error_is_too_large():
    _, given = problem([[8], [5]], seed=1)
    few = bracket.estimate(stream(0), given, QUICK._replace(n_betas=(10,)))
    for share, expected in (np.inf, 10), (0.8, 80), (0.4, 10):
        effort = QUICK._replace(n_betas=(10, 80, 400), max_se=share * few.se)
        assert bracket.estimate(stream(0), given, effort).n_betas == expected


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["rbm", "real"])
def test_the_same_for_any_number_of_jobs(name):
    layers = {"rbm": [[9], [7]], "real": MIXED["gaussian"]}[name]
    energy, params = random_machine(layers, seed=3)
    start = Gibbs(energy).init(stream(0).rows(300), params.units)
    given = Problem(energy, params, start, some_moments(energy))
    one, two = (
        bracket.estimate(stream(0), given, QUICK._replace(n_jobs=n_jobs))
        for n_jobs in (None, 2)
    )
    np.testing.assert_array_equal(one.forward.log_w, two.forward.log_w)
    np.testing.assert_array_equal(one.reverse.log_w, two.reverse.log_w)
    assert one.lower == two.lower
    assert one.upper == two.upper


def test_more_temperatures_are_tried_while_sides_disagree():
    _, given = problem([[4], [3]], seed=0)
    strict = QUICK._replace(n_betas=(3, 7, 20), max_gap=1e-9)
    with pytest.warns(LikelihoodWarning, match="Raise n_betas"):
        assert bracket.estimate(stream(0), given, strict).n_betas == 20
    assert bracket.estimate(stream(0), given, QUICK).n_betas == 100


def test_what_is_known_has_no_width():
    found = bracket.exactly(2.5, 100)
    assert (found.lower, found.upper, found.se) == (2.5, 2.5, 0.0)
    assert found.forward is None
