from itertools import product

import numpy as np
import pytest
from scipy.special import logsumexp
from sklearn.preprocessing import StandardScaler

from skdgm import DBN, BernoulliRBM, DBNClassifier
from skdgm.metrics import chain_diagnostics, effective_sample_size, r_hat
from skdgm.utils.random import MAX_SEED
from tests.metrics.models import MODELS, fitted, rows
from tests.options import grouped
from tests.reference import ODD

LABELED_DBM = pytest.param("dbm-classifier", marks=pytest.mark.exhaustive)


@pytest.mark.exhaustive(default=["rbm", "real"])
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


def test_the_trace_of_directed_layers_is_that_of_the_machine_above():
    model, _ = fitted("dbn")
    options = {"init": "noise", "burn_in": 7, "thin": 3}
    found = chain_diagnostics(model, n_chains=2, n_draws=10, random_state=4, **options)
    seed = np.random.RandomState(4).randint(MAX_SEED)
    h = model.layers_[-1].sample(20, seed, n_steps=30, **options)
    expected = model.layers_[-1].free_energy(h)
    np.testing.assert_allclose(found.trace.ravel(), expected)
    X = model.sample(20, 4, n_steps=30, **options).reshape(2, 10, -1)
    np.testing.assert_array_equal(found.r_hat_columns, r_hat(X))


@pytest.mark.parametrize("name", ["classifier", "dbm", LABELED_DBM])
def test_the_trace_is_of_all_that_a_chain_remembers(name):
    model, _ = fitted(name)
    options = {"init": "noise", "burn_in": 3, "thin": 2}
    found = chain_diagnostics(model, n_chains=2, n_draws=5, random_state=1, **options)
    x = model.density_.chains.collect(
        lambda state: tuple(map(np.asarray, state.x)), 10, 1, n_steps=10, **options
    )
    # The first hidden layer is summed out, state by state; so is a label on top of two.
    energy, params = model.density_.energy, model.density_.params
    (h, *label) = energy.colors[ODD]
    log_weights = []
    for bits in product((0.0, 1.0), repeat=5):
        for code in range(2 if label else 1):
            x[h] = np.tile(np.array(bits, params.dtype), (10, 1))
            if label:
                x[label[0]] = np.eye(2, dtype=params.dtype)[[code] * 10]
            log_weights.append(-energy.energy(params, tuple(x)))
    np.testing.assert_allclose(found.trace.ravel(), -logsumexp(log_weights, axis=0))


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


def test_chains_that_all_stand_still():
    model, _ = fitted("rbm")
    model.components_ = np.zeros_like(model.components_)
    model.intercept_visible_ = np.full(6, 100.0)
    found = chain_diagnostics(model, n_chains=4, random_state=0)
    assert np.isnan(found.r_hat)
    assert np.isnan(found.r_hat_columns).all()
    assert not found.converged
    assert "of columns unknown, as none moves" in repr(found)
    assert found.reasons == ["nothing moves"]
    assert (found.autocorrelation == 1).all()
    # A column that does not move is nothing to worry about, nor a flat energy.
    model.intercept_visible_ = np.array([100.0, 0, 0, 0, 0, 0])
    found = chain_diagnostics(model, random_state=0)
    assert np.isnan(found.r_hat_columns[0])
    assert found.ess == 4000
    assert found.converged


TEMPERED = {"gradient": "tempering", "n_temperatures": 4}


@pytest.mark.parametrize(
    "model",
    [
        grouped(BernoulliRBM, 4, n_iter=3, random_state=0, **TEMPERED),
        grouped(DBN, (4, 3), n_iter=2, random_state=0, **TEMPERED),
        DBNClassifier(
            layers=[("top", grouped(BernoulliRBM, 4, n_iter=3, **TEMPERED))],
            n_iter=1,
            random_state=0,
        ),
    ],
)
def test_swap_rates_of_tempering(model):
    X, y = rows()
    model.fit(X, y)
    found = chain_diagnostics(model, random_state=0)
    network = getattr(model, "dbn_", model)
    machine = getattr(network, "layers_", [network])[-1]
    np.testing.assert_array_equal(found.swap_rates, machine.swap_rates_)
    assert f"swap rates from {machine.swap_rates_.min():.2f}" in repr(found)


def test_what_is_printed():
    model, _ = fitted("rbm")
    found = chain_diagnostics(model, random_state=0)
    assert found.swap_rates is None
    lines = repr(found).splitlines()
    assert lines[0] == "ChainDiagnostics(20 chains of 200 draws, one in 10 steps"
    worst, middle = found.r_hat_columns.max(), np.median(found.r_hat_columns)
    columns = f"{middle:.3f} at the median and {worst:.3f} at most"
    assert lines[1].strip() == f"R-hat {found.r_hat:.3f}, of columns {columns}"
    assert lines[-1].strip() == "converged: True)"


def test_why_chains_have_not_converged():
    model, _ = fitted("rbm")
    found = chain_diagnostics(model, random_state=0)
    assert found.reasons == []
    few = found._replace(ess=120.4, ess_tail=399.0)
    assert not few.converged
    assert few.reasons == [
        "ESS is 120, below 400",
        "ESS in the tails is 399, below 400",
    ]
    assert repr(few).splitlines()[-3:-1] == [
        " " * 17 + "converged: False",
        " " * 17 + "ESS is 120, below 400",
    ]
    apart = found._replace(r_hat=1.2, r_hat_columns=np.full(6, 1.05))
    assert apart.reasons == [
        "R-hat is 1.200, above 1.01",
        "R-hat of 1 % of the columns is 1.050, above 1.01",
    ]


def test_bad_input():
    model, X = fitted("rbm")
    with pytest.raises(TypeError, match="chain_diagnostics.*StandardScaler has none"):
        chain_diagnostics(StandardScaler().fit(X))
    for option in ({"n_chains": 0}, {"n_draws": 3}, {"thin": 0}, {"burn_in": -1}):
        with pytest.raises(ValueError, match=next(iter(option))):
            chain_diagnostics(model, **option)


def test_chains_begin_where_they_are_asked_to():
    """Units that hold each other, so that chains stay where they begin."""
    model = BernoulliRBM(2, n_iter=1, random_state=0).fit(rows()[0])
    model.components_ = np.full((2, 6), 20.0)
    model.intercept_hidden_, model.intercept_visible_ = (
        np.full(2, -60.0),
        np.full(6, -20.0),
    )
    model._forget()
    options = {"n_chains": 2, "n_draws": 8, "thin": 1, "burn_in": 0, "random_state": 0}
    ends = np.repeat([[0.0], [1.0]], 6, axis=1)
    found = chain_diagnostics(model, init=ends, **options).trace
    expected = model.free_energy(ends)[:, None]
    np.testing.assert_allclose(found, np.repeat(expected, 8, axis=1))
