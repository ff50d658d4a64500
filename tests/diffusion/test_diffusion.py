"""Diffusions: scores, densities and bounds of known distributions, and draws."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, norm
from sklearn.base import clone
from sklearn.datasets import make_moons

from skdgm import FVBN, Diffusion
from skdgm.diffusion._covariates import Covariates
from skdgm.diffusion._density import DiffusionDensity
from skdgm.diffusion._field import Field, add_noise, heun_steps, integrate_flow
from skdgm.diffusion._layout import ColumnLayout
from skdgm.diffusion._matching import Denoiser, MatchingObjective
from skdgm.diffusion._noise import NoiseSchedule, Whitening
from skdgm.exceptions import OutlierWarning
from skdgm.nets import NetState
from skdgm.utils.random import stream
from skdgm.utils.rows import Rows
from tests.numerical import numerical_gradient
from tests.options import grouped
from tests.suites import DTYPES

MOONS, SIDE = make_moons(600, noise=0.1, random_state=0)
SHORT = {"n_iter": 30, "batch_size": 50, "learning_rate": 0.01, "random_state": 0}
SMALL = SHORT | {"hidden_layer_sizes": (24, 24), "column_types": "gaussian"}

# A mixture of normal distributions, far from normal, by its exact velocity.
MEANS = np.array([[-1.2, 0.5], [0.9, 0.9], [0.4, -1.1]])
SHARES, ROOT = np.array([0.5, 0.3, 0.2]), 0.4
COVARIANCE = ROOT**2 * np.eye(2) + (MEANS.T * SHARES) @ MEANS
COVARIANCE -= np.outer(SHARES @ MEANS, SHARES @ MEANS)
WHITENING = Whitening.of(SHARES @ MEANS, COVARIANCE)
SCHEDULE = NoiseSchedule(WHITENING.size)


def log_mixture(x, noise=0.0, shift=1.0):
    """Log density of the mixture, shrunk to its mean and with noise."""
    center = WHITENING.backward.b + shift * (MEANS - WHITENING.backward.b)
    variance = (shift * ROOT) ** 2 + noise**2
    gap = ((x[:, None] - center) ** 2).sum(axis=2) / (2 * variance)
    return logsumexp(np.log(SHARES) - gap, axis=1) - np.log(2 * np.pi * variance)


class ExactField(Field):
    """Velocity of the mixture, in closed form."""

    def velocity(self, y, time, extra=None):
        # Of all rows.
        angles = self.at(y, np.ravel(time)[0])
        shift, noise = np.cos(angles.phi), np.sin(angles.phi)
        x = WHITENING.mixed(y, angles) + WHITENING.backward.b

        score = np.empty_like(x)
        for j in range(2):
            step = np.zeros(2)
            step[j] = 1e-5
            high, low = (log_mixture(x + s * step, noise, shift) for s in (1, -1))
            score[:, j] = (high - low) / 2e-5
        spread = np.hypot(shift * WHITENING.size, noise)
        by_y = score @ WHITENING.backward.W.T * (spread / WHITENING.size)
        return -(by_y + y) * np.tan(np.minimum(angles.psi, 1.5707))

    def divergence(self, y, time, probe=None, extra=None):
        rate, found = self.at(y, time).rate, 0.0
        for j in range(2):
            step = np.zeros(2)
            step[j] = 1e-3
            high, low = (self.velocity(y + s * step, time)[:, j] for s in (1, -1))
            found = found + rate[:, j] * (high - low) / 2e-3
        return self.velocity(y, time), found


EXACT = ExactField(None, (), (), SCHEDULE)


def test_frames_turn_components():
    rng = np.random.default_rng(0)
    mean, root = rng.normal(size=4), rng.normal(size=(4, 4))
    whitening, v = Whitening.of(mean, root @ root.T), rng.normal(size=(5, 4))
    np.testing.assert_allclose(whitening.rows(whitening.components(v)), v)
    z = whitening.components(mean + rng.normal(size=(20_000, 4)) @ root.T)
    np.testing.assert_allclose(np.cov(z.T), np.eye(4), atol=0.05)
    W = whitening.forward.W
    np.testing.assert_allclose(whitening.log_volume, np.linalg.slogdet(W)[1])
    # Columns with noise are those of turned components.
    angles, noise = NoiseSchedule(whitening.size)(0.3, float), rng.normal(size=(5, 4))
    y = angles.cos * whitening.components(v) + angles.sin * noise
    Q = W * whitening.size
    expected = np.cos(angles.phi) * (v - mean) + np.sin(angles.phi) * noise @ Q.T
    np.testing.assert_allclose(whitening.mixed(y, angles), expected)
    np.testing.assert_allclose(whitening.unmixed(expected, angles), y)


def test_clocks_tell_the_mean_angle():
    size, times = np.array([2.0, 1.0, 0.01]), np.linspace(0, 1, 101)
    schedule = NoiseSchedule(size)
    angles = schedule(times, float)
    found = np.average(angles.psi, axis=1, weights=size) * 2 / np.pi
    np.testing.assert_allclose(found, times, atol=1e-3)
    slope = np.gradient(angles.psi, times, axis=0)[10:90]
    np.testing.assert_allclose(angles.rate[10:90], slope, rtol=0.05, atol=0.02)
    np.testing.assert_allclose(schedule.time_of(np.tan(angles.phi[50, 0])), times[50])


def test_the_flow_has_the_density_of_a_mixture():
    x = MEANS[[0, 1, 2, 0]] + np.random.default_rng(0).normal(size=(4, 2)) * 0.5
    y, log_volume = integrate_flow(EXACT, WHITENING.components(x), 40)
    found = norm.logpdf(y).sum(axis=1) + log_volume + WHITENING.log_volume
    np.testing.assert_allclose(found, log_mixture(x), atol=5e-3)


def test_draws_by_the_flow_and_with_noise_have_the_moments_of_a_mixture():
    n = 4000
    drawn = stream(0).rows(n).normal(2)
    flow = heun_steps(EXACT, drawn, np.linspace(1, 0, 21))
    again = add_noise(EXACT, flow, 0.0, 0.4, stream(1).rows(n))
    again = heun_steps(EXACT, again, np.linspace(0.4, 0, 9))
    for z in flow, again:
        x = WHITENING.rows(z)
        for function, expected in (
            (lambda v: v, WHITENING.backward.b),
            (lambda v: v**2, np.diag(COVARIANCE) + WHITENING.backward.b**2),
        ):
            error = function(x).std(axis=0) / np.sqrt(n)
            assert (abs(function(x).mean(axis=0) - expected) < 5 * error + 0.01).all()


@pytest.mark.exhaustive
def test_the_bound_of_the_exact_velocity_is_the_density():
    x = MEANS + np.array([0.2, -0.1])
    n = 5000
    time = (np.arange(n) + 0.5) / n
    noise = stream(3).rows(n).normal(2)
    for row, expected in zip(x, log_mixture(x)):
        v = np.tile(row, (n, 1))
        layout = ColumnLayout(np.arange(2), np.arange(0))
        denoised = Denoiser(None, layout, (), (), WHITENING, SCHEDULE).add_noise(
            v, time, noise
        )
        angles = SCHEDULE(time, np.float64)
        y = angles.cos * WHITENING.components(v) + angles.sin * noise
        velocity = np.concatenate(
            [EXACT.velocity(y[k : k + 1], time[k]) for k in range(0, n, 10)]
        )
        part = denoised.weight[::10] * velocity
        part = (part * (velocity - 2 * denoised.velocity[::10])).sum(axis=1)
        losses = denoised.normal[::10] + part
        error = losses.std() / np.sqrt(len(losses))
        assert abs(-losses.mean() - expected) < 5 * error


@pytest.fixture(scope="module")
def model():
    return grouped(Diffusion, **SMALL).fit(MOONS)


def test_losses_that_end_training_are_hardly_random(model):
    """Means of few held-out rows agree for all random numbers, by which times and noise
    are drawn once for all epochs."""
    density, n = model.density_, 30
    objective = object.__new__(MatchingObjective)
    objective.net, objective.layout = density.net, density.layout
    objective.covariates, objective.width = density.covariates, density.width
    objective._cached_size = None
    objective.rows = Rows((MOONS[:n] - MOONS.mean(axis=0)) / MOONS.std(axis=0), float)
    state = NetState(density.params, (), (density.statistics, density.whitening))
    index, streams = np.arange(n), (stream(seed).rows(n) for seed in range(40))
    found = [objective.losses(state, index, rng) for rng in streams]
    means = np.mean(found, axis=1)
    exact = model.set_params(likelihood="bound", n_draws=400).score(MOONS[:n])
    model.set_params(likelihood="flow", n_draws=20)
    exact = -exact - np.log(MOONS.std(axis=0)).sum()
    assert means.std() < 0.1
    assert abs(means.mean() - exact) < 0.04


def grid(n=100):
    side = np.linspace(-3, 4, n)
    points = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    return points, (side[1] - side[0]) ** 2


def test_density_of_two_columns_integrates_to_one(model):
    points, area = grid()
    total = np.exp(model.set_params(n_steps=8).score_samples(points)).sum() * area
    np.testing.assert_allclose(total, 1, atol=0.01)


def test_density_of_one_column_integrates_to_one():
    X = np.random.default_rng(0).gamma(2.0, 100.0, (300, 1))
    found = grouped(Diffusion, **SMALL).fit(X)
    side = np.linspace(-1500, 3000, 4000)
    total = np.exp(found.score_samples(side[:, None])).sum() * (side[1] - side[0])
    np.testing.assert_allclose(total, 1, atol=0.01)
    assert found.score(X) > FVBN(column_types="gaussian").fit(X).score(X) + 0.02


@pytest.mark.exhaustive
@pytest.mark.parametrize("sampler", ["flow", "ancestral"])
def test_draws_have_the_density(model, sampler):
    points, area = grid()
    p = np.exp(model.set_params(n_steps=8).score_samples(points)) * area
    drawn = model.set_params(n_steps=20, sampler=sampler).sample(3000, random_state=0)
    # The diffusion in reverse and the flow agree only if the velocity is exact.
    slack = 0.02 if sampler == "flow" else 0.1
    for function in (lambda v: v, lambda v: v**2, lambda v: v[:, :1] * v[:, 1:]):
        given, expected = function(drawn), p @ function(points)
        error = given.std(axis=0) / np.sqrt(len(drawn))
        assert (abs(given.mean(axis=0) - expected) < 5 * error + slack).all()


def test_bounds_are_below_and_say_so(model):
    flow = model.score(MOONS[:200])
    model.set_params(likelihood="bound", n_draws=200)
    bound = model.score_samples(MOONS[:200])
    assert model.density_kind_ == "lower bound"
    np.testing.assert_array_equal(model.score_samples(MOONS[:200]), bound)
    np.testing.assert_array_equal(model.score_samples(MOONS[5:9]), bound[5:9])
    model.set_params(likelihood="flow", n_draws=20)
    assert model.density_kind_ == "estimate"
    assert flow - 0.3 < bound.mean() < flow + 0.05


def test_divergences_are_those_of_differences(model):
    field, step = model.density_.field(np.float64), 1e-6
    y, time = np.random.default_rng(0).normal(size=(5, 2)), 0.4
    v, found = field.divergence(y, time)
    np.testing.assert_allclose(v, field.velocity(y, time))
    rate = field.at(y, time).rate
    expected = 0.0
    for j in range(2):
        moves = np.eye(2)[j] * step
        high, low = (field.velocity(y + s * moves, time)[:, j] for s in (1, -1))
        expected = expected + rate[:, j] * (high - low) / (2 * step)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    signs = [np.tile(pair, (5, 1)) for pair in ([1.0, 1.0], [1.0, -1.0])]
    mean = np.mean([field.divergence(y, time, probe)[1] for probe in signs], axis=0)
    np.testing.assert_allclose(mean, found)


@pytest.mark.release
def test_normal_rows_have_exact_scores_and_densities():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 3)) @ rng.normal(size=(3, 3)) * [1.0, 10.0, 0.1] + 5
    start = Diffusion(column_types="gaussian", n_iter=0).fit(X)
    normal, scale = start.density_.proposal, X.std(axis=0)
    mean = X.mean(axis=0) + scale * normal.mean
    covariance = normal.covariance * np.outer(scale, scale)
    np.testing.assert_allclose(covariance, np.cov(X.T), rtol=0.1)
    expected = multivariate_normal(mean, covariance).logpdf(X[:50])
    np.testing.assert_allclose(start.score_samples(X[:50]), expected, rtol=1e-8)
    for noise in (0.01, 1.0):
        wide = covariance + noise**2 * np.diag(scale**2)
        expected = -np.linalg.solve(wide, (X[:50] - mean).T).T
        found = start.log_density_gradient(X[:50], noise=noise)
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)
    found = np.cov(start.sample(5000, random_state=0).T)
    deviations = np.sqrt(np.diag(covariance))
    error = abs(found - covariance) / np.outer(deviations, deviations)
    assert error.max() < 5 * np.sqrt(2 / 5000)
    # Given the last column, the others are normal, too.
    x = X[:1].copy()
    x[0, :2] = np.nan
    drawn = start.conditional_sample(x, n_samples=2000, random_state=0)[:, :2]
    slope = covariance[:2, 2] / covariance[2, 2]
    center = mean[:2] + slope * (x[0, 2] - mean[2])
    within = covariance[:2, :2] - np.outer(slope, covariance[2, :2])
    sd = np.sqrt(np.diag(within))
    assert (abs(drawn.mean(axis=0) - center) < 4 / 2000**0.5 * sd).all()
    np.testing.assert_allclose(drawn.std(axis=0), sd, rtol=4 / 4000**0.5)
    # Weights are those of particles that need none, in however few steps.
    start.set_params(n_steps=2)
    drawn = start.sample(2000, random_state=0, conditions={2: x[0, 2]})[:, :2]
    assert (abs(drawn.mean(axis=0) - center) < 4 / 2000**0.5 * sd).all()


@pytest.mark.exhaustive
def test_particles_given_a_value_have_the_exact_distribution(monkeypatch):
    """Of two of three components, whose odds no normal distribution tells."""
    monkeypatch.setattr(DiffusionDensity, "field", lambda *_: EXACT)
    density = object.__new__(DiffusionDensity)
    density.layout = ColumnLayout(np.arange(2), np.arange(0))
    density.whitening, density.schedule = WHITENING, SCHEDULE
    density.options = SimpleNamespace(n_steps=20, n_resamplings=8, guidance=0)
    value, n = 0.6, 600
    v = np.tile([value, np.nan], (n, 1))
    drawn = density._clamped(v, stream(0).rows(n), np.zeros((n, 0)))
    assert (drawn[:, 0] == value).all()
    share = SHARES * norm.pdf(value, MEANS[:, 0], ROOT)
    share /= share.sum()
    low = (drawn[:, 1] < 0).mean()
    exact = share @ norm.cdf(0, MEANS[:, 1], ROOT)
    assert abs(low - exact) < 3 * (0.25 / n) ** 0.5
    mean = share @ MEANS[:, 1]
    sd = (ROOT**2 + share @ (MEANS[:, 1] - mean) ** 2) ** 0.5
    assert abs(drawn[:, 1].mean() - mean) < 3 * sd / n**0.5
    assert abs(drawn[:, 1].std() / sd - 1) < 0.08


def test_densities_of_known_entries_are_exact(monkeypatch):
    """Means of the particles' weights, in however few particles."""
    monkeypatch.setattr(DiffusionDensity, "field", lambda *_: EXACT)
    density = object.__new__(DiffusionDensity)
    density.layout = ColumnLayout(np.arange(2), np.arange(0))
    density.covariates, density.net = Covariates(), None
    density.whitening, density.schedule, density.width = WHITENING, SCHEDULE, 10
    density.options = SimpleNamespace(n_steps=20, n_draws=3, guidance=0)
    value, n = 0.6, 200
    v, covariates = np.tile([value, np.nan], (n, 1)), np.zeros((n, 0))
    p = np.exp(density._bounds(v, stream(0).rows(n), covariates))
    exact = SHARES @ norm.pdf(value, MEANS[:, 0], ROOT)
    assert abs(p.mean() - exact) < 4 * p.std() / n**0.5 < 0.1 * exact


