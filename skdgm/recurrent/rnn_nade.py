r"""Recurrent neural autoregressive density estimator: sequences with exact likelihoods.

.. math:: p(x_1, \dots, x_T) = \prod_t \prod_j p(x_{tj} \mid x_{t,<j}, s_{t-1})
"""

from typing import Literal

from skdgm.autoregressive.options import Ordering, Particles, StepColumns
from skdgm.base.frames import beside
from skdgm.base.options import KW_ONLY, Count, Share
from skdgm.recurrent._estimator import Cell, RecurrentEstimator
from skdgm.recurrent._model import NADEModel
from skdgm.typing import ArrayOrFrame, Data, Target


class RNNNADE(RecurrentEstimator):
    r"""Recurrent net with a neural autoregressive estimator of each step.

    .. math::

        p(x_t \mid x_{<t}) &= \prod_j p(x_{tj} \mid b_{tj} + V_j h_{tj}), \qquad
        h_{tj} = f\Bigl(c_t + \sum_{i < j} x_{ti} W_i\Bigr) \\
        c_t &= c + s_{t-1} W_c, \qquad b_t = b + s_{t-1} W_b

    The state :math:`s_t` of a recurrent cell, a function of all rows up to t, sets the
    biases of a NADE of the next row [1]_. Likelihoods of sequences and samples are
    exact, as are gradients, which reach back through as many steps as ``sequences``
    says. Rows of a table are steps; missing entries (NaN) of former steps are read as
    the means of their columns. Float64 data are computed in float64, all others in
    float32.

    Parameters
    ----------
    n_components
        Number of hidden units of the conditionals of a step.
    activation
        Activation function of hidden units.
    dropout : float or tuple of float
        Share of the cell's units that drop out, where they set biases, in training; or
        a pair, with the share of the hidden units of a step. Few sequences are then
        overfitted much later.
    n_iter
        Number of epochs; "auto": 1,500 updates, but between 20 and 300 epochs.
    random_state : int, RandomState instance or None
        Seed of initial weights, order of rows, random orders of columns and draws.

    Attributes
    ----------
    coefs_ : list of ndarray
        Weights of inputs to the cell, of its units on each other, and of its units on
        the biases of hidden units and of outputs.
    intercepts_ : list of ndarray
        Biases of the cell, its state at the start, and biases of hidden units and of
        outputs.
    components_ : ndarray of shape (n_components, n_inputs)
        Weights W, transposed, of the columns of a step on its hidden units.
    density_kind_ : str
        Kind of :meth:`score_samples`: "exact"; "estimate" after training on grey rows.
        Scores of rows with missing entries are estimates by particles.

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
    >>> (sequence,) = model.generate(30, prefix=X[:30], random_state=0)
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
        r"""Log-likelihood of each entry given the entries before it, in nats.

        .. math:: \log p(x_{tj} \mid x_{t,<j}, x_{<t})

        Low values show which columns of a step are improbable. Their sum over columns
        is :meth:`score_samples`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features), or list of such
            Sequences; NaN is a missing value, whose log-likelihood is 0.
        lengths, groups : array-like, default=None
            Lengths of the sequences, or the sequence of each row, as for :meth:`fit`.

        Returns
        -------
        log_likelihood : ndarray of shape (n_rows, n_features), float64
            A DataFrame with its index and columns if X and what the model was fitted to
            are such; a list if X is a list.
        """

        def score(table, lengths):
            found = self.density_.log_prob_of_entries(table, lengths)
            return beside(self, table, found)

        return self._each(X, score, lengths, groups)
