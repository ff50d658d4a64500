"""What may happen at the ends of epochs."""

import sys

import numpy as np

from skdgm.utils.compiling import tell
from skdgm.utils.tree import copy


class Hook:
    """Something that listens to training."""

    def begin(self, epoch):
        """Hear that an epoch begins."""

    def end(self, report):
        """Hear how it ended; return True to stop training."""
        return False


class EarlyStopping(Hook):
    """Keep the state with the lowest validation loss; give up without progress.

    Parameters
    ----------
    patience : int
        Epochs without an improvement of more than ``tol`` before giving up.
    tol : float
    since : int
        The number of the first epoch that counts.
    """

    def __init__(self, patience, tol, since=0):
        self.patience, self.tol, self.since = patience, tol, since
        self.best, self.lowest, self.best_epoch = None, np.inf, None
        self.mark, self.waited = np.inf, 0

    def end(self, report):
        """Compare the epoch with the best so far."""
        if report.epoch < self.since:
            return False
        if report.validation < self.lowest:
            self.best, self.lowest = copy(report.state), report.validation
            self.best_epoch = report.epoch
        if report.validation < self.mark - self.tol:
            self.mark, self.waited = report.validation, 0
        else:
            self.waited += 1
        return self.waited >= self.patience


class Verbose(Hook):
    """Print a line an epoch.

    Parameters
    ----------
    name, quantity : str
        Whose epochs, and what minus the loss is.
    """

    def __init__(self, name, quantity):
        self.name, self.quantity = name, quantity
        tell(self)

    def compiling(self, message):
        """Print that kernels are being compiled, apart from the lines of epochs."""
        print(f"[{self.name}] {message}", file=sys.stderr)

    def end(self, report):
        """Print the losses and the time."""
        held_out = (
            "" if report.validation is None else f", held out {-report.validation:.2f}"
        )
        print(
            f"[{self.name}] Iteration {report.epoch + 1}, {self.quantity} = "
            f"{-report.loss:.2f}{held_out}, time = {report.seconds:.2f}s"
        )


class Callbacks(Hook):
    """Tell scikit-learn's callbacks of every epoch.

    Parameters
    ----------
    estimator : estimator
    context : sklearn.callback.CallbackContext
    data : dict
        ``X``, ``y`` and ``metadata`` for the callbacks.
    attributes : callable
        ``attributes(state)`` returns the fitted attributes of a training state.
    """

    def __init__(self, estimator, context, data, attributes):
        self.estimator, self.context, self.data = estimator, context, data
        self.attributes, self.epoch_context = attributes, None

    def begin(self, epoch):
        """Open the epoch's context."""
        self.epoch_context = self.context.subcontext(task_name="epoch")
        self.epoch_context.call_on_fit_task_begin(estimator=self.estimator, **self.data)

    def end(self, report):
        """Close the epoch's context; callbacks may ask to stop."""
        return self.epoch_context.call_on_fit_task_end(
            estimator=self.estimator,
            reconstruction_attributes=lambda: self.attributes(report.state),
            **self.data,
        )
