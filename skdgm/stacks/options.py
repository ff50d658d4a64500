"""Options of stacks, and of nets that begin as stacks."""

from typing import Literal

from skdgm.base.common_groups import Pretraining
from skdgm.base.options import (
    KW_ONLY,
    Auto,
    Count,
    CountOrZero,
    Options,
    Positive,
    RandomState,
    Share,
    Verbose,
    within,
)
from skdgm.nets.options import TuningOptions


class LayerwiseOptions(Options):
    """Options of stacks that are learned layer by layer.

    Parameters
    ----------
    feature_layer : int, tuple of int or "all"
        Layer whose hidden units' means :meth:`transform` returns: 0 at the bottom, -1
        at the top; or several or all layers side by side. Labels are best predicted
        from all. It may be changed after ``fit``.
    warm_start
        If True, ``fit`` continues from the current parameters.
    verbose
        If not zero, print a line for each epoch.
    random_state : int, RandomState instance or None
        Seed of initial weights, order of rows and sampling; machines in ``layers`` may
        have their own.

    Attributes
    ----------
    layers_ : list of machines
        Fitted machines from the bottom up.
    loss_curves_ : list of list of float
        Losses of each layer, one per epoch.
    n_iter_ : int
        Total number of epochs, over all layers.
    column_types_ : dict
        How each column is read, by its name (or number): a
        :class:`~skdgm.data.ColumnType`. It prints a line for each column.
    density_ : Density
        What was learned: the :class:`~skdgm.base.Density` that metrics and plots ask.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where X has some.
    """

    _: KW_ONLY
    feature_layer: int | tuple | Literal["all"] = "all"
    warm_start: bool = False
    verbose: Verbose = 0
    random_state: RandomState = None


class PretrainedOptions(TuningOptions):
    """Options of nets that are fine-tuned after pre-training layer by layer.

    Parameters
    ----------
    pretrain
        Training of the layers one after the other, before the net is fine-tuned.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_below, n_above)
        Weights of the net, those of the output layer last; for real columns they apply
        to standardised values.
    intercepts_ : list of ndarray of shape (n_above,)
        Biases of the net.
    n_outputs_ : int
        Number of output units.
    n_iter_ : int
        Number of epochs of fine-tuning.
    """

    _: KW_ONLY
    pretrain: Literal["layerwise"] | Pretraining = "layerwise"
    pretrain_iter: CountOrZero | tuple | Auto = within("pretrain", "auto")
    pretrain_learning_rate: Positive | tuple = within("pretrain", 0.1)
    pretrain_batch_size: Count | tuple = within("pretrain", 10)


class ClassOptions(PretrainedOptions):
    """Options of nets that are fine-tuned as classifiers.

    Parameters
    ----------
    unlabeled
        Value of y that marks rows without a label (in all columns of y, if there are
        several). These rows take part in pre-training; :meth:`score` leaves them out.
        None means that all rows are labelled.
    n_iter
        Epochs of fine-tuning; "auto": as many as make 5,000 updates, at least 20 and at
        most 300.
    dropout : float or tuple of float
        Share of the hidden units dropped at random during fine-tuning; or a pair: of
        the inputs and of the hidden units. Inputs become 0, or their mean where fewer
        than a third of their values are near 0. Without dropout a net overfits few
        labels.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Classes, in order; if y has several columns, their numbers.
    loss_curve_ : list of float
        Mean negative log-likelihood of the labels of some training rows after each
        epoch of fine-tuning.
    """

    _: KW_ONLY
    unlabeled: object = None


class TargetOptions(PretrainedOptions):
    """Options of nets that are fine-tuned as regressors.

    Parameters
    ----------
    n_iter
        Epochs of fine-tuning; "auto": as many as make 5,000 updates, at least 20 and at
        most 100.
    dropout : float or tuple of float
        Share of the hidden units dropped at random during fine-tuning; or a pair: of
        the inputs and of the hidden units. Without dropout a net overfits few targets.
    early_stopping
        If True, hold out rows, stop when the squared error of their targets no longer
        falls, and keep the weights with which it was lowest. Pre-training sees the
        held-out rows, but not their targets.
    validation_fraction
        Share of the rows with a target to hold out.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_below, n_above)
        Weights of the net, those of the output layer last; they apply to standardised
        values of real columns and of targets.
    loss_curve_ : list of float
        Mean of half the squared error of standardised targets, over some training
        rows, after each epoch of fine-tuning.
    """

    _: KW_ONLY
    dropout: Share | tuple = 0.3
