r"""Orderless neural autoregressive density estimators, including NADE-k.

.. math:: p(x_j \mid x_m) = p(x_j \mid z_j), \qquad z = f_\theta(x \odot m, m)
"""

from typing import Literal

import numpy as np

from skdgm.autoregressive._estimator import AutoregressiveEstimator
from skdgm.autoregressive.model import OrderlessModel
from skdgm.autoregressive.options import MixedColumns, Ordering
from skdgm.base.frames import in_format_of
from skdgm.base.options import KW_ONLY, Count, Share, within
from skdgm.nets.options import Activation, Initializer
from skdgm.training import Budget
from skdgm.typing import Data
from skdgm.utils.counts import check_choice


class EoNADE(AutoregressiveEstimator):
    r"""Orderless deep NADE: one net for the conditionals of all orders of the columns.

    .. math::

        p(x) = \frac1K \sum_{k=1}^K \prod_t
        p(x_{o_{kt}} \mid x_{o_{k1}}, \dots, x_{o_{k,t-1}})

    .. math::

        p(x_j \mid x_m) = p(x_j \mid z_j), \quad z = f_\theta(x \odot m, m)

    The input of the net is any subset of a row's entries, with its mask m; the outputs
    are the conditional distributions of the other entries. It is trained on rows with
    entries hidden at random, with weights such that the expected loss is the mean over
    all orders [1]_ [2]_. Missing entries are imputed from the net's own conditionals,
    without particles, and training rows may be incomplete. Each conditional is learned
    from rows in which its columns are known: if whether a column is missing depends on
    others, samples are biased, unlike those of :class:`NADE`. The conditionals are
    exact within an order, but not consistent between orders, or with the density of
    :meth:`score_samples`, which is a mean over several orders. The total variation
    between both was 0.01 to 0.10 on small tables. Scores of incomplete rows are
    products of the conditionals of their observed entries. Each sample is drawn in one
    of the orders, at random. Dates whose phases in the year, the week and the day are
    inputs come first in all orders. Computations are in float64 for float64 data, and
    in float32 otherwise.

    With ``n_steps=k`` this is NADE-k [3]_. The hidden entries start at the marginal
    means of their columns, and in each step the net replaces them by their
    expectations,

    .. math::

        x^{(t)} = \mathbb{E}\bigl[x \mid z^{(t)}\bigr], \qquad
        z^{(t)} = f_\theta\bigl(m \odot x + (1 - m) \odot x^{(t-1)}, m\bigr)

    The loss is the mean over all steps, or that of the last step. Scores, draws and
    imputed values use the conditionals of the last step.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int
        Number of hidden units of each layer.
    n_orderings
        Number of orders over which the density is averaged; all but the first are
        random. May be changed after ``fit``.
    n_steps
        Number k of reconstruction steps. From the second step on, the net's own
        expectations replace hidden entries in its input. Training takes about k times
        as long, scores and draws longer. After a ``fit`` with several steps, it may be
        changed, except for further training.
    learned_steps
        Steps in the loss: the mean over "all" steps, with which training should start,
        or only the "last" step, which then improves this step at the expense of the
        previous steps. May be changed between fits with ``warm_start``.
    dropout
        Dropout rate of hidden units.
    n_iter
        Number of epochs; "auto": the number for 7,500 updates (1,500 with "mixed"
        columns, which overfit sooner), between 20 and 150.
    early_stopping
        If True, hold out rows, stop when ``validation_curve_`` no longer decreases, and
        keep the parameters at its minimum. A net of all orders overfits less than a net
        of one order.

    Attributes
    ----------
    coefs_ : list of ndarray
        Weights of each layer, of shape (n_below, n_above).
    density_kind_ : str
        Kind of :meth:`score_samples`: "exact" with one order; or "estimate" with
        several orders, as an estimate of the mean over all orders, which is still a
        normalized density. The kind is also "estimate" after training on gray rows,
        with values strictly between 0 and 1 in "bernoulli" columns. Scores of gray rows
        are not log-likelihoods; :func:`~skdgm.metrics.average_over_draws` returns their
        mean over draws of bits. Scores of binary rows are not affected.
    loss_curve_ : list of float
        Negative log-likelihood of a sample of training rows after each epoch, in nats
        per row of standardized columns: an estimate of the mean over all orders, from
        eight different shares of seen entries.

    See Also
    --------
    NADE : One order of the columns and one hidden layer.
    MADE : Masked net with several layers and fixed orders.
    GenerativeImputer : Imputation in pipelines.

    References
    ----------
    .. [1] Uria, Murray and Larochelle (2014). A deep and tractable density estimator.
       ICML.
    .. [2] Uria, Cote, Gregor, Murray and Larochelle (2016). Neural autoregressive
       distribution estimation. JMLR.
    .. [3] Raiko, Li, Cho and Bengio (2014). Iterative neural autoregressive
       distribution estimator (NADE-k). NIPS.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import EoNADE
    >>> X = (load_digits().data > 7).astype(float)
    >>> net = EoNADE((32, 32), n_iter=10, n_orderings=2, random_state=0).fit(X)
    >>> holes = X[:5].copy()
    >>> holes[:, 32:] = np.nan
    >>> net.impute(holes).shape
    (5, 64)
    >>> bool(net.score(X) > -23)
    True
    """

    hidden_layer_sizes: Count | tuple = (256, 256)
    column_types: MixedColumns = "auto"
    _: KW_ONLY
    n_orderings: Count = 8
    n_steps: Count = 1
    learned_steps: Literal["all", "last"] = "all"
    dropout: Share = 0.0
    activation: Activation = "tanh"
    init_weights: Initializer = within("solver", "glorot_uniform")
    ordering: Ordering = "random"
    early_stopping: bool = False
    learning_rate = 0.004

    _MODEL = OrderlessModel()
    _LIGHTER = "lower hidden_layer_sizes."
    # Each presentation hides a different part of a row, so training takes longer.
    _BUDGET, _BUDGET_MIXED = Budget(7_500, 20, 150), Budget(1_500, 20, 150)

    _MODEL_READS = "_gray", "_means"

    def score_features(
        self, X: Data, *, given: Literal["before", "others"] = "before"
    ) -> np.ndarray:
        r"""Log-likelihood of each entry, in nats; low for improbable entries.

        .. math:: \frac1K \sum_{k=1}^K \log p(x_j \mid x_i: i \text{ before } j
            \text{ in order } k), \qquad \log p(x_j \mid x_i: i \ne j)

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN marks a missing value, whose log-likelihood is 0.
        given : {"before", "others"}, default="before"
            Condition on the previous entries, or on all other entries of the row.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples, n_features), float64
            A DataFrame with the index and columns of X if X and the training data are
            DataFrames.

        Raises
        ------
        ValueError
            ``given`` is neither "before" nor "others".
        """
        check_choice("given", given, ("before", "others"))
        return in_format_of(self, X, self.density_.log_prob_of_entries(X, given))
