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
        Type of the columns. "auto": inferred from the data, as the guide's page "How
        columns are read" describes; "bernoulli": 0, 1 or probabilities of 1;
        "gaussian": real numbers, standardized internally; "categorical": codes, as in
        ``OrdinalEncoder``.
    n_steps
        Number of Gibbs steps of contrastive divergence (CD-k).
    n_betas
        Number of steps of annealed importance sampling from either side, with more than
        10 hidden units: for the log partition function of a step in
        :meth:`score_samples`, and in draws. Scores start with a quarter of the steps.
        Rows whose two estimates differ by more than 0.25 nats get all steps, and then 4
        times as many; rows that still differ by more than 1 nat get 16 times as many.
        On chorales, scores with the default are within 0.02 nats a step of those with
        1,600 steps for all rows (``doc/benchmarks/sequences.md``). May be changed after
        ``fit``.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_inputs)
        Transposed weights W of the machine.
    density_kind_ : str
        Kind of :meth:`score_samples`: "exact" with at most 10 hidden units, otherwise
        an "estimate" by annealed importance sampling from both sides, with a
        LikelihoodWarning if the two sides differ by half a nat on average.
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
            Lengths of the sequences, or the sequence of each row, as in :meth:`fit`.

        Returns
        -------
        low, high : ndarray of shape (n_rows,), float64
            Estimates by annealing from the model to independent units, and in reverse;
            lists of arrays if X is a list. They are below and above the log-likelihood
            on average, but not necessarily in a single step, and equal if likelihoods
            are exact. :meth:`score_samples` is their mean, or the lower estimate if
            they differ by more than 1 nat.
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
    biases of a machine of the next row [1]_, whose binary hidden units model
    dependencies between columns. Training is by contrastive divergence; ``sequences``
    sets the number of steps for back-propagation through time. Real columns have
    learned precisions :math:`\lambda`, with the term :math:`-\frac12 \lambda (x_t -
    b_t)^2 + \sqrt\lambda \, x_t^\top W h_t` in the exponent. Computations are in
    float64 for float64 data, and in float32 otherwise.

    Attributes
    ----------
    coefs_ : list of ndarray
        Input weights and recurrent weights of the cell, and weights from its units to
        hidden and visible biases.
    intercepts_ : list of ndarray
        Biases of the cell, its initial state, and hidden and visible biases.

    See Also
    --------
    RTRBM : Memory in the hidden units of the machine.
    RNNNADE : Steps with exact likelihoods.
    VRNN : Latent units at each step.
    ConditionalRBM : Machine conditional on a few previous steps.

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
