"""Fits that are killed again and again: ``python -m tests.kills 50`` kills fifty of a
machine, of a stack, and of models that are pre-trained."""

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
from skdgm.options import UpDown
from tests.options import grouped

# Most seconds from the end of a run's first epoch to its end.
_LONGEST = 0.05


class _Telling(Checkpoint):
    """One that writes a byte to a pipe at the end of each epoch, before it is kept."""

    def __init__(self, path, pipe):
        super().__init__(path, n_epochs=1)
        self.pipe = pipe

    def due(self):
        os.write(self.pipe, b".")
        return super().due()


def survive(estimator, X, path, n_kills, seed=0, **given):
    """Fit to the end, with kills at random times on the way; ``given`` are labels y.

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
        ended = _killed(estimator, X, path, seconds, **given)
        # When the last epoch ended, those before it were kept.
        lost.append(max(0, before + ended - 1 - _kept(path)))
    found = clone(estimator).set_callbacks(Checkpoint(path, n_epochs=1)).fit(X, **given)
    return lost, found.set_callbacks()


def _kept(path):
    return n_epochs(skdgm.load(path)) if Path(path).exists() else 0


def n_epochs(model):
    """Number of epochs of a model, in all stages."""
    stages = [model.n_iter_, *map(len, getattr(model, "pretrain_loss_curves_", []))]
    stages.append(len(vars(model).get("net_loss_curve_", [])))
    return sum(stages) + (model.dbn_.n_iter_ if hasattr(model, "dbn_") else 0)


def _killed(estimator, X, path, seconds, **given):
    """Epochs that end in a process which is killed so long after the first one."""
    end, pipe = os.pipe()
    with warnings.catch_warnings():
        # That the process has several threads does not matter.
        warnings.simplefilter("ignore", DeprecationWarning)
        process = os.fork()
    if process == 0:
        try:
            clone(estimator).set_callbacks(_Telling(path, pipe)).fit(X, **given)
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
    labels, each = data[:, 0], {"n_iter": 10 * n_kills, "random_state": 0}
    before = {"pretrain_iter": 10 * n_kills}
    for model, given in (
        (skdgm.BernoulliRBM(16, n_iter=20 * n_kills, random_state=0), {}),
        (grouped(skdgm.DBN, (16, 12), **each), {}),
        (grouped(skdgm.DBM, (16, 12), pretrain="layerwise", **before, **each), {}),
        (grouped(skdgm.DBNClassifier, (16, 12), **before, **each), {"y": labels}),
        (grouped(skdgm.DBN, (16, 12), refine=UpDown(n_iter=10 * n_kills), **each), {}),
        (
            grouped(
                skdgm.DBMClassifier, skdgm.DBM((16, 12), n_iter=10 * n_kills), **each
            ),
            {"y": labels},
        ),
    ):
        whole = clone(model).fit(data, **given)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.skdgm"
            lost, found = survive(model, data, path, n_kills, **given)
            left = len(os.listdir(folder)) - 1
        parts = [
            [*getattr(m, "coefs_", ()), *vars(m).get("net_coefs_", ())]
            or [m.components_]
            for m in (whole, found)
        ]
        same = all((a == b).all() for a, b in zip(*parts, strict=True))
        print(
            f"{type(model).__name__}: {len(lost)} kills of {n_epochs(found)} epochs, "
            f"{sum(lost)} complete ones lost"
        )
        print(f"same weights as without kills: {same}; other files left: {left}")
