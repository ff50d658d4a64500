import pickle

import numpy as np
import pytest

from skdgm import DBM, DBN, RNADE, VAE, BernoulliRBM, GaussianRBM, RBMClassifier
from skdgm.base import MissingCapability

X = (np.random.RandomState(0).rand(30, 9) < 0.4).astype(np.float32)
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
