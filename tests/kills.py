"""Fits that are killed again and again: ``python -m tests.kills 50`` kills fifty of a
machine, and fifty of a stack."""

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

# Most seconds from the end of a run's first epoch to its end.
_LONGEST = 0.05


class _Telling(Checkpoint):
    """One that writes a byte to a pipe at the end of each epoch, before it is kept."""

    def __init__(self, path, pipe):
        super().__init__(path)
        self.pipe = pipe

    def due(self):
        os.write(self.pipe, b".")
        return super().due()


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
        ended = _killed(estimator, X, path, seconds)
        # When the last epoch ended, those before it were kept.
        lost.append(max(0, before + ended - 1 - _kept(path)))
    found = clone(estimator).set_callbacks(Checkpoint(path)).fit(X)
    return lost, found.set_callbacks()


def _kept(path):
    return skdgm.load(path).n_iter_ if Path(path).exists() else 0


def _killed(estimator, X, path, seconds):
    """Epochs that end in a process which is killed so long after the first one."""
    end, pipe = os.pipe()
    with warnings.catch_warnings():
        # That the process has several threads does not matter.
        warnings.simplefilter("ignore", DeprecationWarning)
        process = os.fork()
    if process == 0:
        try:
            clone(estimator).set_callbacks(_Telling(path, pipe)).fit(X)
        finally:
            os._exit(0)
    os.close(pipe)
    ended = os.read(end, 1)
    time.sleep(seconds)
    os.kill(process, signal.SIGKILL)
    status = os.waitpid(process, 0)[1]
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL, "it was too fast"
    while more := os.read(end, 2**16):
        ended += more
    os.close(end)
    return len(ended)


if __name__ == "__main__":
    n_kills = int(sys.argv[1])
    data = np.random.default_rng(0).integers(0, 2, (500, 20))
    of_stack = {"n_iter": 10 * n_kills, "random_state": 0}
    for model in (
        skdgm.BernoulliRBM(16, n_iter=20 * n_kills, random_state=0),
        skdgm.DBN((16, 12), **of_stack),
    ):
        whole = clone(model).fit(data)
        with tempfile.TemporaryDirectory() as folder:
            lost, found = survive(model, data, Path(folder) / "model.skdgm", n_kills)
            left = len(os.listdir(folder)) - 1
        parts = [(m.layers_ if hasattr(m, "layers_") else [m]) for m in (whole, found)]
        same = all((a.components_ == b.components_).all() for a, b in zip(*parts))
        print(
            f"{type(model).__name__}: {len(lost)} kills of {found.n_iter_} epochs, "
            f"{sum(lost)} complete ones lost"
        )
        print(f"same weights as without kills: {same}; other files left: {left}")
