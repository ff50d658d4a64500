"""What calls change in a process, they restore: doc/guide/process.rst."""

import gc
import os
import signal
import sys
import warnings

import numba
import numpy as np
import pytest
from sklearn.base import clone
from threadpoolctl import threadpool_info

import skdgm
from skdgm.exceptions import InterruptedFitWarning
from tests.callbacks import Callback

X = np.eye(6)[np.arange(40) % 6]
SMALL = {"n_iter": 2, "batch_size": 10, "random_state": 0}
ESTIMATORS = [
    skdgm.BernoulliRBM(3, **SMALL),
    skdgm.NADE(3, **SMALL),
    skdgm.VAE(2, hidden_layer_sizes=(3,), **SMALL),
]


def process():
    """Settings of the process that code outside skdgm may have made or may rely on."""
    state = np.random.get_state()
    return {
        "signals": {n: signal.getsignal(n) for n in signal.valid_signals()},
        "threads of Numba": numba.get_num_threads(),
        "collector": (gc.isenabled(), gc.get_threshold(), len(gc.callbacks)),
        "errors of NumPy": np.geterr(),
        "warnings": list(warnings.filters),
        "NumPy's generator": (state[0], state[1].tolist(), *state[2:]),
        "environment": {n: v for n, v in os.environ.items() if n[:7] != "PYTEST_"},
        "folder": os.getcwd(),
        "hooks": (sys.gettrace(), sys.getprofile(), sys.excepthook),
        "limit of calls": sys.getrecursionlimit(),
        "switches of threads": sys.getswitchinterval(),
    }


def threads():
    """Numbers of threads of the libraries that are loaded, by file."""
    return {pool["filepath"]: pool["num_threads"] for pool in threadpool_info()}


@pytest.fixture(autouse=True)
def unchanged():
    """Compares the process before and after a test."""
    before, n_threads = process(), threads()
    yield
    assert process() == before
    # A first call may load libraries.
    assert n_threads.items() <= threads().items()


class Stop(Callback):
    """Presses Ctrl-C, or fails, at the end of the first epoch."""

    def __init__(self, error):
        self.error = error

    def on_fit_task_end(self, estimator, context):
        if context.task_name == "epoch":
            raise self.error


@pytest.fixture(params=ESTIMATORS, ids=lambda own: type(own).__name__)
def estimator(request):
    return clone(request.param)


@pytest.mark.parametrize(
    "call",
    [
        lambda own: own.fit(X),
        lambda own: own.partial_fit(X),
        lambda own: own.fit(X).score_samples(X),
        lambda own: own.fit(X).sample(3, random_state=0),
        lambda own: own.fit(X).impute(np.where(X == 1, np.nan, X)),
    ],
    ids=["fit", "partial_fit", "score_samples", "sample", "impute"],
)
def test_calls_restore_what_they_change(estimator, call):
    call(estimator)


def test_errors_restore_what_calls_change(estimator):
    with pytest.raises(ValueError, match="infinity"):
        estimator.fit(np.where(X == 1, np.inf, X))


def test_errors_of_callbacks_restore_what_calls_change(estimator):
    with pytest.raises(RuntimeError, match="mine"):
        estimator.set_callbacks(Stop(RuntimeError("mine"))).fit(X)


def test_ctrl_c_restores_what_calls_change(estimator):
    with pytest.warns(InterruptedFitWarning):
        estimator.set_callbacks(Stop(KeyboardInterrupt())).fit(X)
