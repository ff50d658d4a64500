r"""Variational recurrent net: sequences with latent units in each step.

.. math:: p(x, z) = \prod_t p(z_t \mid h_{t-1}) \, p(x_t \mid z_t, h_{t-1})
"""

from typing import Annotated, Any, Literal

import numpy as np

from skdgm.base.common_options import CategoryDetails, ColumnTypes
from skdgm.base.options import KW_ONLY, Count, CountOrZero
from skdgm.data.sequences import is_several
from skdgm.latent.density import Elbo
from skdgm.latent.options import KINDS, LatentDetails
from skdgm.nets import ACTIVATIONS
from skdgm.recurrent._estimator import Cell, RecurrentEstimator
from skdgm.recurrent._latent_model import LatentSequenceModel
from skdgm.recurrent._options import SequenceObjectives
from skdgm.training import Budget
from skdgm.typing import Data, Target
from skdgm.utils.counts import count


class VRNN(RecurrentEstimator):
    r"""Variational recurrent neural network: latent units conditional on the past.

    .. math::

        z_t \sim p(z \mid h_{t-1}), \qquad x_t \sim p(x \mid z_t, h_{t-1}), \qquad
        h_t = f(\phi_x(x_t), \phi_z(z_t), h_{t-1})

    In each step, latent units z are normal given the state of a recurrent cell, and
    model dependencies between the columns of a row [1]_. An encoder :math:`q(z_t \mid
    x_t, h_{t-1})` infers them. All nets maximize the evidence lower bound

    .. math:: \log p(x) \ge \mathbb{E}_q \sum_t \log p(x_t \mid z_t, h_{t-1}) -
        \mathrm{KL}(q(z_t \mid x_t, h_{t-1}) \,\|\, p(z_t \mid h_{t-1}))

    Scores are estimates of a particle filter with the encoder as the proposal [2]_.
    Their sums over sequences are lower bounds in expectation, which tighten with
    ``n_draws``; ``objective="fivo"`` maximizes this bound. Missing entries (NaN) are
    marginalized in their own step, and replaced by the means of their columns as inputs
    to later steps. Computations are in float64 for float64 data, and in float32
    otherwise.

    Parameters
    ----------
    n_components
        Number of latent units of each step.
    n_hidden
        Number of hidden units of the prior, the encoder and the decoder, and number of
        features of rows and of latent units.
    activation
        Activation function of hidden units.
    warm_up
        Number of epochs in which the weight of the divergence increases from 0 to 1, to
        prevent posterior collapse.
    n_draws
        Number of particles in :meth:`score_samples`, :meth:`transform` and
        :meth:`impute`. May be changed after ``fit``.
    n_iter
        Number of epochs; "auto": the number for 900 updates, between 10 and 300.

    Attributes
    ----------
    coefs_ : list of ndarray
        Weights of the feature layers of inputs and latent units, two arrays each for
        prior, encoder and decoder, and input and recurrent weights of the cell.
    intercepts_ : list of ndarray
        Biases of the same layers; the last array is the initial state.
    density_kind_ : str
        Kind of :meth:`score_samples`: "lower bound", in expectation.

    See Also
    --------
    RNNNADE : Steps with exact likelihoods.
    VAE : Rows without an order.

    References
    ----------
    .. [1] Chung, Kastner, Dinh, Goel, Courville and Bengio (2015). A recurrent latent
       variable model for sequential data. NeurIPS.
    .. [2] Maddison, Lawson, Tucker, Heess, Norouzi, Mnih, Doucet and Teh (2017).
       Filtering variational objectives. NeurIPS.

    Examples
    --------
    >>> import numpy as np
    >>> from skdgm import VRNN
    >>> X = (np.arange(300)[:, None] % [2, 3, 5]) == 0
    >>> model = VRNN(4, n_hidden=20, n_recurrent=20, n_iter=40)
    >>> model = model.set_params(random_state=0).fit(X)
    >>> bool(model.score(X) > -0.2)
    True
    >>> (sequence,) = model.sample_sequences(30, prefix=X[:30], random_state=0)
    >>> sequence.shape
    (30, 3)
    """

    n_components: Count = 16
    _: KW_ONLY
    n_hidden: Count = 50
    activation: Literal[*ACTIVATIONS] = "tanh"
    objective: SequenceObjectives = "elbo"
    warm_up: CountOrZero = 0
    column_types: Annotated[ColumnTypes, CategoryDetails, LatentDetails, KINDS] = "auto"
    n_draws: Count = 20
    n_recurrent: Count = 50
    cell: Cell = "gru"
    batch_length = 20
    learning_rate = 0.01

    _MODEL = LatentSequenceModel()
    _BUDGET = Budget(900, 10, 300)
    _LIGHTER = "lower n_hidden and n_recurrent."

    def elbo(
        self,
        X: Data,
        *,
        n_draws: int = 20,
        lengths: Target = None,
        groups: Target = None,
    ) -> Any:
        r"""Evidence lower bound of each step and its parts, in nats.

        .. math:: \mathbb{E}_q[\log p(x_t \mid z_t, h_{t-1})] -
            \mathrm{KL}(q(z_t \mid x_t, h_{t-1}) \,\|\, p(z_t \mid h_{t-1}))

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features), or list of such
            Sequences; NaN marks a missing value.
        n_draws : int, default=20
            Number of draws to average over.
        lengths, groups : array-like, default=None
            Lengths of the sequences, or the sequence of each row, as in :meth:`fit`.

        Returns
        -------
        elbo : Elbo
            Named tuple of ``bound``, ``reconstruction`` and ``kl``, each of shape
            (n_rows,), float64; a list of named tuples if X is a list.
        """
        n_draws = count(n_draws, "n_draws")

        def bound(table, lengths):
            density = self.density_.with_particles(n_draws, False)
            return np.stack(density.elbo(table, lengths), axis=1)

        def as_elbo(terms):
            bound, reconstruction, kl = terms.T
            return Elbo(bound, reconstruction, kl)

        bounds = self._each(X, bound, lengths, groups)
        return [as_elbo(part) for part in bounds] if is_several(X) else as_elbo(bounds)

    def importance_likelihood(
        self,
        X: Data,
        *,
        n_draws: int = 100,
        lengths: Target = None,
        groups: Target = None,
    ) -> np.ndarray:
        r"""Importance weighted lower bound, step by step, without resampling.

        .. math:: \log \sum_k \prod_{s \le t} w_s^k - \log \sum_k \prod_{s < t} w_s^k

        Sums over a sequence are lower bounds in expectation. For long sequences, few
        draws have all of the weight, and the bound is lower than :meth:`score_samples`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features), or list of such
            Sequences; NaN marks a missing value.
        n_draws : int, default=100
            Number of draws for each sequence.
        lengths, groups : array-like, default=None
            Lengths of the sequences, or the sequence of each row, as in :meth:`fit`.

        Returns
        -------
        log_likelihood : ndarray of shape (n_rows,), float64
            A list of arrays if X is a list.
        """
        density = self.density_.with_particles(count(n_draws, "n_draws"), False)
        return self._each(X, density.log_prob, lengths, groups)
