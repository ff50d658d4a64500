import subprocess
import sys
import threading
import warnings
from contextlib import ExitStack

import joblib
import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.model_selection import cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline

from skdgm import BernoulliRBM, GaussianRBM
from skdgm.exceptions import DataRangeWarning, MissingDataWarning
from skdgm.utils.threading.callers import fits_for_another, warn

X = np.eye(6)
HOLED = np.where([True, False, False, False, False, False], np.nan, X)


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
    model.fit(ROWS)


def by_a_thread():
    thread = threading.Thread(target=lambda: FOUND.append(fits_for_another()))
    thread.start()
    thread.join()


FOUND, ROWS = [], [[0.0], [1.0]] * 5


@pytest.mark.parametrize(
    "call, expected",
    [
        (lambda: Asking().fit(ROWS), False),
        (lambda: Asking().fit_transform(ROWS), False),
        (lambda: by_a_function(Asking()), False),
        (lambda: make_pipeline(Asking()).fit(ROWS), True),
        (lambda: cross_validate(Asking(), ROWS, cv=2), True),
        (lambda: Other().fit(ROWS), True),
        (lambda: joblib.Parallel()([joblib.delayed(by_a_function)(Asking())]), True),
        (by_a_thread, True),
    ],
)
def test_who_fits(call, expected):
    FOUND.clear()
    call()
    assert set(FOUND) == {expected}


@pytest.mark.parametrize(
    "call, category",
    [
        (lambda: warn("so it is", UserWarning), UserWarning),
        (lambda: BernoulliRBM(2).fit(3 * X), DataRangeWarning),
        (lambda: BernoulliRBM(2).partial_fit(3 * X), DataRangeWarning),
        (lambda: BernoulliRBM(2).fit(X).transform(3 * X), DataRangeWarning),
        (lambda: make_pipeline(BernoulliRBM(2)).fit(3 * X), DataRangeWarning),
        (lambda: GaussianRBM(2).fit(HOLED), MissingDataWarning),
    ],
)
def test_warnings_point_to_the_caller(call, category):
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        call()
    found = [one for one in record if one.category is category]
    assert found
    assert {one.filename for one in found} == {__file__}


def in_folds(**options):
    cross_val_score(BernoulliRBM(2, n_iter=1), 3 * X, cv=3, **options)


@pytest.mark.parametrize("backend", [None, "threading"])
def test_folds_warn_once_of_the_callers_line(backend):
    with warnings.catch_warnings(record=True) as record, ExitStack() as stack:
        warnings.simplefilter("default")
        if backend:
            stack.enter_context(joblib.parallel_config(backend, n_jobs=2))
        for _ in range(2):
            in_folds()
    found = [one for one in record if one.category is DataRangeWarning]
    # In fit, in score.
    assert 1 <= len(found) <= 2
    # Threads have no caller; Python 3.14 writes "<sys>" then.
    expected = {"sys", "<sys>"} if backend else {__file__}
    assert {one.filename for one in found} <= expected


def test_all_that_is_asked_for_is_said():
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        in_folds()
    assert len([one for one in record if one.category is DataRangeWarning]) >= 3


CODE = """
import joblib, numpy as np
from sklearn.model_selection import cross_val_score
from skdgm import BernoulliRBM
from skdgm.utils.threading.parallel import n_threads
with joblib.parallel_config("loky", n_jobs=2, inner_max_num_threads=1):
    cross_val_score(BernoulliRBM(2, n_iter=1), 3 * np.eye(40), cv=10)
    print(joblib.Parallel()([joblib.delayed(n_threads)()] * 2))
"""


@pytest.mark.release
def test_workers_warn_once_each_and_have_as_many_threads_as_joblib_says():
    options = {"capture_output": True, "text": True, "check": True}
    found = subprocess.run([sys.executable, "-c", CODE], **options)
    said = [line for line in found.stderr.splitlines() if "DataRangeWarning" in line]
    # In fit, in score.
    assert 1 <= len(said) <= 4
    assert all(line.startswith(("sys:", "<sys>:")) for line in said)
    assert found.stdout.strip() == "[1, 1]"
