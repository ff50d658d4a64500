import threading

import joblib
import pytest
from sklearn.base import BaseEstimator
from sklearn.model_selection import cross_validate
from sklearn.pipeline import make_pipeline

from skdgm import BernoulliRBM
from skdgm.utils.callers import fits_for_another


class Asking(BernoulliRBM):
    """Asks when it is fitted."""

    def fit(self, X, y=None):
        FOUND.append(fits_for_another())
        return self

    def transform(self, X):
        return X

    def score(self, X, y=None):
        return 0.0


class Other(BaseEstimator):
    """Somebody's own estimator, which has one of ours."""

    def fit(self, X, y=None):
        Asking().fit(X)
        return self


def by_a_function(model, self=None):
    model.fit(X)


def by_a_thread():
    thread = threading.Thread(target=lambda: FOUND.append(fits_for_another()))
    thread.start()
    thread.join()


FOUND, X = [], [[0.0], [1.0]] * 5


@pytest.mark.parametrize(
    "call, expected",
    [
        (lambda: Asking().fit(X), False),
        (lambda: Asking().fit_transform(X), False),
        (lambda: by_a_function(Asking()), False),
        (lambda: make_pipeline(Asking()).fit(X), True),
        (lambda: cross_validate(Asking(), X, cv=2), True),
        (lambda: Other().fit(X), True),
        (lambda: joblib.Parallel()([joblib.delayed(by_a_function)(Asking())]), True),
        (by_a_thread, True),
    ],
)
def test_who_fits(call, expected):
    FOUND.clear()
    call()
    assert set(FOUND) == {expected}
