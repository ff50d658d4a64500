"""Fitted estimators that are read in one thread while another fits them."""

import sys
import threading
from itertools import cycle

import numpy as np
import pytest
from sklearn.base import clone

from skdgm import BernoulliRBM, GaussianRBM, GenerativeImputer
from skdgm.anomaly import DensityOutlierDetector
from tests.common.instances import CLASSES, cases, name_of
from tests.common.shapes import brief, having
from tests.common.test_contract import Data

WRAPPED = [
    DensityOutlierDetector(GaussianRBM(4, random_state=0)),
    GenerativeImputer(BernoulliRBM(4, random_state=0), random_state=0),
]
# Methods of rows that are the same at each call.
METHODS = "transform", "transform_layers", "predict", "predict_proba", "impute"
METHODS += ("decision_function",)
# Numbers of hidden units of fits that follow each other, and the scale of their rows.
SIZES = (3, 10.0), (7, 1.0), (4, 100.0)


NAMES = [*map(name_of, CLASSES), *(type(one).__name__ for one in WRAPPED)]


@pytest.mark.release(
    default=["BernoulliRBM", "DBN", "EoNADE", "GAN", "RNNNADE", "Density"]
)
@pytest.mark.parametrize("estimator", cases([*CLASSES, *WRAPPED], NAMES))
def test_answers_are_those_of_one_fit(estimator):
    estimator = brief(clone(estimator))
    data = Data(estimator)
    X, y = data.X[:40], {"y": data.targets[:40]} if data.given else {}
    methods = [name for name in METHODS if hasattr(estimator.fit(X, **y), name)]
    known, heard, done = [], [], threading.Event()

    def answer(name):
        found = getattr(estimator, name)(X[:5])
        return (name, np.hstack(found).tolist())

    def read():
        for name in cycle(methods):
            if done.is_set():
                return
            try:
                heard.append(answer(name))
            except Exception as error:
                heard.append(error)

    def fit(method, scale):
        # Columns of real numbers are on another scale each time.
        method(X * scale if data.real else X, **y)
        known.extend(map(answer, methods))

    known.extend(map(answer, methods))
    reader, interval = threading.Thread(target=read), sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    reader.start()
    try:
        # Once through all sizes, and on until the reader had some turns.
        for turn, (n_units, scale) in enumerate(cycle(SIZES)):
            if turn >= len(SIZES) and len(heard) > 5:
                break
            assert reader.is_alive()
            fit(having(estimator, n_components=n_units).fit, scale)
            if hasattr(estimator, "partial_fit"):
                fit(estimator.partial_fit, scale)
    finally:
        done.set()
        reader.join()
        sys.setswitchinterval(interval)
    assert not [one for one in heard if one not in known][:2]


def test_log_z_is_that_of_the_fit_that_was_asked():
    """It is computed at first access, and another fit may end in the meantime."""
    X = np.eye(6)
    rbm = BernoulliRBM(3, n_iter=2, random_state=0).fit(X)
    late = clone(rbm).set_params(n_iter=50).fit(X)
    density = type(rbm).density_

    class Slow(BernoulliRBM):
        @property
        def density_(self):
            found = density.fget(self)
            if self.n_iter_ == 2:
                slow.set_params(n_iter=50).fit(X)
            return found

    slow = Slow(3, n_iter=2, random_state=0).fit(X)
    assert slow.log_Z_ == rbm.log_Z_
    assert slow.log_Z_ == late.log_Z_ != rbm.log_Z_
