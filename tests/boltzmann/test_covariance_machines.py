"""Machines of means and covariances beside quadrature in two dimensions."""

import numpy as np
import pytest
from scipy.special import logsumexp
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from skdgm import GaussianRBM, MeanCovarianceRBM, MeanProductOfT, SpikeSlabRBM
from skdgm.boltzmann._covariance import annealing, slabs
from skdgm.boltzmann._covariance.moves import Trajectories
from skdgm.boltzmann._covariance.objective import log_conditional
from skdgm.distributions import Normal
from skdgm.energies import spike_slab
from skdgm.energies.covariance import Covariance, CovarianceParams
from skdgm.exceptions import DivergenceError, LikelihoodWarning
from skdgm.metrics import likelihood_bracket, partition_bracket, raise_log_likelihood
from skdgm.samplers import State
from skdgm.utils.random import stream
from tests.numerical import assert_means
from tests.options import assign

GRID = np.linspace(-9, 9, 361)
CELL = (GRID[1] - GRID[0]) ** 2


CORRELATION = 0.95


def correlated(n):
    """Normal rows of two correlated columns."""
    covariance = [[1, CORRELATION], [CORRELATION, 1]]
    return np.random.default_rng(0).multivariate_normal([0, 0], covariance, n)


def crossed(n, seed):
    """Rows on one or the other of two crossed lines, with noise."""
    rng = np.random.default_rng(seed)
    along, across = rng.normal(size=n), 0.15 * rng.normal(size=n)
    turn = np.where(rng.random(n) < 0.5, 1, -1)
    return np.stack([along + across, turn * (along - across)], axis=1)


X = crossed(800, seed=0)