@pytest.mark.exhaustive
def test_scores_are_those_of_the_density(model):
    x, noise = MOONS[:4].astype(np.float64), 0.5

    points, area = grid()
    p, s = np.exp(model.score_samples(points)) * area, noise * MOONS.std(axis=0)

    def smooth(params):
        # Density of rows with noise, by a grid.
        kernels = norm.logpdf(params[0][:, None], points, s).sum(axis=2)
        return logsumexp(np.log(p) + kernels, axis=1).sum()

    expected = numerical_gradient(smooth, (x,))[0]
    found = model.log_density_gradient(x, noise=noise)
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.9
    for wrong in 0.0, np.inf, "1":
        with pytest.raises(ValueError, match="noise must be a number above 0"):
            model.log_density_gradient(x, noise=wrong)
    with pytest.raises(ValueError, match="require complete rows"):
        model.log_density_gradient([[0.0, np.nan]])


def test_codes_and_back(model):
    model.set_params(n_steps=60)
    back = model.inverse_transform(model.transform(MOONS))
    np.testing.assert_allclose(back, MOONS, atol=0.02)


@pytest.mark.release
def test_missing_entries(model):
    x = MOONS[:10].copy()
    x[:, 1] = np.nan
    side = np.linspace(-3, 4, 400)
    rows = [np.column_stack([np.full(400, value), side]) for value in x[:, 0]]
    p = np.exp(model.score_samples(np.concatenate(rows))).reshape(10, -1)
    expected = np.log(p.sum(axis=1) * (side[1] - side[0]))
    mean = p @ side / p.sum(axis=1)
    model.set_params(n_draws=100, n_steps=8)
    np.testing.assert_allclose(model.score_samples(x), expected, atol=0.5)
    filled = model.impute(x)
    model.set_params(n_draws=20)
    np.testing.assert_array_equal(filled[:, 0], x[:, 0])
    assert abs(filled[:, 1] - mean).mean() < 0.15
    assert model.transform(x).shape == (10, 2)
    assert (model.score_samples(np.full((1, 2), np.nan)) == 0).all()


