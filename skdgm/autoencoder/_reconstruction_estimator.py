"""Base class of autoencoders that reconstruct rows: options and public methods."""

from typing import Annotated, Literal

import numpy as np

from skdgm.autoencoder._reconstruction_model import ReconstructionModel
from skdgm.base.common_groups import Architecture
from skdgm.base.common_options import ColumnTypes, TableDetails, VarianceDetails
from skdgm.base.frames import as_frame, filled_in
from skdgm.base.options import KW_ONLY, Count, Options, within
from skdgm.nets import NetEstimator
from skdgm.nets.options import Activation, Initializer
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
        If True, the decoder has the transposed weights of the encoder. A layer with
        more outputs than the encoder has inputs, as for "mixed" columns, has its own
        weights.
    column_types
        Type of the columns: "auto", inferred from the data, or a type as in
        :class:`~skdgm.VAE`.
    architecture
        Layers next to the data: "dense"; or "conv", convolutions that halve images, and
        transposed convolutions in the decoder that double them.
    n_iter
        Number of epochs; "auto": 3,500 updates, but between 20 and 100 epochs.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_below, n_above)
        Weights of all layers of the encoder, then of the decoder. Weights of
        convolutions have the shape (rows * columns * maps, n_maps).
    intercepts_ : list of ndarray of shape (n_above,)
        Biases of the same layers.
    density_kind_ : str
        Kind of :meth:`score_samples`: "reconstruction", which is not a density.
    """

    _MODEL, _BUDGET = ReconstructionModel(), Budget(3_500, 20, 100)
    _MODEL_READS = ("_means",)

    def reconstruction_error(
        self,
        X: Data,
        *,
        by: Literal["row", "column"] = "row",
        loss: Literal["log", "squared"] = "log",
    ) -> np.ndarray:
        r"""Reconstruction errors of rows that are not corrupted; larger for anomalies.

        .. math:: -\log p(x_j \mid f(x)) \qquad \text{or} \qquad
            \lVert x_j - \hat x_j \rVert^2

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Missing entries, NaN, have no error.
        by : {"row", "column"}, default="row"
            "column" returns the error of each entry, "row" their sum over each row.
        loss : {"log", "squared"}, default="log"
            "log": negative log-likelihood, in nats. "squared": squared distance from
            the mean, with standardized real columns and one-hot categories.

        Returns
        -------
        errors : ndarray of shape (n_samples,) or (n_samples, n_features), float64

        Raises
        ------
        ValueError
            If ``by`` or ``loss`` is unknown.
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
        """Impute missing entries by chains with clamped observed entries.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        method : {"mean", "sample"}, default="mean"
            "mean" returns deterministic means over the states of ten chains
            (probabilities of bits; the most probable codes); "sample" returns the last
            state of a chain.
        n_steps : int, default=100
            Number of steps of the chain of "sample"; each chain of "mean" has a fifth
            of them, after a burn-in of equal length.
        random_state : int, RandomState instance or None, default=None
            For "sample".

        Returns
        -------
        X_filled : ndarray of shape (n_samples, n_features)
            Observed entries are unchanged. A DataFrame if X is one, and ``fit`` was
            given one.

        Raises
        ------
        ValueError
            If ``method`` is unknown, or ``n_steps`` is less than 1.
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

        Only denoising autoencoders have a model of rows that these chains draw from.
        Chains of other autoencoders illustrate their reconstructions, with noise in the
        codes of a contractive autoencoder.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            None: NumPy's global generator, with different rows at each call.
        init : "noise" or array-like of shape (n, n_features), default="noise"
            Initial states of the chains: "noise", draws of independent columns; or
            rows, repeated if there are more chains, whose missing entries are drawn
            like "noise".
        n_steps : int, default=100
            Number of steps of each chain after ``burn_in``.
        burn_in : int, default=0
            Number of initial steps to discard.
        thin : int, default=None
            Keep every ``thin``-th state of a chain, and run as many chains as needed.
            By default each chain gives one row, its last state.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Chain after chain, each in the order of time. A DataFrame if ``fit`` was
            given one.

        Raises
        ------
        ValueError
            If a number is too small, ``thin`` exceeds ``n_steps``, or ``init`` is
            unknown or has a wrong number of columns.
        """
        rows = self.density_.sample(
            n_samples,
            random_state,
            init=init,
            n_steps=n_steps,
            burn_in=burn_in,
            thin=thin,
        )
        return as_frame(self, rows)


class CodeOptions(Options):
    """Options of autoencoders whose codes have any activation function."""

    n_components: Count = 16
    hidden_layer_sizes: Count | tuple = ()
    _: KW_ONLY
    activation: Activation = "tanh"
    code_activation: Activation = "identity"
    tied: bool = False
    column_types: CodedColumns = "auto"
    init_weights: Initializer = within("solver", "glorot_uniform")
    architecture: Architecture = "dense"