@pytest.fixture(scope="module", autouse=True)
def by_chains():
    """Few spikes, too, are learned and scored by chains, as many are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spike_slab, "_MAX_ENUMERATED", 0)
        yield


@pytest.fixture
def by_sums(monkeypatch):
    """Few spikes are summed over."""
    monkeypatch.setattr(spike_slab, "_MAX_ENUMERATED", 10)


@pytest.fixture(
    scope="module",
    params=[MeanCovarianceRBM, MeanProductOfT, SpikeSlabRBM],
)
def fitted(request):
    sizes = (4,) if request.param is SpikeSlabRBM else (3, 4)
    machine = request.param(*sizes, n_iter=8, learning_rate=0.08, random_state=0)
    return machine.fit(X)


@pytest.fixture(scope="module")
def density(fitted):
    """Probabilities of the points of a grid of standardized rows, and log Z."""
    v = np.stack(np.meshgrid(GRID, GRID, indexing="ij"), axis=-1).reshape(-1, 2)
    free, _ = fitted.density_.energy.value(fitted.density_.params, (v,))
    log_Z = logsumexp(-free) + np.log(CELL)
    p = np.exp(-free - log_Z) * CELL
    assert p.sum() == pytest.approx(1)
    return v, p, log_Z


def test_log_Z_is_that_of_quadrature(fitted, density):
    assert abs(fitted.log_Z_ - density[2]) < 4 * fitted.log_Z_se_ + 1e-3
    assert fitted.log_Z_se_ < 0.1
    volume = -np.log(fitted.scale_).sum()
    expected = -fitted.free_energy(X) - fitted.log_Z_ + volume
    np.testing.assert_allclose(fitted.score_samples(X), expected)
    assert fitted.density_kind_ == "estimate"


def test_few_spikes_are_summed_over(by_sums):
    machine = SpikeSlabRBM(3, n_iter=3, learning_rate=0.08, random_state=0).fit(X)
    assert machine.density_kind_ == "exact"
    assert machine.density_.capabilities["sample"] == {"unconditional": "exact"}
    v = np.stack(np.meshgrid(GRID, GRID, indexing="ij"), axis=-1).reshape(-1, 2)
    scores = machine.score_samples(v * machine.scale_ + machine.mean_)
    p = np.exp(scores) * CELL * machine.scale_.prod()
    assert p.sum() == pytest.approx(1, abs=1e-4)
    assert partition_bracket(machine).se == 0
    drawn = (machine.sample(2000, random_state=0) - machine.mean_) / machine.scale_
    assert_means(drawn, p @ v)
    assert_means(drawn[:, :1] * drawn, p @ (v[:, :1] * v))


@pytest.mark.exhaustive
def test_chains_need_not_cross_between_clusters(by_sums):
    """Persistent chains stay in one of them; held-out -7 to -10 nats for -.76."""
    rng = np.random.default_rng(0)
    side = rng.integers(0, 2, (400, 1)) * 2 - 1.0
    rows = side + 0.25 * rng.normal(size=(400, 2))
    machine = SpikeSlabRBM(4, n_iter=200, learning_rate=0.03, random_state=0)
    assert machine.fit(rows[:200]).score(rows[200:]) > -0.9
    assert np.mean(machine.sample(500, 0)[:, 0] > 0) == pytest.approx(0.5, abs=0.1)


@pytest.mark.exhaustive(default=["Covariance", "SpikeSlab"])
def test_brackets_hold_the_likelihood(fitted, density):
    log_Z = density[2]
    options = {"n_chains": 60, "n_betas": (30, 100), "burn_in": 100, "random_state": 1}
    found = partition_bracket(fitted, **options)
    assert found.lower < found.log_Z < found.upper
    assert found.lower - 3 * found.se < log_Z < found.upper + 3 * found.se
    assert len(found.forward.log_w) == 60
    again = likelihood_bracket(fitted, X[:20], **options)
    assert again.kind == "estimate"
    assert again.log_Z.log_Z == found.log_Z
    free = fitted.free_energy(X[:20]).mean() + np.log(fitted.scale_).sum()
    assert again.log_likelihood == pytest.approx(-free - found.log_Z)
    assert again.lower == pytest.approx(-free - found.upper)
    # Those of rows with missing entries have an error of their own.
    holes = np.where(np.arange(40).reshape(20, 2) % 3, X[:20], np.nan)
    again = likelihood_bracket(fitted, holes, **options)
    assert again.se > again.log_Z.se
    with pytest.raises(ValueError, match="adaptive"):
        partition_bracket(fitted, schedule="adaptive")
    with pytest.raises(TypeError, match="raise_log_likelihood is for layered"):
        raise_log_likelihood(fitted, X)


def test_both_sides_of_annealing_hold_log_Z(fitted, density):
    # By few temperatures, one side is too low and one too high on the average.
    machine = fitted.density_
    v, p, log_Z = density
    rng = np.random.default_rng(0)
    exact = v[rng.choice(len(v), 400, p=p)]
    betas = np.linspace(0, 1, 3)
    known = machine.moves, machine.params, machine.size, machine.guide
    path = annealing.MovesPath(*known)
    rows = stream(3).rows(400)
    start = rows.normal(2)
    up = annealing.weights(rows, path, start, betas)
    down = annealing.weights(rows, path, exact, betas[::-1])
    base = np.log(2 * np.pi) + machine.moves.log_base(machine.params)
    assert_means(np.exp(base + up - log_Z), 1)
    assert_means(np.exp(down - base + log_Z), 1)
    assert up.mean() + base < log_Z < base - down.mean()


def test_annealing_of_rows_that_are_known_is_exact(fitted):
    machine = fitted.density_
    given = machine.moves, machine.params, X[:5], machine.size, machine.guide
    found, se = annealing.log_integral(stream(0).rows(5), *given)
    free, _ = machine.energy.value(machine.params, (X[:5],))
    np.testing.assert_allclose(found, -free)
    np.testing.assert_allclose(se, 0, atol=1e-9)


@pytest.mark.exhaustive(default=["Covariance", "SpikeSlab"])
def test_rows_with_missing_entries(fitted, density):
    _, p, log_Z = density
    rows = np.array([[0.5, np.nan], [-1.0, np.nan], [np.nan, np.nan]])
    raw = rows * fitted.scale_ + fitted.mean_
    marginal = p.reshape(len(GRID), -1).sum(axis=1) / np.sqrt(CELL)
    expected = np.log(np.interp([0.5, -1.0], GRID, marginal)) - np.log(fitted.scale_[0])
    # By five short chains each.
    found = [fitted.score_samples(np.repeat(raw[[k]], 1, axis=0))[0] for k in range(3)]
    np.testing.assert_allclose(found, [*expected, 0], atol=0.3)
    many, _ = annealing.log_integral(
        stream(0).rows(400),
        fitted.density_.moves,
        fitted.density_.params,
        np.repeat(rows[:1], 400, axis=0),
        fitted.density_.size,
        fitted.density_.guide,
    )
    exact = np.log(np.interp(0.5, GRID, marginal)) + log_Z
    assert abs(np.log(np.exp(many - exact).mean())) < 0.05


@pytest.mark.exhaustive(default=["SpikeSlab"])
def test_the_work_of_a_score_is_bounded(fitted, monkeypatch):
    drawn, solved, machine = [], [], clone(fitted).set_params(n_iter=1).fit(X[:50])
    density = machine.density_
    kind, inv, solve = type(density.moves.sampler(0.1)), np.linalg.inv, np.linalg.solve
    step = kind.step

    def counted(self, rng, params, state, n_steps=1, first=0):
        drawn.append(len(state.x[0]) * n_steps)
        return step(self, rng, params, state, n_steps, first)

    def inverted(P):
        solved.append(P[..., 0].size)
        return inv(P)

    def of_system(P, b):
        solved.append(b[..., 0, :].size)
        return solve(P, b)

    monkeypatch.setattr(kind, "step", counted)
    monkeypatch.setattr(np.linalg, "inv", inverted)
    monkeypatch.setattr(np.linalg, "solve", of_system)
    machine.score(X[:12])
    assert 0 < sum(drawn) <= 100 * (600 + 2 * (100 + 300 + 1000))
    # One system of equations for a row of few columns, and no inverse.
    assert sum(solved) <= sum(drawn)
    drawn.clear()
    solved.clear()
    machine.score(np.where([True, False], X[:12], np.nan))
    assert 0 < sum(drawn) <= 12 * 5 * 30
    assert sum(solved) <= sum(drawn)


def test_draws_have_the_moments_of_quadrature(fitted, density):
    v, p, _ = density
    draws = fitted.sample(4000, random_state=0)
    drawn = (draws - fitted.mean_) / fitted.scale_
    for function in (
        lambda v: v,
        lambda v: v**2,
        lambda v: v[:, :1] ** 2 * v[:, 1:] ** 2,
    ):
        assert_means(function(drawn), p @ function(v))


def test_filled_entries_are_conditional(fitted, density):
    _, p, _ = density
    row = np.array([[1.0, np.nan]])
    place = np.argmin(np.abs(GRID - 1.0))
    given = p.reshape(len(GRID), -1)[place]
    given = given / given.sum()
    rows = np.repeat(row * fitted.scale_ + fitted.mean_, 2000, axis=0)
    found = fitted.impute(rows, method="sample", random_state=0)
    drawn = (found - fitted.mean_) / fitted.scale_
    np.testing.assert_allclose(drawn[:, 0], 1)
    assert_means(drawn[:, 1:], [given @ GRID])
    assert_means(drawn[:, 1:] ** 2, [given @ GRID**2])


@pytest.mark.exhaustive(default=["SpikeSlab"])
def test_the_pseudo_likelihood_is_that_of_quadrature(fitted, density):
    _, p, _ = density
    energy, params = fitted.density_.energy, fitted.density_.params
    p = p.reshape(len(GRID), -1)
    places = np.array([[170, 190], [200, 150]])
    for column in (0, 1):
        found = log_conditional(
            energy, params, GRID[places], np.array([column, column])
        )
        rest = p[:, places[:, 1]].T if column == 0 else p[places[:, 0]]
        own = rest[np.arange(2), places[:, column]] / rest.sum(axis=1)
        np.testing.assert_allclose(found, np.log(own / np.sqrt(CELL)), rtol=1e-4)


@pytest.mark.release
def test_covariances_differ_where_those_of_the_data_do():
    test = crossed(800, seed=1)
    machine = MeanCovarianceRBM(3, 4, n_iter=8, learning_rate=0.08, random_state=0)
    gaussian = GaussianRBM(8, n_iter=60, random_state=0).fit(X)
    assert machine.fit(X).score(test) > gaussian.score(test) + 0.1
    up, down = machine.covariance([[1.5, 1.5], [1.5, -1.5]])
    assert up[0, 1] > 0 > down[0, 1]


@pytest.mark.exhaustive(default=["SpikeSlabRBM"])
def test_covariances_and_means_given_hidden_units(fitted):
    found = fitted.covariance(X[:5])
    np.testing.assert_allclose(found, np.swapaxes(found, 1, 2))
    assert (np.linalg.eigvalsh(found) > 0).all()
    features = fitted.transform(X)
    assert features.shape == (800, len(fitted.get_feature_names_out()))
    rows = fitted.inverse_transform(features[:3])
    expected = fitted.density_.energy.mean(fitted.density_.params, features[:3])
    np.testing.assert_allclose(rows, expected * fitted.scale_ + fitted.mean_)


def test_covariances_are_in_the_units_of_columns():
    scale = np.array([4.0, 0.5])
    one, other = (
        MeanCovarianceRBM(2, 3, n_iter=0, random_state=0).fit(own)
        for own in (X, X * scale)
    )
    found = other.covariance(X[:3] * scale) / one.covariance(X[:3])
    np.testing.assert_allclose(found, np.tile(np.outer(scale, scale), (3, 1, 1)))


def test_gaps_are_filled_by_the_second_half_of_a_chain(fitted):
    density, rng = fitted.density_, stream(0).rows(3)
    v = np.array([[0.5, np.nan], [np.nan, 1.0], [np.nan, np.nan]])
    sampler = density.moves.sampler(density.size, density.guide, (~np.isnan(v),))
    state, states = State((np.nan_to_num(v),)), []
    for number in range(4):
        state, _ = sampler.step(rng, density.params, state, first=number)
        states.append(state.x[0])
    np.testing.assert_array_equal(density._completed(v, rng, 4), states[2:])


@pytest.mark.exhaustive
def test_features_and_their_names():
    machine = MeanCovarianceRBM(3, 4, n_iter=2, random_state=0).fit(X)
    names = list(machine.get_feature_names_out())
    assert names[2:4] == ["meancovariancerbm_mean2", "meancovariancerbm_covariance0"]
    machine.set_params(n_mean=0).fit(X)
    assert machine.transform(X[:2]).shape == (2, 4)
    assert np.isfinite(machine.score(X[:9]))
    spikes = SpikeSlabRBM(3, n_iter=2, random_state=0).fit(X)
    assert list(spikes.get_feature_names_out())[2] == "spikeslabrbm2"


def test_pooling_is_learned_and_keeps_its_sums():
    machine = MeanCovarianceRBM(2, 3, n_factors=7, n_iter=2, random_state=0).fit(X)
    assert machine.pooling_.shape == (3, 7)
    assert (machine.pooling_ >= 0).all()
    start = clone(machine).set_params(n_iter=0).fit(X)
    sums = [own.pooling_.sum(axis=1) for own in (machine, start)]
    np.testing.assert_allclose(*sums)
    assert np.abs(machine.pooling_ - start.pooling_).max() > 1e-4
    single = clone(machine).set_params(n_factors=None).fit(X)
    np.testing.assert_array_equal(single.pooling_, np.eye(3))
    with pytest.raises(ValueError, match="n_factors=2 must be at least n_covariance=3"):
        clone(machine).set_params(n_factors=2).fit(X)


def test_limits():
    machine = MeanCovarianceRBM(2, 3, n_iter=5, learning_rate=0.3, random_state=0)
    assign(machine, max_norm=0.7, min_variance=0.5).fit(X)
    for weights in (machine.components_, machine.factors_):
        assert np.linalg.norm(weights, axis=1).max() < 0.7 + 1e-6
    assert (machine.precision_ * machine.scale_**2 <= 2 + 1e-6).all()


def test_useless_training_is_told():
    machine = MeanCovarianceRBM(2, 3, n_iter=3, learning_rate=3.0, random_state=0)
    with pytest.warns(ConvergenceWarning, match="Lower learning_rate"):
        machine.fit(X)


def test_divergence_is_an_error_that_keeps_parameters():
    machine = MeanCovarianceRBM(2, 3, n_iter=3, random_state=0).fit(X)
    _, chains, _ = machine._training
    chains[:] = np.nan
    with pytest.raises(DivergenceError, match="Lower learning_rate"):
        machine.set_params(warm_start=True).fit(X)
    assert np.isfinite(machine.components_).all()


def stiff(n):
    """Units that are always on, so that columns are normal; log Z; exact draws."""
    params = CovarianceParams(
        Normal(np.zeros(n), np.zeros(n)),
        np.zeros((n, 0)),
        np.zeros(0),
        9 * np.eye(n),
        np.eye(n),
        np.full(n, 300.0),
    )
    log_Z = n * (300 + 0.5 * np.log(2 * np.pi / 82))
    draws = np.random.default_rng(0).normal(size=(100, n)) / np.sqrt(82)
    return Trajectories(Covariance(n), 10), params, draws, log_Z


@pytest.mark.exhaustive
def test_log_Z_in_closed_form():
    moves, params, draws, log_Z = stiff(6)
    path = annealing.MovesPath(moves, params, 0.1)
    found = annealing.bracket(stream(0), path, draws, "it")
    found, se = found.log_Z, found.se
    assert abs(found - log_Z) < 4 * se
    assert se <= 0.1


def test_sides_that_disagree_are_told(monkeypatch):
    brief = annealing._BRIEF._replace(n_betas=(2,))
    monkeypatch.setattr(annealing, "_BRIEF", brief)
    moves, params, draws, log_Z = stiff(6)
    path = annealing.MovesPath(moves, params, 0.1)
    with pytest.warns(LikelihoodWarning, match="it: forward and reverse"):
        found = annealing.bracket(stream(0), path, draws, "it").log_Z
    assert found > log_Z


def test_a_normal_distribution_is_learned_by_spikes():
    """Whose precisions have to rise where the limit of weights is reached."""
    X = correlated(500)
    machine = SpikeSlabRBM(5, n_iter=100, learning_rate=0.06, random_state=0).fit(X)
    draws = machine.sample(2000, random_state=0, n_steps=50)
    narrow, wide = np.linalg.eigvalsh(np.cov(draws.T))
    assert narrow < 2 * (1 - CORRELATION)
    assert wide > 0.7 * (1 + CORRELATION)


@pytest.mark.exhaustive(default=["False"])
@pytest.mark.parametrize("clamped", [False, True])
def test_rows_drawn_without_slabs_are_those_drawn_with(monkeypatch, clamped):
    density = SpikeSlabRBM(4, n_iter=20, random_state=0).fit(correlated(500)).density_
    seen = np.tile([True, False], (4000, 1))
    given = stream(0).rows(4000), density.params
    found = []
    for most in (64, 0):
        monkeypatch.setattr(slabs, "_MAX_MARGINAL_COLUMNS", most)
        sampler = density.moves.sampler(1.0, clamp=(seen,) if clamped else None)
        (v,) = sampler.step(*given, State((np.ones((4000, 2)),)), 60)[0].x
        found.append(np.column_stack([v, v**2, v[:, 0] * v[:, 1]]))
    assert_means(found[0] - found[1], 0)


@pytest.mark.exhaustive
def test_gaps_of_training_rows_do_not_weaken_correlations():
    rng = np.random.default_rng(0)
    factor = rng.normal(size=(600, 1))
    rows = factor + 0.3 * rng.normal(size=(600, 4))
    new = rng.normal(size=(500, 1)) + 0.3 * rng.normal(size=(500, 4))
    holed = np.where(rng.random(rows.shape) < 0.5, np.nan, rows)
    whole, found = (
        MeanCovarianceRBM(random_state=0).fit(X).score(new)
        for X in (rows, holed[~np.isnan(holed).all(axis=1)])
    )
    assert found > whole - 0.25