def test_missing_entries_are_drawn_from_a_mixture_in_a_fit():
    """Draws of a single normal distribution would have the diffusion keep to it."""
    holes = np.random.default_rng(0).random(MOONS.shape) < 0.3
    holes[holes.all(axis=1)] = False
    X = np.where(holes, np.nan, MOONS)
    density = grouped(Diffusion, **SMALL | {"n_iter": 1}).fit(X).density_
    v, whole = ((x - density.columns.mean) / density.columns.scale for x in (X, MOONS))
    drawn = []
    for law in (density.proposal, density.whitening.normal):
        log_q = law.given(v).log_q(whole)[holes.any(axis=1)]
        drawn.append(log_q.mean())
    assert drawn[0] > drawn[1] + 0.3


def test_draws_under_conditions(model):
    drawn = model.sample(200, random_state=0, conditions={0: 0.5})
    assert (drawn[:, 0] == 0.5).all()
    drawn = model.sample(50, random_state=0, conditions={0: 0.5, 1: slice(0, None)})
    assert ((drawn[:, 0] == 0.5) & (drawn[:, 1] >= 0)).all()
    drawn = model.sample(50, random_state=0, conditions={1: slice(-0.2, 0.3)})
    assert (abs(drawn[:, 1] - 0.05) <= 0.25).all()
    # Where no value is known, steps are those of draws without conditions.
    other = clone(model).set_params(n_iter=1).fit(MOONS[:50])
    wide = other.sample(3, random_state=0, conditions={1: slice(-50, 50)})
    other.set_params(n_resamplings=1)
    again = other.sample(3, random_state=0, conditions={1: slice(-50, 50)})
    np.testing.assert_array_equal(wide, again)
    with pytest.raises(ValueError, match="conditions names 7"):
        model.sample(2, conditions={7: 0.5})
    with pytest.raises(ValueError, match="none of .* draws satisfies the conditions"):
        model.sample(2, conditions={0: slice(1e5, None)})


