r"""Recurrent neural autoregressive density estimator: exact likelihoods of sequences.

.. math:: p(x_1, \dots, x_T) = \prod_t \prod_j p(x_{tj} \mid x_{t,<j}, s_{t-1})
"""

from typing import Literal

import numpy as np

from skdgm.autoregressive.options import Ordering, Particles, StepColumns
from skdgm.base.frames import in_format_of
from skdgm.base.options import KW_ONLY, Count, Share
from skdgm.data import columns_as_asked
from skdgm.recurrent._autoregression import autoregression
from skdgm.recurrent._estimator import Cell, RecurrentEstimator
from skdgm.recurrent._model import NADEModel
from skdgm.typing import ArrayOrFrame, Data, Target

# Minimum number of rows for early stopping by default, if columns have
# autoregressions; number of epochs with fewer rows.
_SHORT, _FEW_EPOCHS = 1000, 10


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

    For real columns, the net learns residuals of a linear autoregression

    .. math:: x_{tj} = m_{tj} + \epsilon_{tj}, \qquad
        m_{tj} = a_j + \sum_{k=1}^{p_j} A_{kj} x_{t-k}

    with up to 49 lags. Ridge regressions of the values, or of their changes, are fitted
    in closed form to at most 2,000 rows; leave-one-out errors determine the number of
    lags and the ridge [2]_. Trends therefore continue beyond the training range: draws
    of numbers lie at most one range beyond it, and are negative only if a training
    value is.

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
        Number of epochs; "auto": the number for 1,500 updates, between 20 and 300, or
        10 for fewer than 1,000 rows with real columns.
    early_stopping
        If True, hold out sequences, or the last steps of a single sequence, stop when
        ``validation_curve_`` no longer decreases, and keep the parameters at its
        minimum. "auto": True if ``n_iter`` is "auto", unless there are fewer than 1,000
        rows with real columns, because few held-out rows are a noisy criterion.
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
    7 s of one core, 12 times as long as ``MLPClassifier``. The steps of a sequence are
    computed one after the other.

    References
    ----------
    .. [1] Boulanger-Lewandowski, Bengio and Vincent (2012). Modeling temporal
       dependencies in high-dimensional sequences: application to polyphonic music
       generation and transcription. ICML.
    .. [2] Lai, Chang, Yang and Liu (2018). Modeling long- and short-term temporal
       patterns with deep neural networks. SIGIR.

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

    _MODEL, _MODEL_READS = NADEModel(), ("_gray", "_autoregression")
    _LIGHTER = "lower n_components and n_recurrent."

    @property
    def _domain(self):
        return columns_as_asked(self._options, series=True)

    def _by_sequence(self, table, lengths, weight, fresh):
        table = super()._by_sequence(table, lengths, weight, fresh)
        if fresh:
            columns, n = self._columns, table.rows.shape[1]
            kinds = getattr(columns, "kinds", np.full(n, self._options.column_types))
            scales = getattr(columns, "scales", ()) or [None] * n
            self._autoregression = autoregression(table, kinds, scales)
        if self._is_short(table) and self.early_stopping == "auto":
            self._fit_options.early_stopping = False
        return table

    def _is_short(self, table):
        """Return whether the default is few epochs from the autoregression, because
        held-out rows would be too few."""
        learned = vars(self).get("_autoregression") is not None
        return learned and sum(table.rows.lengths) < _SHORT and self.n_iter == "auto"

    def _n_epochs(self, table):
        return _FEW_EPOCHS if self._is_short(table) else super()._n_epochs(table)

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
