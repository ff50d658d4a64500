"""Small fitted models of every kind with a partition function, and their rows."""

import numpy as np

from skdgm import (
    DBM,
    DBN,
    BernoulliRBM,
    DBMClassifier,
    DBNClassifier,
    DBNRegressor,
    GaussianRBM,
    GenerativeDBNClassifier,
    RBMClassifier,
)
from skdgm.options import Pretraining
from tests.options import grouped

SHORT = {"n_iter": 3, "random_state": 0}
MODELS = {
    "rbm": grouped(BernoulliRBM, 5, **SHORT),
    "real": grouped(GaussianRBM, 4, **SHORT),
    "classifier": grouped(RBMClassifier, 5, **SHORT),
    "real-classifier": grouped(RBMClassifier, 4, column_types="gaussian", **SHORT),
    "dbm": grouped(DBM, (5, 4), **SHORT),
    "dbm-classifier": DBMClassifier(
        DBM((5, 4), n_iter=3, learning_rate=0.05), n_iter=2, random_state=0
    ),
    "dbn": grouped(DBN, (5, 4), **SHORT),
    "dbn-classifier": DBNClassifier(
        (5, 4), pretrain=Pretraining(n_iter=3), n_iter=2, random_state=0
    ),
    "dbn-regressor": DBNRegressor(
        (5, 4),
        column_types="gaussian",
        pretrain=Pretraining(n_iter=3),
        n_iter=2,
        random_state=0,
    ),
    "generative-dbn": grouped(GenerativeDBNClassifier, (5, 4), **SHORT),
}


def rows(n=60, n_columns=6, seed=0):
    """Binary rows with two patterns in them, and their labels."""
    rng = np.random.default_rng(seed)
    y = rng.integers(2, size=n)
    p = np.where(y[:, None] == np.arange(n_columns) % 2, 0.85, 0.2)
    return (rng.random(p.shape) < p).astype(float), y


def fitted(name):
    """A model, with larger weights than learned, and rows."""
    X, y = rows()
    model = MODELS[name].fit(X, y)
    machine = getattr(model, "dbn_", model)
    for layer in getattr(machine, "layers_", [machine]):
        if hasattr(layer, "components_"):
            layer.components_ = 3 * layer.components_
        layer._forget()
    machine._forget()
    model._forget()
    return model, X
