r"""Recurrent neural autoregressive density estimator: exact likelihoods of sequences.

.. math:: p(x_1, \dots, x_T) = \prod_t \prod_j p(x_{tj} \mid x_{t,<j}, s_{t-1})
"""

from typing import Literal

from skdgm.autoregressive.options import Ordering, Particles, StepColumns
from skdgm.base.frames import in_format_of
from skdgm.base.options import KW_ONLY, Count, Share
from skdgm.recurrent._estimator import Cell, RecurrentEstimator
from skdgm.recurrent._model import NADEModel
from skdgm.typing import ArrayOrFrame, Data, Target


class RNNNADE(RecurrentEstimator):
    r"""Recurrent net with a neural autoregressive density estimator (NADE) of each
    step.

    .. math::

        p(x_t \mid x_{<t}) &= \prod_j p(x_{tj} \mid b_{tj} + V_j h_{tj}), \qquad
        h_{tj} = f\Bigl(c_t + \sum_{i < j} x_{ti} W_i\Bigr) \\
        c_t &= c + s_{t-1} W_c, \qquad b_t = b + s_{t-1} W_b

    The state :math:`s_t` of a recurrent cell, a function of all rows up to t, sets the
    biases of a NADE of the next row [1]_. Likelihoods, samples and gradients are exact;
    ``sequences`` sets the number of steps for back-propagation through time. Each row
    of a table is a step. Missing entries (NaN) of previous steps are replaced by the
    means of their columns. Computations are in float64 for float64 data, and in float32
    otherwise.

    Parameters
    ----------
    n_components
        Number of hidden units of the NADE.
    activation
        Activation function of hidden units.
    dropout : float or tuple of float
        Dropout rate of the cell's units in the computation of biases, or a pair of this
        rate and the rate of the hidden units of a step. Dropout delays overfitting to
        few sequences.
    n_iter
        Number of epochs; "auto": the number for 1,500 updates, between 20 and 300.
    random_state : int, RandomState instance or None
        Seed of initial weights, order of rows, random orders of columns, and draws.

    Attributes
    ----------
    coefs_ : list of ndarray
        Input weights and recurrent weights of the cell, and weights from its units to
        the biases of hidden units and of outputs.
    intercepts_ : list of ndarray
        Biases of the cell, its initial state, and biases of hidden units and of
        outputs.
    components_ : ndarray of shape (n_components, n_inputs)
        Transposed weights W from the columns of a step to its hidden units.
    density_kind_ : str
        Kind of :meth:`score_samples`: "exact", or "estimate" after training on gray
        rows. Scores of rows with missing entries are particle estimates.

    See Also
    --------
    RNNRBM : A Boltzmann machine of each step.
    VRNN : Latent units at each step.
    NADE : Rows without an order.

    Notes
    -----
    A default fit to scikit-learn's digits, as sequences of rows of pixels, takes about
    8 s of one core, 26 times as long as ``MLPClassifier``. The steps of a sequence are
    computed one after the other. A :class:`VRNN` takes a third of the time.

    References
    ----------
    .. [1] Boulanger-Lewandowski, Bengio and Vincent (2012). Modeling temporal
       dependencies in high-dimensional sequences: application to polyphonic music
       generation and transcription. ICML.

    Examples
    --------
    >>> import numpy as np
    >>> from skdgm import RNNNADE
    >>> X = (np.arange(300)[:, None] % [2, 3, 5]) == 0
    >>> model = RNNNADE(20, n_recurrent=20, learning_rate=0.01, n_iter=150)
    >>> model = model.set_params(random_state=0).fit(X)
    >>> bool(model.score(X) > -0.1)
    True
    >>> (sequence,) = model.sample_sequences(30, prefix=X[:30], random_state=0)
    >>> bool((sequence == X[30:60]).mean() > 0.95)
    True
    """

    n_components: Count = 100
    column_types: StepColumns = "auto"
    _: KW_ONLY
    ordering: Ordering = "given"
    n_draws: Particles = 100
    activation: Literal["relu", "logistic", "tanh"] = "tanh"
    n_recurrent: Count = 100
    cell: Cell = "gru"
    dropout: Share | tuple = 0.0
    average = True

    _MODEL = NADEModel()
    _LIGHTER = "lower n_components and n_recurrent."

    def score_features(
        self, X: Data, *, lengths: Target = None, groups: Target = None
    ) -> ArrayOrFrame:
        r"""Log-likelihood of each entry given the previous entries, in nats.

        .. math:: \log p(x_{tj} \mid x_{t,<j}, x_{<t})

        Low values show which columns of a step are improbable. The sum over columns is
        :meth:`score_samples`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features), or list of such
            Sequences; NaN marks a missing value, whose log-likelihood is 0.
        lengths, groups : array-like, default=None
            Lengths of the sequences, or the sequence of each row, as in :meth:`fit`.

        Returns
        -------
        log_likelihood : ndarray of shape (n_rows, n_features), float64
            A DataFrame with the index and columns of X if X and the training data are
            DataFrames; a list if X is a list.
        """

        def score(table, lengths):
            scores = self.density_.log_prob_of_entries(table, lengths)
            return in_format_of(self, table, scores)

        return self._each(X, score, lengths, groups)
