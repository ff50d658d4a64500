import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from skdgm import BernoulliRBM
from skdgm.metrics import chain_diagnostics, effective_sample_size, r_hat
from tests.metrics.models import MODELS, fitted, rows


@pytest.mark.parametrize("name", MODELS)
def test_every_model_with_chains(name):
    model, X = fitted(name)
    options = {"n_chains": 3, "n_draws": 20, "thin": 2, "random_state": 0}
    found = chain_diagnostics(model, **options)
    assert found.trace.shape == (3, 20)
    assert found.r_hat == r_hat(found.trace)
    assert found.ess == effective_sample_size(found.trace)
    assert found.time == pytest.approx(2 * 60 / found.ess)
    assert found.r_hat_columns.shape == (X.shape[1],)
    assert found.autocorrelation[0] == pytest.approx(1)
    again = chain_diagnostics(model, **options)
    np.testing.assert_array_equal(found.trace, again.trace)


def test_the_trace_is_of_the_samples():
    model, _ = fitted("rbm")
    found = chain_diagnostics(
        model, n_chains=2, n_draws=10, thin=3, burn_in=7, init="noise", random_state=4
    )
    X = model.sample(20, 4, n_steps=30, thin=3, burn_in=7, init="noise")
    np.testing.assert_allclose(found.trace.ravel(), model.free_energy(X))


def test_what_mixes_and_what_does_not():
    model, _ = fitted("rbm")
    assert chain_diagnostics(model, random_state=0).converged
    # Two modes that no chain leaves.
    model.components_ = np.full_like(model.components_, 5.0)
    model.intercept_visible_ = np.full(6, -12.5)
    model.intercept_hidden_ = np.full(5, -15.0)
    model._forget()
    found = chain_diagnostics(model, init="noise", random_state=0)
    assert not found.converged
    assert max(found.r_hat, np.nanmax(found.r_hat_columns)) > 1.1


def test_swap_rates_of_tempering():
    X, _ = rows()
    rbm = BernoulliRBM(
        4, n_iter=3, gradient="tempering", n_temperatures=4, random_state=0
    ).fit(X)
    np.testing.assert_array_equal(chain_diagnostics(rbm).swap_rates, rbm.swap_rates_)
    assert chain_diagnostics(fitted("rbm")[0]).swap_rates is None


def test_bad_input():
    model, X = fitted("rbm")
    with pytest.raises(TypeError, match="chain_diagnostics.*StandardScaler has none"):
        chain_diagnostics(StandardScaler().fit(X))
    for option in ({"n_chains": 0}, {"n_draws": 3}, {"thin": 0}, {"burn_in": -1}):
        with pytest.raises(ValueError, match=next(iter(option))):
            chain_diagnostics(model, **option)