def test_classes():
    y = np.array(["up", "down"])[SIDE]
    model = grouped(Diffusion, class_conditional=True, **SMALL).fit(MOONS, y)
    for own in "up", "down":
        drawn = model.sample(800, random_state=0, y=own)
        expected = MOONS[y == own].mean(axis=0)
        assert (abs(drawn.mean(axis=0) - expected) < 0.2).all()
    both = model.sample(800, random_state=0)
    assert (abs(both.mean(axis=0) - MOONS.mean(axis=0)) < 0.2).all()
    plain = model.sample(4, random_state=0, y="up")
    model.set_params(guidance=1.0)
    assert (model.sample(4, random_state=0, y=["up"] * 4) != plain).any()
    given = model.sample(5, random_state=0, y="up", conditions={0: 0.0})
    assert (given[:, 0] == 0).all()
    # Under ranges, too, each row is of the class that was asked for at its place.
    each = np.array(["up", "down"] * 40)
    drawn = model.sample(80, random_state=0, y=each, conditions={0: slice(-3, 3)})
    assert drawn[each == "up", 1].mean() - drawn[each == "down", 1].mean() > 0.5
    assert np.isfinite(model.score_samples(MOONS[:5])).all()
    with pytest.raises(ValueError, match="fit needs y"):
        Diffusion(class_conditional=True).fit(MOONS)
    with pytest.raises(ValueError, match="not conditional"):
        Diffusion(n_iter=0).fit(MOONS).sample(2, y="up")


