"""Base class of autoencoders that reconstruct rows: options and public methods."""

from typing import Annotated, Literal

import numpy as np

from skdgm.autoencoder._reconstruction_model import ReconstructionModel
from skdgm.base.common_groups import Architecture
from skdgm.base.common_options import ColumnTypes, TableDetails, VarianceDetails
from skdgm.base.frames import filled_in, framed
from skdgm.base.options import KW_ONLY, Count, Options, within
from skdgm.nets import NetEstimator
from skdgm.nets.options import Activation, Initialiser
from skdgm.training import Budget
from skdgm.typing import ArrayLike, ArrayOrFrame, Data, Filling, Seed

CodedColumns = Annotated[ColumnTypes, TableDetails, VarianceDetails]


class ReconstructionEstimator(NetEstimator):
    """Base class of autoencoders.

    Parameters
    ----------
    n_components
        Number of units of the code.
    hidden_layer_sizes : int or tuple of int
        Numbers of hidden units of the encoder between the data and the code, from the
        data up; the decoder mirrors them.
    activation
        Activation function of hidden units.
    code_activation
        Activation function of the code.
    tied
        If True, the decoder has the weights of the encoder, transposed. A layer with
        more outputs than the encoder has inputs, as of "mixed" columns, has weights of
        its own.
    column_types
        Kind of the columns: "auto", read from the data, or one of those of
        :class:`~skdgm.VAE`.
    architecture
        Layers next to the data: dense; or "conv", convolutions that halve images and,
        in the decoder, transposed convolutions that double them.
    n_iter
        Number of epochs; "auto": 3,500 updates, but between 20 and 100 epochs.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_below, n_above)
        Weights of all layers, of the encoder and then of the decoder; of convolutions
        (rows * columns * maps, n_maps).
    intercepts_ : list of ndarray of shape (n_above,)
        Biases of the same layers.
    density_kind_ : str
        Kind of :meth:`score_samples`: "estimate".
    """

    _MODEL, _BUDGET = ReconstructionModel(), Budget(3_500, 20, 100)
    _KNOWN = ("_means",)
    # Values in subclasses that lack these options.

    def reconstruction_error(
        self,
        X: Data,
        *,
        by: Literal["row", "column"] = "row",
        loss: Literal["log", "squared"] = "log",
    ) -> np.ndarray:
        r"""Errors of the reconstructions of rows, larger for anomalies.

        .. math:: -\log p(x_j \mid f(x)) \qquad \text{or} \qquad
            \lVert x_j - \hat x_j \rVert^2

        Rows are not corrupted.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN is a missing value, of which there is no error.
        by : {"row", "column"}, default="row"
            "row" returns the sum over the columns of each row, "column" all of them.
        loss : {"log", "squared"}, default="log"
            Negative log-likelihood, in nats, or the squared distance from the mean;
            with real columns standardised, and categories as indicators.

        Returns
        -------
        errors : ndarray of shape (n_samples,) or (n_samples, n_features), float64

        Raises
        ------
        ValueError
            ``by`` or ``loss`` is unknown.
        """
        return self.density_.errors(X, by, loss)

    def impute(
        self,
        X: Data,
        *,
        method: Filling = "mean",
        n_steps: int = 100,
        random_state: Seed = None,
    ) -> ArrayOrFrame:
        """Fill missing entries by chains in which the known ones are clamped.

        A mean is that of ten chains, of a fifth of ``n_steps`` each after as many that
        are left out; a draw is the last state of one.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        method : {"mean", "sample"}, default="mean"
            "mean" returns means over the steps of the chain (probabilities of bits; the
            most probable codes), the same at each call; "sample" its last state.
        n_steps : int, default=100
            Number of steps of each chain.
        random_state : int, RandomState instance or None, default=None
            For "sample".

        Returns
        -------
        X_filled : ndarray of shape (n_samples, n_features)
            Known entries are unchanged. A DataFrame if X and what was fitted are.

        Raises
        ------
        ValueError
            ``method`` is unknown, or ``n_steps`` is less than 1.
        """
        filled = self.density_.fill(X, method, random_state, n_steps=n_steps)
        return filled_in(self, X, filled)

    def sample(
        self,
        n_samples: int = 1,
        random_state: Seed = None,
        *,
        init: str | ArrayLike = "noise",
        n_steps: int = 100,
        burn_in: int = 0,
        thin: int | None = None,
    ) -> ArrayOrFrame:
        r"""Draw rows by chains of corruption and reconstruction.

        .. math:: \tilde x_t \sim C(\tilde x \mid x_t), \qquad
            x_{t+1} \sim p(x \mid \tilde x_t)

        An autoencoder that was not trained to undo corruption has none: its chains
        show its reconstructions, a contractive one's with noise in codes, and draw from
        no model of the rows.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            By default NumPy's global generator: other rows at each call.
        init : "noise" or array-like of shape (n, n_features), default="noise"
            Start of the chains: draws of independent columns; or given rows, whose
            missing entries are such draws, used in turn if there are more chains.
        n_steps : int, default=100
            Number of steps of each chain after ``burn_in``.
        burn_in : int, default=0
            Number of steps before those.
        thin : int, default=None
            Keep every ``thin``-th state of a chain, and run as many chains as this
            takes. By default each chain gives one row, its last state.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Chain after chain, each in the order of time. A DataFrame if ``fit`` was
            given one.

        Raises
        ------
        ValueError
            A number is too low, ``thin`` is more than ``n_steps``, or ``init`` is
            unknown or not as wide as the model.
        """
        rows = self.density_.sample(
            n_samples,
            random_state,
            init=init,
            n_steps=n_steps,
            burn_in=burn_in,
            thin=thin,
        )
        return framed(self, rows)


class CodeOptions(Options):
    """Options of autoencoders whose codes have any activation function."""

    n_components: Count = 16
    hidden_layer_sizes: Count | tuple = ()
    _: KW_ONLY
    activation: Activation = "tanh"
    code_activation: Activation = "identity"
    tied: bool = False
    column_types: CodedColumns = "auto"
    init_weights: Initialiser = within("solver", "glorot_uniform")
    architecture: Architecture = "dense"
