"""Options of nets and of fine-tuning."""

from typing import Annotated, Literal

from skdgm.base.options import (
    KW_ONLY,
    Auto,
    Count,
    CountOrZero,
    Details,
    Fraction,
    NotNegative,
    Options,
    Positive,
    RandomState,
    Share,
    Verbose,
)
from skdgm.base.solvers import SGD, Adam, RMSprop
from skdgm.nets.feed_forward import INITIALIZERS
from skdgm.nets.primitives import ACTIVATIONS

Activation = Literal[*ACTIVATIONS]
Initializer = Literal[*INITIALIZERS]


class StepDetails(Details):
    """Details of optimizers' steps."""

    schedule: Literal["constant", "invscaling", "linear"] = "linear"
    power_t: NotNegative = 0.5
    momentum: Share = 0.9
    beta_2: Share = 0.999
    clip_norm: Positive | None = None


class NetDetails(StepDetails):
    """Details of optimizers of nets."""

    average: bool = False


NetSolver = Literal["adam", "rmsprop", "sgd"] | Adam | RMSprop | SGD


class TuningOptions(Options):
    """Options of fine-tuning a net by labels or targets.

    Parameters
    ----------
    solver
        Optimizer of fine-tuning: Adam, or stochastic gradient descent with momentum.
    alpha
        Weight decay: alpha / 2 times the sum of squared weights is added to the loss of
        each batch, which is summed over rows; small batches are thus penalized more.
    n_iter
        Number of epochs of fine-tuning.
    learning_rate
        Initial learning rate of fine-tuning, which ``schedule`` of the solver lowers.
    batch_size
        Number of rows in each minibatch of fine-tuning.
    validation_fraction
        Fraction of the labeled rows to hold out.
    tol
        Smallest improvement of the validation loss that counts.
    early_stopping
        If True, hold out rows, stop when the log probability of their labels no longer
        rises, and keep the weights with which it was highest. Pre-training uses the
        held-out rows, but not their labels.
    warm_start
        If True, ``fit`` continues fine-tuning the current net.
    n_iter_no_change
        Number of epochs without an improvement of ``tol`` before training stops early.
    verbose
        If not 0, print a table of epochs, with at most one line a second.
    random_state : int, RandomState instance or None
        Seed of pre-training, initial weights, order of rows and dropout.
    dropout : float or tuple of float
        Dropout rate of hidden units in fine-tuning, or a pair of rates, for inputs and
        for hidden units.
    max_norm
        Maximum norm of the incoming weights of a hidden unit.

    Attributes
    ----------
    validation_curve_ : list of float
        ``loss_curve_`` of held-out rows, with ``early_stopping``.
    loss_quantity_ : str
        Name of the quantity whose negative is the loss in ``loss_curve_``.
    n_iter_ : int
        Number of completed epochs.
    """

    _: KW_ONLY
    solver: Annotated[Literal["adam", "sgd"] | Adam | SGD, NetDetails] = "adam"
    alpha: NotNegative = 1e-4
    n_iter: CountOrZero | Auto = "auto"
    dropout: Share | tuple = 0.0
    max_norm: Positive | None = None
    batch_size: Count = 20
    learning_rate: Positive = 0.005
    early_stopping: bool = False
    validation_fraction: Fraction = 0.1
    n_iter_no_change: Count = 10
    tol: NotNegative = 1e-4
    warm_start: bool = False
    verbose: Verbose = 0
    random_state: RandomState = None
