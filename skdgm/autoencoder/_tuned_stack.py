"""Stacks of autoencoders that are fine-tuned, but for outputs of the net."""

from skdgm.autoencoder._reconstruction_estimator import ReconstructionEstimator
from skdgm.autoencoder._stack import AutoencoderNetModel
from skdgm.autoencoder._stack_options import TABLES, StackStructure
from skdgm.autoencoder.stacked_autoencoder import StackedAutoencoder
from skdgm.base.options import KW_ONLY
from skdgm.stacks import PretrainedOptions


class TunedStack(StackStructure, PretrainedOptions):
    """Base class of stacks of autoencoders that are fine-tuned.

    Parameters
    ----------
    layers : list of (str, autoencoder) or None
        A stack of autoencoders given explicitly, as in :class:`StackedAutoencoder`, in
        place of all options that describe one and its pre-training. Their parameters
        can be set as ``name__parameter``.
    pretrain
        Training of the layers one after the other, before the net is fine-tuned.
        ``n_iter`` "auto" makes 3,500 updates of each, but between 20 and 100 epochs; a
        layer with 0 epochs starts from random weights, as in an ordinary net.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_below, n_above)
        Weights of the net, those of the output layer last; inputs are standardised real
        columns, bits, and indicators of categories.
    stack_ : StackedAutoencoder
        Pre-trained stack, as which :meth:`reconstruction_error`, :meth:`score_samples`,
        :meth:`sample` and :meth:`impute` reconstruct rows.
    density_kind_ : str
        Kind of :meth:`score_samples`: "estimate".
    column_types_ : dict
        How each column is read, by its name (or number): a
        :class:`~skdgm.data.ColumnType`. It prints a line for each column.
    density_ : Density
        That of ``stack_``.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where X has some.
    """

    _: KW_ONLY
    pretrain_learning_rate = 0.003
    pretrain_batch_size = 100

    _MODEL, _KNOWN = AutoencoderNetModel("stack_"), ("stack_", "_outputs")
    _NETWORK, _NUMBERS = StackedAutoencoder, "gaussian"
    _STRUCTURE = *StackStructure._own_options, *TABLES
    _PRETRAINING = {
        "pretrain_iter": "n_iter",
        "pretrain_learning_rate": "learning_rate",
        "pretrain_batch_size": "batch_size",
    }
    sample, impute = ReconstructionEstimator.sample, ReconstructionEstimator.impute
    reconstruction_error = ReconstructionEstimator.reconstruction_error
    _asked_domain = StackedAutoencoder._asked_domain