@pytest.mark.release
def test_few_rows_are_not_learned_by_heart():
    X = np.random.default_rng(0).normal(size=(60, 4))
    start = grouped(Diffusion, **SHORT | {"n_iter": 0}).fit(X)
    kept = grouped(Diffusion, **SHORT | {"n_iter": 300}, early_stopping=True).fit(X)
    plain = grouped(Diffusion, **SHORT | {"n_iter": 300}).fit(X)
    held_out = np.random.default_rng(1).normal(size=(300, 4))
    scores = [one.set_params(n_steps=8).score(held_out) for one in (start, kept, plain)]
    assert kept.n_iter_ < 200
    assert scores[1] > scores[0] - 0.5 > scores[2]


def test_many_columns_begin_independent():
    X = np.random.default_rng(0).normal(size=(20, 1100))
    start = Diffusion((4,), column_types="gaussian", n_iter=0).fit(X)
    z = (X - X.mean(axis=0)) / X.std(axis=0)
    expected = norm.logpdf(z).sum(axis=1) - np.log(X.std(axis=0)).sum()
    np.testing.assert_allclose(start.score_samples(X), expected, rtol=1e-6)
    X[0, :5] = np.nan
    assert np.isfinite(start.set_params(n_draws=2, n_steps=2).impute(X)).all()
    assert np.isfinite(start.score_samples(X)).all()


