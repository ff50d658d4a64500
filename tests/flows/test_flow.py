"""Flows: densities that integrate to one, codes and back, missing entries."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal, norm
from sklearn.base import clone
from sklearn.datasets import load_iris, make_moons

from skdgm import FVBN, Flow
from skdgm.callbacks import Checkpoint
from skdgm.exceptions import InterruptedFitWarning, OutlierWarning
from skdgm.flows import _model
from skdgm.flows.normal import JointNormal, fit_normal
from skdgm.nets import estimator as nets_estimator
from skdgm.training import canonical
from skdgm.utils.random import stream
from skdgm.utils.rows import Rows
from skdgm.utils.tree import leaves
from tests.callbacks import Callback
from tests.flows.recipes import log_base
from tests.options import grouped
from tests.suites import DTYPES

MOONS = make_moons(300, noise=0.1, random_state=0)[0]
SHORT = {"n_layers": 2, "hidden_layer_sizes": (8,), "n_iter": 20, "random_state": 0}
SHORT |= {"batch_size": 50, "learning_rate": 0.02}


@pytest.fixture(scope="module", params=["spline", "affine"])
def flow(request):
    return grouped(Flow, layer_type=request.param, **SHORT).fit(MOONS)


@pytest.mark.exhaustive(default=["spline"])
def test_density_of_two_columns_integrates_to_one(flow):
    side = np.linspace(-4, 5, 250)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    total = np.exp(flow.score_samples(grid)).sum() * (side[1] - side[0]) ** 2
    np.testing.assert_allclose(total, 1, rtol=1e-3)


def test_density_of_one_column_integrates_to_one():
    X = np.random.default_rng(0).gamma(2.0, 100.0, (200, 1))
    flow = grouped(Flow, **SHORT).fit(X)
    side = np.linspace(-1500, 3000, 20_000)
    total = np.exp(flow.score_samples(side[:, None])).sum() * (side[1] - side[0])
    np.testing.assert_allclose(total, 1, rtol=1e-3)
    assert flow.score(X) > FVBN(column_types="gaussian").fit(X).score(X) + 0.02


def test_codes_and_back(flow):
    codes = flow.transform(MOONS)
    np.testing.assert_allclose(flow.inverse_transform(codes), MOONS, atol=1e-6)


def test_density_is_that_of_codes_and_their_volume(flow):
    x, step = MOONS[:1], 1e-5
    moved = x + step * np.concatenate([np.eye(2), -np.eye(2)])
    codes = flow.transform(moved)
    volume = np.linalg.slogdet((codes[:2] - codes[2:]) / (2 * step))[1]
    z = flow.transform(x)[0]
    expected = log_base(flow, z) + volume
    np.testing.assert_allclose(flow.score_samples(x), expected, rtol=1e-6)


def test_draws_have_the_density(flow):
    drawn = flow.sample(4000, random_state=0)
    side = np.linspace(-4, 5, 200)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    p = np.exp(flow.score_samples(grid))
    p /= p.sum()
    for function in (lambda v: v, lambda v: v**2, lambda v: v[:, :1] * v[:, 1:]):
        given = function(drawn)
        error = given.std(axis=0) / np.sqrt(len(drawn))
        assert (abs(given.mean(axis=0) - p @ function(grid)) < 5 * error).all()


@pytest.mark.release
def test_scores_of_missing_entries_are_marginal(flow):
    x = MOONS[:20].copy()
    x[:, 1] = np.nan
    side = np.linspace(-4, 5, 600)
    grid = [np.column_stack([np.full(600, value), side]) for value in x[:, 0]]
    whole = np.exp(flow.score_samples(np.concatenate(grid))).reshape(20, -1)
    step = side[1] - side[0]
    expected, mean = np.log(whole.sum(axis=1) * step), whole @ side / whole.sum(axis=1)
    flow.set_params(n_draws=500)
    np.testing.assert_allclose(flow.score_samples(x), expected, atol=0.3)
    np.testing.assert_allclose(flow.impute(x)[:, 1], mean, atol=0.15)
    assert flow.density_.require("log_prob", "missing") == "estimate"
    assert flow.density_kind_ == "exact"


def test_it_begins_at_a_normal_distribution():
    X = load_iris().data
    start = Flow(n_iter=0, base="normal").fit(X)
    normal = FVBN(column_types="gaussian").fit(X)
    assert abs(start.score(X) - normal.score(X)) < 0.01
    codes = start.transform(X)
    np.testing.assert_allclose(np.cov(codes.T), np.eye(4), atol=0.1)


class _StopAfter(Callback):
    """Interrupts a fit at the end of an epoch."""

    def __init__(self, n_epochs):
        self.left = n_epochs

    def on_fit_task_end(self, estimator, context):
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


@pytest.mark.release
def test_what_overfits_stays_at_its_start(tmp_path):
    X = np.random.default_rng(0).normal(size=(40, 4))
    options = SHORT | {"learning_rate": 0.1, "alpha": 0.0}
    start = grouped(Flow, **options | {"n_iter": 0}).fit(X)
    kept = grouped(Flow, **options).fit(X)
    np.testing.assert_array_equal(kept.score_samples(X), start.score_samples(X))
    assert len(kept.validation_curve_) == kept.n_iter_ > 3
    # A checkpoint has the start, too.
    path = tmp_path / "flow.skdgm"
    with pytest.warns(InterruptedFitWarning):
        grouped(Flow, **options).set_callbacks(Checkpoint(path), _StopAfter(3)).fit(X)
    again = grouped(Flow, **options).set_callbacks(Checkpoint(path)).fit(X)
    np.testing.assert_array_equal(again.score_samples(X), start.score_samples(X))
    np.testing.assert_allclose(again.validation_curve_, kept.validation_curve_)


@pytest.mark.parametrize("n, size", [(300, 100), (5_000, 200), (20_000, 400)])
def test_batches_have_a_share_of_the_rows(n, size):
    """Integer weights count as rows, and epochs of ``partial_fit`` are the same."""
    options = {"hidden_layer_sizes": (4,), "base": "normal", "early_stopping": False}
    options |= {"n_iter": 2, "schedule": "constant", "random_state": 0}
    X = make_moons(n, noise=0.1, random_state=0)[0]
    flow = grouped(Flow, **options).fit(X)
    fixed = grouped(Flow, **options, batch_size=size).fit(X)
    assert flow.loss_curve_ == fixed.loss_curve_
    half = n // 2
    weighted = clone(flow).fit(X[:half], sample_weight=np.full(half, 2))
    fixed.fit(X[:half], sample_weight=np.full(half, 2))
    assert weighted.loss_curve_ == fixed.loss_curve_
    parts = grouped(Flow, **options).partial_fit(X).partial_fit(X)
    assert parts.loss_curve_ == flow.loss_curve_
    assert flow.batch_size == "auto"


def test_a_masked_autoregressive_flow():
    asked = SHORT | {"autoregressive": True, "base": "normal"}
    masked = grouped(Flow, **asked).fit(MOONS)
    side = np.linspace(-4, 5, 250)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    total = np.exp(masked.score_samples(grid)).sum() * (side[1] - side[0]) ** 2
    np.testing.assert_allclose(total, 1, rtol=2e-3)
    codes = masked.transform(MOONS)
    np.testing.assert_allclose(masked.inverse_transform(codes), MOONS, atol=1e-6)
    start = grouped(Flow, **asked | {"n_iter": 0}).fit(MOONS)
    assert masked.score(MOONS) > start.score(MOONS) + 0.02


def test_columns_that_are_no_numbers_are_named():
    frame = pd.DataFrame(MOONS, columns=["across", "up"]).assign(kind="a")
    with pytest.raises(ValueError, match="column 'kind'"):
        Flow(n_iter=1).fit(frame)


@pytest.mark.release
def test_many_columns_begin_independent():
    X = np.random.default_rng(0).normal(size=(30, 1030))
    X[:, 1] = X[:, 0]
    start = Flow(n_iter=0).fit(X)
    z = (X - X.mean(axis=0)) / X.std(axis=0)
    expected = norm.logpdf(z).sum(axis=1) - np.log(X.std(axis=0)).sum()
    np.testing.assert_allclose(start.score_samples(X), expected, rtol=1e-6)
    holes = X[:2].copy()
    holes[:, :5] = np.nan
    assert start.impute(holes).shape == holes.shape
    expected = norm.logpdf(z[:2, 5:]).sum(axis=1) - np.log(X[:, 5:].std(axis=0)).sum()
    start.set_params(n_draws=2_000)
    np.testing.assert_allclose(start.score_samples(holes), expected, atol=0.1)


def test_hundreds_of_columns_begin_at_their_covariance():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 5)) @ rng.normal(size=(5, 300))
    X += 0.1 * rng.normal(size=X.shape)
    start = Flow(n_iter=0).fit(X[:300])
    apart = norm(X.mean(axis=0), X.std(axis=0)).logpdf(X[300:]).sum(axis=1).mean()
    assert start.score(X[300:]) > apart + 300
    codes = start.transform(X[:3])
    np.testing.assert_allclose(start.inverse_transform(codes), X[:3], atol=1e-6)


@pytest.mark.exhaustive(default=["affine"])
def test_draws_given_some_columns_have_the_density(flow):
    x = MOONS[:1].copy()
    x[:, 1] = np.nan
    flow.set_params(n_draws=200)
    drawn = flow.conditional_sample(x, n_samples=800, random_state=0)
    assert (drawn[:, 0] == x[0, 0]).all()
    side = np.linspace(-4, 5, 2000)
    p = np.exp(flow.score_samples(np.column_stack([np.full(2000, x[0, 0]), side])))
    p /= p.sum()
    for power in 1, 2:
        error = (drawn[:, 1] ** power).std() / np.sqrt(800)
        assert abs((drawn[:, 1] ** power).mean() - p @ side**power) < 6 * error


@pytest.mark.exhaustive
def test_normal_distribution_of_rows_with_missing_entries():
    rng = np.random.default_rng(0)
    root = np.array([[1.0, 0, 0], [0.8, 0.6, 0], [-0.5, 0.3, 0.8]])
    X = rng.normal(size=(2000, 3)) @ root.T
    X[rng.random(X.shape) < 0.3] = np.nan
    found = fit_normal(canonical(Rows(X, np.float64)))
    np.testing.assert_allclose(found.covariance, root @ root.T, atol=0.1)
    again = JointNormal.of_whitening(found.whitening(np.float64))
    np.testing.assert_allclose(again.covariance, found.covariance, rtol=1e-10)
    np.testing.assert_allclose(again.mean, found.mean, atol=1e-12)
    x = np.tile([[0.5, np.nan, np.nan]], (3000, 1))
    v, log_q = found.given(x).completed(stream(0).rows(3000), 1.5)
    slope = found.covariance[0, 1:] / found.covariance[0, 0]
    center = found.mean[1:] + slope * (0.5 - found.mean[0])
    spread = found.covariance[1:, 1:] - np.outer(slope, found.covariance[0, 1:])
    q = multivariate_normal(center, 2.25 * spread)
    np.testing.assert_allclose(log_q, q.logpdf(v[:, 1:]), rtol=1e-6)
    error = np.sqrt(np.diag(2.25 * spread) / 3000)
    assert (abs(v[:, 1:].mean(axis=0) - center) < 5 * error).all()


HARD = {
    "one row": np.ones((1, 3)),
    "three rows": np.arange(12.0).reshape(3, 4) ** 2,
    "constant": np.column_stack([MOONS, np.full(300, 7.0)]),
    "wide": np.random.default_rng(0).normal(size=(12, 30)),
    "collinear": MOONS @ [[1.0, 1.0, 2.0], [0.0, 1e-9, 1.0]],
    "holes": np.where(np.random.default_rng(1).random((300, 2)) < 0.3, np.nan, MOONS),
}


@pytest.mark.release(default=["three rows"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", HARD)
def test_hard_tables_are_learned(name, dtype):
    X = HARD[name].astype(dtype)
    flow = grouped(Flow, **SHORT | {"n_iter": 5}).fit(X)
    assert np.isfinite(flow.score_samples(X)).all()
    assert np.isfinite(flow.sample(20, random_state=0)).all()
    assert flow.sample(2, random_state=0).dtype == dtype


@pytest.mark.release
def test_an_outlier_is_told_of():
    X = np.random.default_rng(0).normal(size=(2000, 2))
    X[7, 1] = 1e6
    with pytest.warns(OutlierWarning, match="row 7"):
        flow = grouped(Flow, **SHORT | {"n_iter": 3}).fit(X)
    assert np.isfinite(flow.score_samples(X)).all()


def test_what_needs_more_memory_than_there_is(monkeypatch):
    monkeypatch.setattr(nets_estimator, "_WARNING_BYTES", 0)
    monkeypatch.setattr(nets_estimator, "physical", lambda: 1)
    with pytest.raises(
        MemoryError, match=r"Flow has 228 weights .* Lower hidden_layer"
    ):
        Flow(2, (4,)).fit(MOONS)


@pytest.mark.exhaustive(default=["3-4", "True-permutation-4-5"])
@pytest.mark.parametrize("most, most_white", [(5, 5), (4, 5), (3, 4)])
@pytest.mark.parametrize("linear", ["auto", "lu", "permutation"])
@pytest.mark.parametrize("autoregressive", [False, True])
def test_weights_are_counted_before_there_are_any(
    linear, autoregressive, most, most_white, monkeypatch
):
    monkeypatch.setattr(_model, "_MAX_MATRIX_COLUMNS", most)
    monkeypatch.setattr(_model, "_MAX_WHITENED_COLUMNS", most_white)
    model = Flow(linear=linear, autoregressive=autoregressive, n_iter=0)
    model.fit(np.random.default_rng(0).normal(size=(40, 5)))
    counted = model._MODEL.n_weights(model._facts(model._learned))
    # The few steps of splines of columns are counted roughly, and biases not at all.
    arrays = leaves(model._training.learned)
    matrices = sum(np.size(part) for part in arrays if np.ndim(part) > 1)
    np.testing.assert_allclose(counted, matrices, rtol=0.025)
