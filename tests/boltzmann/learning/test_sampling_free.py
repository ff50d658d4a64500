"""Restricted machines that learn by objectives other than the likelihood."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import load_digits

from skdgm import BernoulliRBM, GaussianRBM
from skdgm.boltzmann.learning import sampling_free
from skdgm.boltzmann.learning.sampling_free import OF_BITS, OF_REALS
from skdgm.gradients.sampling_free.scores import score_matching
from skdgm.optim import Clock
from skdgm.training import Batch
from skdgm.utils.random import stream
from tests.numerical import assert_means
from tests.options import grouped

GRAY = (load_digits().data / 16).astype(np.float32)
X = (np.random.default_rng(0).random(GRAY.shape) < GRAY).astype(np.float32)
REALS = load_digits().data[:, [10, 18, 20, 26, 36, 43]]


def machine(gradient, **options):
    given = {"gradient": gradient, "solver": "adam", "learning_rate": 0.01}
    if gradient in OF_BITS:
        return grouped(
            BernoulliRBM, **{**given, "batch_size": 50, "random_state": 0} | options
        )
    return grouped(
        GaussianRBM, **{**given, "batch_size": 50, "random_state": 0} | options
    )


def rows(gradient):
    return X if gradient in OF_BITS else REALS


@pytest.mark.release
@pytest.mark.parametrize("gradient", [*OF_BITS, *OF_REALS])
def test_rows_become_more_likely(gradient):
    data = rows(gradient)
    n_iter = 60 if gradient == "noise-contrastive" else 15
    rbm = machine(gradient, n_components=8, n_iter=n_iter).fit(data[:1200])
    start = machine(gradient, n_components=8, n_iter=0).fit(data[:1200])
    assert rbm.score(data[1200:]) > start.score(data[1200:]) + 0.5
    if gradient == "noise-contrastive":
        assert abs(rbm.learned_log_Z_ - rbm.log_Z_) < 1.5


@pytest.mark.parametrize("gradient", [*OF_BITS, *OF_REALS])
def test_missing_entries_and_weights(gradient):
    data = rows(gradient)[:300].astype(float)
    rng = np.random.default_rng(0)
    weight = rng.integers(0, 3, len(data)).astype(float)
    data[rng.random(data.shape) < 0.2] = np.nan
    rbm = machine(gradient, n_components=4, n_iter=3, sparsity_target=0.2)
    rbm.fit(data, sample_weight=weight)
    assert np.isfinite(rbm.components_).all()
    rbm.partial_fit(data)
    assert np.isfinite(rbm.impute(data)).all()


@pytest.mark.parametrize("gradient", OF_BITS)
def test_sparse_rows_and_gray_ones(gradient):
    one = machine(gradient, n_components=4, n_iter=2).fit(X[:300])
    other = machine(gradient, n_components=4, n_iter=2).fit(sp.csr_array(X[:300]))
    np.testing.assert_array_equal(one.components_, other.components_)
    gray = machine(gradient, n_components=4, n_iter=2).fit(GRAY[:300])
    assert np.isfinite(gray.components_).all()


def test_wide_rows_are_learned_in_parts():
    rng = np.random.default_rng(0)
    wide = (rng.random((40, 1500)) < 0.2).astype(np.float32)
    for gradient in ("pseudo-likelihood", "block-pseudo-likelihood"):
        rbm = machine(gradient, n_components=64, n_iter=2).fit(wide)
        assert np.isfinite(rbm.components_).all()


def test_a_fit_goes_on_with_its_log_Z():
    whole = machine("noise-contrastive", n_iter=4, schedule="constant", n_components=4)
    parts = machine("noise-contrastive", schedule="constant", n_components=4)
    for _ in range(4):
        parts.partial_fit(X[:200])
    whole.fit(X[:200])
    assert parts.learned_log_Z_ == whole.learned_log_Z_


def test_objectives_of_other_units_are_refused():
    for kind, gradient in (
        (GaussianRBM, "ratio-matching"),
        (BernoulliRBM, "denoising"),
    ):
        with pytest.raises(ValueError, match="gradient"):
            kind(gradient=gradient).fit(X[:20])


def small_rows(gradient):
    """Noisy copies of two rows, of bits or of correlated numbers."""
    rng = np.random.default_rng(0)
    kinds = np.array([[1, 1, 1, 0, 0, 0], [0, 1, 0, 1, 0, 1]])[rng.integers(0, 2, 300)]
    if gradient in OF_BITS:
        return np.abs(kinds - (rng.random(kinds.shape) < 0.1))
    return 2 * kinds + 0.5 * rng.normal(size=kinds.shape)


@pytest.mark.parametrize("gradient", [*OF_BITS, *OF_REALS])
def test_rows_of_a_small_table_become_more_likely(gradient):
    data = small_rows(gradient)
    options = {"n_components": 3, "learning_rate": 0.03}
    start = machine(gradient, n_iter=0, **options).fit(data)
    rbm = machine(gradient, n_iter=40, **options).fit(data)
    assert rbm.score(data) > start.score(data) + 0.5
    if gradient == "noise-contrastive":
        gap = abs(rbm.learned_log_Z_ - rbm.log_Z_)
        assert gap < min(1, abs(start.learned_log_Z_ - rbm.log_Z_))
    if gradient in OF_BITS:
        options |= {"sparsity_target": 0.05, "sparsity_cost": 3.0}
        sparse = machine(gradient, n_iter=40, **options).fit(data)
        assert sparse.transform(data).mean() < rbm.transform(data).mean() - 0.1


def test_some_blocks_stand_for_all(monkeypatch):
    data = (np.random.default_rng(0).random((40, 12)) < 0.4).astype(float)
    model = machine("block-pseudo-likelihood", n_components=3, n_iter=1)
    objective, state = run(model, data)
    x, clamp = objective.clamp_rows(Batch(data))
    found = []
    for n_blocks in (1, 16):
        monkeypatch.setattr(sampling_free, "_N_BLOCKS", n_blocks)
        grads = [
            objective.phase.slope(stream(k), state, x, clamp, None)[0].units[0]
            for k in range(200)
        ]
        found.append(np.array(grads))
    # Of three blocks of four bits one is seen.
    assert_means(found[0] - found[1], 0.0)
    assert abs(found[1].mean(axis=0)).max() > 0.01


@pytest.mark.parametrize("off", [-2.0, 2.0])
def test_log_Z_is_learned_by_noise(off):
    data = small_rows("noise-contrastive").astype(float)
    options = {"n_components": 3, "n_iter": 5, "learning_rate": 0.5}
    objective, state = run(machine("noise-contrastive", **options), data)
    noise = state.phase._replace(log_Z=state.phase.log_Z + off)
    x, clamp = objective.clamp_rows(Batch(data))
    _, _, after = objective.phase.slope(
        stream(0), state._replace(phase=noise), x, clamp, Clock(0, 1)
    )
    step = after.phase.log_Z - noise.log_Z
    assert -1 < step / off < 0
    np.testing.assert_array_equal(after.phase.means, noise.means)


def test_slopes_of_real_columns_are_in_their_own_units():
    data = REALS[:100] * [1, 2, 4, 1, 8, 1]
    objective, state = run(machine("score-matching", n_components=3, n_iter=3), data)
    x, clamp = objective.clamp_rows(Batch(objective.rows.take(np.arange(100))))
    grad, _, _ = objective.phase.slope(stream(0), state, x, clamp, None)
    params = state.params
    (own, c), (G,) = score_matching(objective.energy.units[0], params, np.asarray(x[0]))
    variance = np.exp(-params.units[0].log_precision)
    for found, plain in zip(grad.units[0], own):
        np.testing.assert_allclose(found, plain * variance, rtol=1e-5)
    np.testing.assert_allclose(grad.units[1], c * variance.mean(), rtol=1e-5)
    wanted = np.asarray(G) * variance[:, None]
    np.testing.assert_allclose(np.asarray(grad.couplings[0]), wanted, rtol=1e-4)


def run(model, data):
    """The objective of a fitted machine, and its state."""
    table = model.fit(data)._begin(data, None, None, fresh=False)
    objective = model._objective(table, 0)
    return objective, objective.resume(model._state())
