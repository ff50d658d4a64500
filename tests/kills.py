"""Fits that are killed again and again: ``python -m tests.kills 50`` kills fifty."""

import os
import signal
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.base import clone

import skdgm
from skdgm.callbacks import Checkpoint
from tests.callbacks import Callback

# Most seconds from the beginning of a run's first epoch to its end.
_LONGEST = 0.05


class _Tell(Callback):
    """Write a byte to a pipe whenever an epoch begins."""

    def __init__(self, pipe):
        self.pipe = pipe

    def on_fit_task_begin(self, estimator, context):
        if context.task_name == "epoch":
            os.write(self.pipe, b".")


def survive(estimator, X, path, n_kills, seed=0):
    """Fit to the end, with kills at random times on the way.

    Returns
    -------
    lost : list of int
        For each kill, epochs that were complete and are not in the file.
    found : estimator
        Fitted in the end.
    """
    rng, lost = np.random.default_rng(seed), []
    while len(lost) < n_kills:
        before, seconds = _kept(path), rng.uniform(0, _LONGEST)
        begun = _killed(estimator, X, path, seconds)
        # When the last epoch began, those before it were complete.
        lost.append(max(0, before + begun - 1 - _kept(path)))
    found = clone(estimator).set_callbacks(Checkpoint(path)).fit(X)
    return lost, found.set_callbacks()


def _kept(path):
    return skdgm.load(path).n_iter_ if Path(path).exists() else 0


def _killed(estimator, X, path, seconds):
    """Epochs that begin in a process which is killed so long after the first one."""
    end, pipe = os.pipe()
    with warnings.catch_warnings():
        # That the process has several threads does not matter.
        warnings.simplefilter("ignore", DeprecationWarning)
        process = os.fork()
    if process == 0:
        try:
            callbacks = _Tell(pipe), Checkpoint(path)
            clone(estimator).set_callbacks(*callbacks).fit(X)
        finally:
            os._exit(0)
    os.close(pipe)
    begun = os.read(end, 1)
    time.sleep(seconds)
    os.kill(process, signal.SIGKILL)
    status = os.waitpid(process, 0)[1]
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL, "it was too fast"
    while more := os.read(end, 2**16):
        begun += more
    os.close(end)
    return len(begun)


if __name__ == "__main__":
    n_kills = int(sys.argv[1])
    data = np.random.default_rng(0).integers(0, 2, (500, 20))
    rbm = skdgm.BernoulliRBM(16, n_iter=20 * n_kills, random_state=0)
    whole = clone(rbm).fit(data)
    with tempfile.TemporaryDirectory() as folder:
        lost, found = survive(rbm, data, Path(folder) / "rbm.skdgm", n_kills)
        left = len(os.listdir(folder)) - 1
    same = (whole.components_ == found.components_).all()
    print(
        f"{len(lost)} kills of {found.n_iter_} epochs, {sum(lost)} complete ones lost"
    )
    print(f"same weights as without kills: {same}; other files left: {left}")
