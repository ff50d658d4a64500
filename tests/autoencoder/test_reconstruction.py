"""Autoencoders that reconstruct rows: gradients, penalties, optimum and chains."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score

import skdgm
from skdgm import (
    Autoencoder,
    ContractiveAutoencoder,
    DenoisingAutoencoder,
    PredictabilityMinimization,
    StackedAutoencoder,
    StackedAutoencoderClassifier,
    StackedAutoencoderRegressor,
)
from skdgm.anomaly import DensityOutlierDetector
from skdgm.autoencoder._chain import CorruptionChain
from skdgm.data import tabulate
from skdgm.distributions import BernoulliOutput
from skdgm.nets import Variables
from skdgm.optim import Clock
from skdgm.options import Convolutions, Pretraining
from skdgm.utils.random import stream
from tests.nets.recipes import assert_slopes
from tests.options import grouped

CASES = {
    "plain": Autoencoder(2, hidden_layer_sizes=(3,)),
    "tied": Autoencoder(2, hidden_layer_sizes=(3,), tied=True, sparsity=0.3),
    "largest": Autoencoder(4, hidden_layer_sizes=(), n_active=2),
    "conv": Autoencoder(
        2, hidden_layer_sizes=(), architecture=Convolutions(layer_sizes=(2, 3))
    ),
    "tied-conv": Autoencoder(
        2, hidden_layer_sizes=3, tied=True, architecture=Convolutions(layer_sizes=2)
    ),
    "walkback": DenoisingAutoencoder(3, walkback=2),
    "salt": DenoisingAutoencoder(3, tied=True, corruption="salt-and-pepper"),
    "contractive": ContractiveAutoencoder(3, contraction=0.5),
    "identity": ContractiveAutoencoder(3, code_activation="identity"),
    "deep": ContractiveAutoencoder(
        3, hidden_layer_sizes=(4,), tied=False, contraction=0.5
    ),
    "deep-conv": ContractiveAutoencoder(
        3, architecture=Convolutions(layer_sizes=2), contraction=0.5
    ),
}


GRAY = {"column_types": "bernoulli"}


def objective_of(net, X):
    net.set_params(random_state=0, n_iter=1, **GRAY).fit(X)
    table = tabulate(net._rows(X), None)
    return net._objective(table, 0), net._state()


@pytest.mark.parametrize("case", CASES)
def test_gradients_are_central_differences(case):
    X = np.random.default_rng(0).random((6, 9))
    X[0, 2] = np.nan
    objective, state = objective_of(CASES[case], X)
    given = objective.prepare(state, np.arange(6), Clock(0, 1, 0, 1))

    assert_slopes(lambda params: objective.forward(params, given)[0], state.params)


@pytest.mark.parametrize("case", ["contractive", "identity", "deep", "deep-conv"])
def test_the_penalty_is_the_norm_of_the_jacobian(case):
    X = np.random.default_rng(0).random((3, 9))
    objective, state = objective_of(CASES[case], X)
    net, expected = CASES[case], np.zeros(3)
    for j in range(9):
        step = np.zeros(9)
        step[j] = 1e-6
        slope = (net.transform(X + step) - net.transform(X - step)) / 2e-6
        expected += (slope**2).sum(axis=1)
    n = 1 if objective.coder.single else 20_000
    x = np.repeat(X, n, axis=0)
    variables = Variables(state.params, state.statistics)
    code = objective.coder.encode(variables, x)
    found = objective._jacobian(variables, x, code, stream(1).rows(3 * n))
    found = found.reshape(3, n)
    if n == 1:
        np.testing.assert_allclose(found[:, 0], expected, rtol=1e-6)
    else:
        error = found.std(axis=1) / np.sqrt(n)
        assert (np.abs(found.mean(axis=1) - expected) < 4 * error).all()


@pytest.mark.parametrize("case", ["contractive", "deep", "deep-conv"])
def test_codes_of_chains_have_noise_along_the_jacobian(case):
    X = np.random.default_rng(0).random((3, 9))
    net = CASES[case].set_params(random_state=0, n_iter=1, code_noise=0.7, **GRAY)
    net.fit(X)
    density, rng = net.density_, stream(1).rows(3)
    noise, h = 0.7 * rng.normal(3), net.transform(X)
    for i in range(3):
        steps = 1e-6 * np.eye(9)
        J = (net.transform(X[i] + steps) - net.transform(X[i] - steps)).T / 2e-6
        h[i] += J @ J.T @ noise[i]
    chain = density.chain(None)
    out, _ = chain.advance(X, (), rng)
    np.testing.assert_allclose(out, density.coder.decode(density.net, h), rtol=1e-6)
    # What is clamped is filled without.
    X[0, 1] = np.nan
    filled = net.impute(X)
    np.testing.assert_array_equal(net.set_params(code_noise=0).impute(X), filled)


@pytest.mark.exhaustive
def test_the_optimum_is_the_posterior_mean():
    # Normal rows with normal noise, whose posterior mean is linear: a step along the
    # score of the density of corrupted rows.
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20_000, 2)) @ np.array([[1.0, 0.8], [0.0, 0.6]])
    net = DenoisingAutoencoder(
        2,
        column_types="gaussian",
        corruption="gaussian",
        corruption_level=0.7,
        code_activation="identity",
        n_iter=20,
        random_state=0,
    ).fit(X)
    mean, scale = X.mean(axis=0), X.std(axis=0)
    z = np.array([[1.0, -1.0], [2.0, 0.5], [0.3, 0.3]])
    cov = np.cov(((X - mean) / scale).T)
    smooth = cov + 0.7**2 * np.eye(2)
    score = -np.linalg.solve(smooth, z.T).T
    found = net.inverse_transform(net.transform(z * scale + mean))
    np.testing.assert_allclose((found - mean) / scale, z + 0.49 * score, atol=0.04)


def test_the_chain_has_its_stationary_distribution():
    # Three bits, all transitions enumerated.
    X = (np.random.default_rng(0).random((40, 3)) < 0.4).astype(float)
    X[:, 2] = X[:, 0]
    how = {"corruption": "salt-and-pepper", "corruption_level": 0.4}
    net = grouped(DenoisingAutoencoder, 4, **how, n_iter=30, random_state=0).fit(X)
    states = np.array([[i >> 2 & 1, i >> 1 & 1, i & 1] for i in range(8)], float)
    stay = (states[:, None] == states[None]).sum(axis=2)
    corrupted = 0.8**stay * 0.2 ** (3 - stay)
    p = net.inverse_transform(net.transform(states))
    drawn = np.prod(np.where(states[None] == 1, p[:, None], 1 - p[:, None]), axis=2)
    step = corrupted @ drawn
    expected = np.linalg.matrix_power(step, 200)[0]
    n = 4000
    found = net.sample(n, random_state=0, n_steps=30)
    share = (found[:, None] == states[None]).all(axis=2).mean(axis=0)
    assert (np.abs(share - expected) < 4 * np.sqrt(expected * (1 - expected) / n)).all()
    # With a bit clamped, the chain is that of the others.
    kept = np.flatnonzero(states[:, 0] == 1)
    held = np.where(np.arange(8)[:, None] % 4 == np.arange(8) % 4, 1.0, 0.0)
    inner = (step @ held)[np.ix_(kept, kept)]
    expected = np.linalg.matrix_power(inner, 200)[0]
    rows = np.repeat([[1.0, np.nan, np.nan]], n, axis=0)
    found = net.impute(rows, method="sample", n_steps=30, random_state=0)
    share = (found[:, None] == states[kept][None]).all(axis=2).mean(axis=0)
    assert (np.abs(share - expected) < 4 * np.sqrt(expected * (1 - expected) / n)).all()


def test_a_chain_keeps_clamped_entries_and_tells_its_inputs():
    v = np.array([[1.0, np.nan], [0.0, np.nan]])
    output = BernoulliOutput(np.ones(2, int))
    nothing = lambda x, rng=None: x  # noqa: E731
    start = lambda rng: np.zeros((2, 2))  # noqa: E731
    advance = lambda x, hidden, rng: (x, hidden)  # noqa: E731
    chain = CorruptionChain(
        advance, nothing, output=output, dispersion=(), start=start, clamped=v
    )
    state, info = chain.step(stream(0).rows(2), chain.init(stream(0).rows(2)))
    np.testing.assert_array_equal(state.x[:, 0], v[:, 0])
    np.testing.assert_array_equal(info.inputs, [[1, 0], [0, 0]])
    np.testing.assert_allclose(chain.expected(state)[:, 1], 0.5)


def test_codes_have_as_many_active_units_as_asked():
    X = np.random.default_rng(0).random((30, 9))
    net = Autoencoder(6, hidden_layer_sizes=(), n_active=2, n_iter=2).fit(X)
    assert ((net.transform(X) != 0).sum(axis=1) == 2).all()
    with pytest.raises(ValueError, match="n_active is 7"):
        Autoencoder(6, n_active=7).fit(X)


def test_tied_weights_are_the_transposed_ones():
    X = np.random.default_rng(0).random((30, 9)).astype(np.float32)
    net = grouped(
        Autoencoder, 4, hidden_layer_sizes=6, tied=True, n_iter=2, **GRAY
    ).fit(X)
    first, second, third, fourth = net.coefs_
    np.testing.assert_array_equal(first, fourth.T)
    np.testing.assert_array_equal(second, third.T)


@pytest.mark.parametrize("case", ["tied", "tied-conv", "walkback", "contractive"])
def test_files_have_all_that_was_learned(case, tmp_path):
    X = np.random.default_rng(0).random((30, 9))
    net = CASES[case].set_params(n_iter=2, random_state=0).fit(X)
    skdgm.save(net, tmp_path / "net.skdgm")
    again = skdgm.load(tmp_path / "net.skdgm")
    np.testing.assert_array_equal(again.score_samples(X), net.score_samples(X))
    assert len(again.partial_fit(X).loss_curve_) == 3


@pytest.mark.exhaustive
def test_errors_rank_anomalies_by_row_and_by_column():
    X = load_digits().data / 16
    net = Autoencoder(8, n_iter=10, random_state=0).fit(X[:1500])
    odd = X[1500:].copy()
    odd[:, 20:28] = 1 - odd[:, 20:28]
    both, y = np.concatenate([X[1500:], odd]), np.repeat([0, 1], len(odd))
    for loss in "log", "squared":
        errors = net.reconstruction_error(both, by="column", loss=loss)
        whole = net.reconstruction_error(both, loss=loss)
        np.testing.assert_allclose(errors.sum(axis=1), whole)
        assert roc_auc_score(y, whole) > 0.95
    changed = errors[len(odd) :].mean(axis=0)
    assert changed[20:28].mean() > 2 * np.delete(changed, range(20, 28)).mean()
    np.testing.assert_allclose(-net.score_samples(X), net.reconstruction_error(X))
    detector = DensityOutlierDetector(net).fit(X[:300])
    assert (detector.predict(odd) == -1).mean() > 0.5
    with pytest.raises(ValueError, match="by must be"):
        net.reconstruction_error(X, by="entry")


def test_chains_with_thinning_and_starts():
    X = np.random.default_rng(0).random((30, 9)).round()
    net = DenoisingAutoencoder(4, n_iter=2, random_state=0).fit(X)
    whole = net.sample(6, random_state=1, init=X[:2], n_steps=6, thin=2, burn_in=1)
    last = net.sample(2, random_state=1, init=X[:2], n_steps=6, burn_in=1)
    np.testing.assert_array_equal(whole[[2, 5]], last)
    with pytest.raises(ValueError, match="init must be 'noise' or rows"):
        net.sample(init="chains")


@pytest.mark.filterwarnings("ignore::skdgm.exceptions.OutlierWarning")
@pytest.mark.parametrize("variance", ["feature", "sample", 0.5])
def test_chains_stay_where_the_data_are(variance):
    # Linear codes without noise reconstruct too much of an outlier.
    X = np.random.default_rng(0).normal(size=(200, 4)) @ np.diag([1, 10, 0.1, 0])
    X[3, 1] = 1e4
    own = {"column_types": "gaussian", "variance": variance, "random_state": 0}
    net = grouped(Autoencoder, 3, hidden_layer_sizes=(), n_iter=5, **own).fit(X)
    low, high = X.min(axis=0), X.max(axis=0)
    found = net.sample(30, random_state=0, n_steps=500)
    far = np.abs(found - X.mean(axis=0)) - np.maximum(high - X.mean(axis=0), -low)
    assert (far <= 1e-3 * (high - low)).all()
    np.testing.assert_allclose(found[:, 3], 0, atol=1e-12)


def test_a_probability_of_corruption_is_at_most_1():
    with pytest.raises(ValueError, match="corruption_level is 1.5, but the probab"):
        DenoisingAutoencoder(3, corruption_level=1.5).fit(np.eye(4))
    own = {"column_types": "gaussian", "corruption": "gaussian"}
    grouped(DenoisingAutoencoder, 3, corruption_level=1.5, n_iter=1, **own).fit(
        np.eye(4)
    )


def test_more_rows_do_not_move_what_is_put_in_for_masked_ones():
    X = (np.random.default_rng(0).random((60, 5)) < [0.1, 0.3, 0.5, 0.7, 0.9]) * 1.0
    net = DenoisingAutoencoder(4, n_iter=2, random_state=0).fit(X)
    holes = np.where(np.eye(5, dtype=bool), np.nan, X[:5])
    before = net.transform(holes)
    kept = net._training.learned
    net.partial_fit(1 - X)
    net._training = net._training._replace(params=kept)
    np.testing.assert_array_equal(net.set_params(alpha=0).transform(holes), before)


REBUILT = {
    "plain": Autoencoder(3, hidden_layer_sizes=()),
    "contractive": ContractiveAutoencoder(3),
    "denoising": DenoisingAutoencoder(3, corruption_level=0),
    "unpredictable": PredictabilityMinimization(3),
    "stack": StackedAutoencoder((4, 3), layer_type="plain", feature_layer=-1),
    "classifier": StackedAutoencoderClassifier(
        (4, 3), layer_type="plain", pretrain=Pretraining(n_iter=2)
    ),
    "regressor": StackedAutoencoderRegressor(
        (4, 3), layer_type="plain", pretrain=Pretraining(n_iter=2)
    ),
}


@pytest.mark.parametrize("name", REBUILT)
def test_scores_are_log_likelihoods_given_reconstructions(name):
    X = (np.random.default_rng(0).random((40, 5)) < 0.4).astype(float)
    net = clone(REBUILT[name]).set_params(n_iter=2, random_state=0)
    net.set_params(column_types="bernoulli").fit(X, X[:, 0])
    # Of a net that was tuned, the stack that it began as.
    stack = getattr(net, "stack_", net)
    rebuilt = stack.inverse_transform(stack.transform(X))
    expected = np.log(np.where(X == 1, rebuilt, 1 - rebuilt)).sum(axis=1)
    np.testing.assert_allclose(net.score_samples(X), expected, rtol=1e-5)
    # Of what is known of a row, where a frequency stands for what is missing.
    holed, full = X[:5].copy(), X[:5].copy()
    holed[:, 2], full[:, 2] = np.nan, (X[:, 2].sum() + 1) / 42
    rebuilt = np.delete(stack.inverse_transform(stack.transform(full)), 2, axis=1)
    known = np.delete(X[:5], 2, axis=1)
    expected = np.log(np.where(known == 1, rebuilt, 1 - rebuilt)).sum(axis=1)
    np.testing.assert_allclose(net.score_samples(holed), expected, rtol=1e-5)