HARD = {
    "one row": np.ones((1, 3)),
    "three rows": np.arange(12.0).reshape(3, 4) ** 2,
    "constant": np.column_stack([MOONS, np.full(600, 7.0)]),
    "wide": np.random.default_rng(0).normal(size=(12, 30)),
    "collinear": MOONS @ [[1.0, 1.0, 2.0], [0.0, 1e-9, 1.0]],
    "holes": np.where(np.random.default_rng(1).random((600, 2)) < 0.3, np.nan, MOONS),
}


@pytest.mark.exhaustive(default=["constant-float64", "three"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", HARD)
def test_hard_tables_are_learned(name, dtype):
    X = HARD[name].astype(dtype)
    model = grouped(Diffusion, **SMALL | {"n_iter": 4}, n_draws=3, n_steps=5).fit(X)
    assert np.isfinite(model.score_samples(X)).all()
    drawn = model.sample(20, random_state=0)
    assert np.isfinite(drawn).all()
    assert drawn.dtype == dtype


@pytest.mark.exhaustive
def test_an_outlier_is_told_of():
    X = np.random.default_rng(0).normal(size=(2000, 2))
    X[7, 1] = 1e6
    with pytest.warns(OutlierWarning, match="row 7"):
        model = grouped(Diffusion, **SMALL | {"n_iter": 3}).fit(X)
    assert np.isfinite(model.score_samples(X)).all()


def test_what_needs_more_memory_than_there_is(monkeypatch):
    monkeypatch.setattr("skdgm.nets.estimator.physical", lambda: 2**20)
    with pytest.raises(MemoryError, match="Diffusion has .* Lower hidden"):
        Diffusion((20_000, 20_000), column_types="gaussian").fit(MOONS)
