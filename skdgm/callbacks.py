"""Callbacks for estimators of skdgm, in addition to :mod:`sklearn.callback`."""

import os
import time
from numbers import Integral, Real

from skdgm.exceptions import CheckpointWarning, UnsavableError
from skdgm.persistence import load, save
from skdgm.persistence.encoder import Encoder
from skdgm.persistence.target import check_writable, path_of, target_of
from skdgm.persistence.types import ESTIMATORS, name_of, tag_of
from skdgm.typing import Any, PathLike
from skdgm.utils.threading.callers import warn

__all__ = ["Checkpoint"]

# Default number of seconds between writes. Writing takes a few milliseconds, as long as
# an epoch of few rows.
_SECONDS = 5.0


class Checkpoint:
    """Callback that saves the state of training to a file, for a later ``fit``.

    After some epochs, and at the end, the estimator is saved as by :func:`skdgm.save`,
    together with the state of training. ``fit`` of the same estimator to the same rows
    continues from the file, with a bitwise identical result: run a killed script again.
    A complete new file replaces the old file atomically, so that a crash only loses the
    epochs since the last write, by default the last 5 seconds and the current epoch. If
    a later write fails, for example on a full disk, the old file remains, and training
    continues with a warning.

    Parameters
    ----------
    path : str or path-like
        File to write, one for each fit. :func:`skdgm.load` reads the model in the state
        of the last write.
    n_epochs : int, default=None
        Number of epochs between writes. With 1, no complete epoch is lost, but fits of
        few rows are slow.
    seconds : float, default=None
        Minimum time between writes, which follow the end of an epoch. By default 5
        unless ``n_epochs`` is given; if both are given, the first condition counts.

    Raises
    ------
    ValueError
        In ``fit``: the file belongs to another fit, with other rows, weights or options
        (except ``verbose``).
    UnsavableError
        In ``fit``, at its start: :func:`skdgm.save` does not support the estimator or
        one of its parameters.
    OSError
        In ``fit``, at its start: there is no folder for the file, or no permission to
        write to it.

    Warns
    -----
    CheckpointWarning
        The file could not be written after an epoch.

    See Also
    --------
    skdgm.save : Save a fitted estimator.
    sklearn.callback.ProgressBar : Bars with the time left.

    Notes
    -----
    For a stack (:class:`~skdgm.DBN`), the file is a network of the complete layers and
    the current layer, and training continues in the middle of this layer, or of the
    joint refinement. The same holds for pre-training and fine-tuning of a net
    (:class:`~skdgm.DBNClassifier`), for pre-training of a :class:`~skdgm.DBM`, and for
    fine-tuning of a :class:`~skdgm.DBMClassifier`. ``partial_fit`` has no callbacks:
    save the estimator between its calls.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from skdgm import BernoulliRBM
    >>> from skdgm.callbacks import Checkpoint
    >>> X = np.random.default_rng(0).integers(0, 2, (100, 6))
    >>> path = os.path.join(tempfile.mkdtemp(), "rbm.skdgm")
    >>> rbm = BernoulliRBM(2, n_iter=20, random_state=0)
    >>> rbm = rbm.set_callbacks(Checkpoint(path, seconds=60)).fit(X)
    """

    # Marks callbacks that store the training state.
    keeps_training = True

    def __init__(
        self,
        path: PathLike,
        *,
        n_epochs: int | None = None,
        seconds: float | None = None,
    ):
        _check("n_epochs", n_epochs, Integral, "a whole number of at least 1", 1)
        _check("seconds", seconds, Real, "a number of at least 0", 0)
        path_of(path)
        self.path, self.n_epochs, self.seconds = path, n_epochs, seconds
        self._restart()

    def __str__(self):
        return repr(os.fspath(self.path))

    def setup(self, estimator: object, context: Any) -> None:
        """Check that the file can be written, and reset the counters."""
        if tag_of(type(estimator)) not in ESTIMATORS:
            raise UnsavableError(
                "Checkpoint keeps estimators of skdgm, not objects of "
                f"{name_of(type(estimator))}."
            )
        Encoder().node(estimator, type(estimator).__name__)
        check_writable(target_of(self.path))
        self._restart()

    def teardown(self, estimator: object, context: Any) -> None:
        """Do nothing."""

    def on_fit_task_begin(self, estimator: object, context: Any) -> None:
        """Do nothing."""

    def on_fit_task_end(self, estimator: object, context: Any) -> bool | None:
        """Do nothing; the training loop writes, because it has the complete state."""
        return False

    def due(self) -> bool:
        """Return whether to write after the current epoch."""
        self._epochs += 1
        by_epochs = self.n_epochs is not None and self._epochs >= self.n_epochs
        passed = time.monotonic() - self._last
        seconds = self.seconds
        if seconds is None and self.n_epochs is None:
            seconds = _SECONDS
        return by_epochs or (seconds is not None and passed >= seconds)

    def read(self) -> Any:
        """Load the saved estimator, or return None if there is no file."""
        return load(self.path) if os.path.exists(self.path) else None

    def write(self, estimator: object) -> None:
        """Save an estimator in place of the old file; warn if this fails."""
        try:
            save(estimator, self.path)
        except OSError as error:
            warn(
                f"Checkpoint could not write {self}: {error}. Training continues; "
                "the file is unchanged.",
                CheckpointWarning,
            )
        self._restart()

    def _restart(self):
        self._last, self._epochs = time.monotonic(), 0


def _check(name, value, kind, what, minimum):
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, kind) or not value >= minimum:
        raise ValueError(f"{name} must be {what}, or None: got {value!r}.")
