"""Models of machines and of stacks: fitted attributes say what the model learned."""

import numpy as np
import pytest
from sklearn.base import clone

from skdgm import (
    DBM,
    DBN,
    RBM,
    BernoulliRBM,
    BoltzmannMachine,
    ConvDBM,
    ConvRBM,
    DBNClassifier,
    GaussianRBM,
    RBMClassifier,
    ReplicatedSoftmax,
)
from skdgm.base import Density, Model
from skdgm.options import Pretraining, Tempering, UpDown

X = np.random.RandomState(0).randint(0, 2, (30, 16)).astype(float)
Y = np.arange(30) % 3
MODELS = (
    BernoulliRBM(3, gradient=Tempering(n_temperatures=3)),
    GaussianRBM(3, centering="data"),
    RBM(3, column_types=("bernoulli",) * 8 + ("gaussian",) * 8),
    RBMClassifier(3),
    DBM((3, 2), pretrain=Pretraining(n_iter=1)),
    ConvRBM(2, gradient="fpcd"),
    ConvDBM((2, 2)),
    BoltzmannMachine(2),
    ReplicatedSoftmax(3),
    DBN((3, 2), n_iter=1, refine=UpDown(n_iter=1)),
    DBNClassifier((3, 2), pretrain=Pretraining(n_iter=1)),
)


def arrays(value):
    """Arrays in lists, tuples and lists of active units, in order."""
    if isinstance(value, list | tuple):
        return [part for one in value for part in arrays(one)]
    return [np.asarray(value)] if isinstance(value, np.ndarray | float) else []


@pytest.mark.parametrize("own", MODELS, ids=lambda own: type(own).__name__)
def test_attributes_and_states_are_inverse(own):
    own = clone(own).set_params(n_iter=1, random_state=0).fit(X, Y)
    model, facts = own._MODEL, own._facts()
    assert isinstance(model, Model)
    assert isinstance(own.density_, Density)
    assert vars(facts.structure).keys() == vars(own._learned).keys()
    own._check_unchanged()
    found = model.attributes(facts, model.state(facts, vars(own)))
    for name, value in found.items():
        for one, other in zip(arrays(value), arrays(vars(own)[name]), strict=True):
            np.testing.assert_array_equal(one, other)
