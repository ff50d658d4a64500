r"""Restricted Boltzmann machines in time, with a recurrent net.

.. math:: p(x_1, \dots, x_T) = \prod_t e^{-F(x_t;\, s_{t-1})} / Z(s_{t-1})
"""

from typing import Annotated, Literal

from skdgm.autoregressive.options import NormalDetails
from skdgm.base.column_group import Columns
from skdgm.base.common_options import CategoryDetails
from skdgm.base.options import KW_ONLY, Count, Share
from skdgm.data.sequences import is_several
from skdgm.recurrent._estimator import Cell, RecurrentEstimator
from skdgm.recurrent._model import RBMModel
from skdgm.typing import Data, Target


class MachineEstimator(RecurrentEstimator):
    """Base class of restricted Boltzmann machines in time.

    Parameters
    ----------
    n_components
        Number of hidden units of the machine of a step.
    column_types
        Kind of the columns. "auto": read from the data, as the guide's page "How
        columns are read" says; "bernoulli": 0, 1 or probabilities of 1; "gaussian":
        real numbers, standardised internally; "categorical": codes, as
        ``OrdinalEncoder`` returns.
    n_steps
        Steps of Gibbs sampling from each row, for the gradient (CD-k).
    n_betas
        Steps of annealed importance sampling of each row, with more than 10 hidden
        units, from either side: in :meth:`score_samples`, for the log partition
        function of the step, and in draws. Scores begin with a quarter of the steps.
        Rows where both sides then are more than 0.25 nats apart have all steps, and
        while they are more than 1 nat apart 4, and then 16 times as many. It may be
        changed after ``fit``.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_inputs)
        Weights W of the machine, transposed.
    density_kind_ : str
        Kind of :meth:`score_samples`: "exact" with at most 10 hidden units, else an
        "estimate" by annealed importance sampling from both sides, with a
        LikelihoodWarning where these are half a nat apart on average.
    """

    n_components: Count = 100
    column_types: Annotated[
        Literal["auto", "bernoulli", "gaussian", "categorical"] | Columns,
        CategoryDetails,
        NormalDetails,
    ] = "auto"
    _: KW_ONLY
    average = True
    learning_rate = 0.01

    def likelihood_bracket(
        self,
        X: Data,
        *,
        lengths: Target = None,
        groups: Target = None,
    ) -> tuple:
        """Lower and upper estimates of the log-likelihood of each step, in nats.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features), or list of such
            Sequences; NaN where missing.
        lengths, groups : array-like, default=None
            Lengths of the sequences, or the sequence of each row, as for :meth:`fit`.

        Returns
        -------
        low, high : ndarray of shape (n_rows,), float64
            Lists of arrays if X is a list.
            By annealing from the model down, and from independent units up: on average
            below and above the log-likelihood, which need not be between them in a
            single step. :meth:`score_samples` is their mean, or the lower one where
            they are more than 1 nat apart. Equal where sums are exact.
        """
        ends = self._each(X, self.density_.bracket, lengths, groups)
        if is_several(X):
            return [part[:, 1] for part in ends], [part[:, 0] for part in ends]
        return ends[:, 1], ends[:, 0]


class RNNRBM(MachineEstimator):
    r"""Recurrent net with a restricted Boltzmann machine of each step.

    .. math::

        p(x_t, h_t \mid s_{t-1}) &\propto \exp\Bigl(b_t^\top x_t + c_t^\top h_t +
        (x_t - \mu)^\top W \bigl(h_t - \tfrac12\bigr)\Bigr) \\
        c_t &= c + s_{t-1} W_c, \qquad b_t = b + s_{t-1} W_b

    The state :math:`s_t` of a recurrent cell, a function of all rows up to t, sets the
    biases of a machine of the next row [1]_, in which columns depend on each other
    through binary hidden units. Gradients are those of contrastive divergence, and
    reach back through as many steps as ``sequences`` says. Real columns have learned
    precisions :math:`\lambda`, and :math:`-\frac12 \lambda (x_t - b_t)^2 +
    \sqrt\lambda \, x_t^\top W h_t` in the exponent. Float64 data are computed in
    float64, all others in float32.

    Attributes
    ----------
    coefs_ : list of ndarray
        Weights of inputs to the cell, of its units on each other, and of its units on
        hidden and on visible biases.
    intercepts_ : list of ndarray
        Biases of the cell, its state at the start, and hidden and visible biases.

    References
    ----------
    .. [1] Boulanger-Lewandowski, Bengio and Vincent (2012). Modeling temporal
       dependencies in high-dimensional sequences: application to polyphonic music
       generation and transcription. ICML.

    Examples
    --------
    >>> import numpy as np
    >>> from skdgm import RNNRBM
    >>> X = (np.arange(300)[:, None] % [2, 3, 5]) == 0
    >>> model = RNNRBM(8, n_recurrent=20, n_iter=200, random_state=0).fit(X)
    >>> model.density_kind_
    'exact'
    >>> bool(model.score(X) > -0.3)
    True
    """

    _: KW_ONLY
    n_steps: Count = 5
    n_betas: Count = 100
    n_recurrent: Count = 100
    cell: Cell = "gru"
    dropout: Share = 0.0

    _MODEL = RBMModel()
    _LIGHTER = "lower n_components and n_recurrent."
