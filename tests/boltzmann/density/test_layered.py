import pickle

import numpy as np
import pytest

from skdgm import DBM, DBN, RNADE, VAE, BernoulliRBM, GaussianRBM, RBMClassifier
from skdgm.base import MissingCapability

X = (np.random.RandomState(0).rand(30, 9) < 0.4).astype(np.float64)
Y = np.arange(30) % 2
MACHINES = [
    BernoulliRBM(3, n_iter=1, random_state=0),
    RBMClassifier(3, n_iter=1, random_state=0),
    DBM((3, 2), n_iter=1, random_state=0),
]


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: type(m).__name__)
@pytest.mark.parametrize("asked_before", [False, True])
def test_a_density_keeps_its_log_Z_when_the_machine_learns_on(machine, asked_before):
    density = machine.fit(X, Y).density_
    expected = pickle.loads(pickle.dumps(machine)).score_samples(X)
    if asked_before:
        density.log_prob(X)
    machine.partial_fit(X, Y)
    np.testing.assert_array_equal(density.log_prob(X), expected)
    assert not np.array_equal(machine.score_samples(X), expected)


@pytest.mark.parametrize(
    "machine",
    [
        *MACHINES,
        VAE(2, (4,), activation="maxout", n_iter=1, random_state=0),
        VAE(2, (4,), batch_norm=True, dropout=0.1, n_iter=1, random_state=0),
    ],
    ids=lambda m: type(m).__name__,
)
def test_densities_can_be_pickled(machine):
    density = machine.fit(X, Y).density_
    other = pickle.loads(pickle.dumps(density))
    np.testing.assert_array_equal(other.log_prob(X), density.log_prob(X))


@pytest.mark.parametrize("machine", [MACHINES[0], MACHINES[2]])
def test_machines_without_a_label_name_what_they_lack(machine):
    density = machine.fit(X).density_
    with pytest.raises(MissingCapability, match="does not have labels"):
        density.log_joint_of(density.read(X))


@pytest.mark.parametrize(
    "model",
    [
        GaussianRBM(3, n_iter=1, random_state=0),
        DBN((3, 2), column_types="gaussian", n_iter=1, random_state=0),
        RNADE(3, n_iter=1, random_state=0),
        VAE(2, (3,), column_types="gaussian", n_iter=1, random_state=0),
    ],
    ids=lambda model: type(model).__name__,
)
def test_a_density_keeps_its_scale_when_the_model_is_fitted_anew(model):
    real = np.random.RandomState(0).normal(size=(40, 5))
    density = model.fit(real).density_
    expected = density.log_prob(real)
    model.fit(100 * real + 7)
    np.testing.assert_array_equal(density.log_prob(real), expected)


@pytest.mark.parametrize("n_rows", [1, 150])
@pytest.mark.parametrize("name", ["components_", "intercept_hidden_"])
def test_features_are_those_of_the_present_parameters(name, n_rows):
    X = np.random.RandomState(0).rand(n_rows, 6) < 0.6
    rbm = BernoulliRBM(5, n_iter=2, random_state=0).fit(X)

    def expected():
        eta = X @ rbm.components_.T + rbm.intercept_hidden_
        return 1 / (1 + np.exp(-eta))

    np.testing.assert_allclose(rbm.transform(X), expected(), rtol=1e-5)
    density = rbm.density_
    setattr(rbm, name, getattr(rbm, name) + 1)
    np.testing.assert_allclose(rbm.transform(X), expected(), rtol=1e-5)
    assert abs(density.features(X) - expected()).max() > 0.01
    getattr(rbm, name)[...] -= 2
    np.testing.assert_allclose(rbm.transform(X), expected(), rtol=1e-5)
    rbm.partial_fit(X)
    np.testing.assert_allclose(rbm.transform(X), expected(), rtol=1e-5)
    again = pickle.loads(pickle.dumps(rbm))
    np.testing.assert_array_equal(again.transform(X), rbm.transform(X))


def test_machines_of_the_same_sizes_keep_their_kinds():
    X = np.random.RandomState(0).rand(20, 6)
    binary = BernoulliRBM(5, n_iter=1, random_state=0).fit(X)
    real = GaussianRBM(5, n_iter=1, random_state=0).fit(X)
    kinds = [type(rbm.density_.energy.units[0]).__name__ for rbm in (binary, real)]
    assert kinds == ["Bernoulli", "Gaussian"]


@pytest.mark.parametrize("cls", [BernoulliRBM, RBMClassifier, DBM, DBN])
def test_features_of_a_row_are_those_of_many(cls):
    rng = np.random.RandomState(0)
    X, y = (rng.rand(150, 6) < 0.4).astype(float), rng.randint(2, size=150)
    model = cls(n_iter=1, random_state=0).fit(X, y)
    many = model.transform(X)
    for start in 0, 7:
        row = model.transform(X[start : start + 1])
        np.testing.assert_allclose(row, many[start : start + 1], rtol=1e-9)
