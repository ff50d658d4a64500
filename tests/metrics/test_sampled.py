"""Metrics of models that are known by what their chains draw."""

import numpy as np
import pytest
from scipy.special import logsumexp

from skdgm import (
    GSN,
    VAE,
    Autoencoder,
    ContractiveAutoencoder,
    DenoisingAutoencoder,
    GSNClassifier,
    PredictabilityMinimization,
    StackedAutoencoder,
    StackedAutoencoderClassifier,
)
from skdgm.metrics import (
    chain_diagnostics,
    csl_log_likelihood,
    parzen_log_likelihood,
    r_hat,
)
from skdgm.options import Pretraining
from tests.metrics.models import rows
from tests.metrics.test_brackets import EVERY_ROW

MODELS = {
    "plain": Autoencoder(3, hidden_layer_sizes=()),
    "denoising": DenoisingAutoencoder(4, walkback=1),
    "contractive": ContractiveAutoencoder(3),
    "gsn": GSN((4, 3), walkback=2),
    "gsn-classifier": GSNClassifier((4, 3), walkback=2),
    "stack": StackedAutoencoder((4, 3)),
    "stack-classifier": StackedAutoencoderClassifier(
        (4, 3), pretrain=Pretraining(n_iter=20)
    ),
    "unpredictable": PredictabilityMinimization(3),
}


def fitted(name):
    X, y = rows()
    return MODELS[name].set_params(n_iter=20, random_state=0).fit(X, y), X


@pytest.mark.parametrize("name", MODELS)
def test_every_model_with_chains(name):
    model, X = fitted(name)
    # Probabilities given samples are a distribution, and that of the chain's rows.
    given = {"n_samples": 4000, "n_steps": 30, "random_state": 0}
    log_p = csl_log_likelihood(model, EVERY_ROW, **given)
    assert logsumexp(log_p) == pytest.approx(0, abs=1e-5)
    drawn = model.sample(4000, random_state=1, n_steps=30)
    share = (drawn[:, None] == EVERY_ROW[None]).all(axis=2).mean(axis=0)
    error = np.sqrt(2 * share * (1 - share) / 4000) + 1e-3
    assert (np.abs(share - np.exp(log_p)) < 4 * error).all()
    # Of rows with a missing entry, the likelihood of the others.
    whole, holes = EVERY_ROW[[0, 1]], EVERY_ROW[[0]].copy()
    holes[0, -1] = np.nan
    assert (whole[0] != whole[1]).nonzero()[0].tolist() == [whole.shape[1] - 1]
    expected = logsumexp(csl_log_likelihood(model, whole, **given))
    found = csl_log_likelihood(model, holes, **given)
    np.testing.assert_allclose(found, [expected], rtol=1e-4)
    # The trace is of the samples.
    how = {"thin": 2, "burn_in": 3, "random_state": 4}
    chains = chain_diagnostics(model, n_chains=2, n_draws=10, **how)
    assert chains.trace.shape == (2, 10)
    assert (chains.trace < 0).all()
    same = model.sample(20, n_steps=20, **how)
    np.testing.assert_array_equal(chains.r_hat_columns, r_hat(same.reshape(2, 10, -1)))
    assert np.isfinite(parzen_log_likelihood(X, drawn[:500], sigma=0.3).rows).all()


@pytest.mark.exhaustive
def test_chains_that_converge_and_others():
    model, X = fitted("gsn")
    assert chain_diagnostics(model, random_state=0).converged
    # With little corruption, and outputs far from 0, chains stay where they began.
    stuck = DenoisingAutoencoder(6, corruption_level=0.01, n_iter=300, random_state=0)
    found = chain_diagnostics(stuck.fit(X[:, :3]), n_draws=20, burn_in=0, thin=1)
    assert not found.converged
    assert found.reasons


def test_models_without_such_chains_are_refused():
    X, _ = rows()
    model = VAE(2, hidden_layer_sizes=(4,), n_iter=1).fit(X)
    with pytest.raises(TypeError, match="csl_log_likelihood.*VAE has none"):
        csl_log_likelihood(model, X)
    with pytest.raises(TypeError, match="chain_diagnostics.*VAE has none"):
        chain_diagnostics(model)
