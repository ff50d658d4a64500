r"""Orderless neural autoregressive density estimators.

.. math:: p(x_j \mid x_m) = p(x_j \mid z_j), \qquad z = f_\theta(x \odot m, m)

With ``n_steps`` it is NADE-k.
"""

from typing import Literal

import numpy as np

from skdgm.autoregressive._estimator import AutoregressiveEstimator
from skdgm.autoregressive.model import OrderlessModel
from skdgm.autoregressive.options import MixedColumns, Ordering
from skdgm.base.frames import beside
from skdgm.base.options import KW_ONLY, Count, Share, within
from skdgm.nets.options import Activation, Initialiser
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

    The net takes any subset of a row's entries, with its mask m, and returns the
    conditional distributions of the others. It is trained on rows with entries hidden
    at random, weighted so that the expected loss is the mean over all orders [1]_ [2]_.
    Missing entries are thus filled, and drawn, from the net's own conditionals, without
    weights, and rows with missing entries can be trained on like others. Nothing makes
    the conditionals of all orders consistent: they are exact within an order, and not
    those of the density that :meth:`score_samples` gives, a mean over several orders
    (the total variation between both was 0.01 to 0.10 on small tables). The likelihood
    of a row with missing entries is that of the others by the net's conditionals.
    Samples are drawn in one of the orders, at random; dates whose phases are read (in
    the year, the week, the day) come first in all of them. Float64 data are computed in
    float64, all others in float32.

    With ``n_steps=k`` this is NADE-k [3]_. The hidden entries start at the marginal
    means of their columns, and in each step the net replaces them by what it expects,

    .. math::

        x^{(t)} = \mathbb{E}\bigl[x \mid z^{(t)}\bigr], \qquad
        z^{(t)} = f_\theta\bigl(m \odot x + (1 - m) \odot x^{(t-1)}, m\bigr)

    The loss is the mean of those of all steps, or that of the last one, and the
    conditionals, of scores, draws and imputed values, are those of the last step.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int
        Number of hidden units of each layer.
    n_orderings
        Number of orders over which the density is averaged; all but the first are
        random. It may be changed after ``fit``.
    n_steps
        Number k of reconstruction steps. From the second on, the input of the net has
        its own expectations in the place of hidden entries. Training takes about k
        times as long, scores and draws more. After a ``fit`` with several it may be
        changed, for all but further training.
    learned_steps
        Steps whose losses are learned: "all" of them, their mean, with which training
        should begin; or the "last" one, which makes it better after that, and those
        before worse. It may be changed between fits with ``warm_start``.
    dropout
        Share of hidden units that drop out at random in training.
    n_iter
        Number of epochs; "auto": 7,500 updates, but between 20 and 150 epochs.
        With "mixed" columns, which are overfitted sooner: 1,500 updates, but
        between 20 and 150 epochs.
    early_stopping
        If True, hold out rows, stop when their ``validation_curve_`` no longer falls,
        and keep the parameters with which it was lowest. A net of all orders overfits
        less than those of one.

    Attributes
    ----------
    coefs_ : list of ndarray
        Weights of each layer, of shape (n_below, n_above).
    density_kind_ : str
        Kind of :meth:`score_samples`: "exact" with one order, or an "estimate" of the
        mean over all orders by several (in either case a normalised density).
        Also "estimate" after training on grey rows, with values strictly between 0 and
        1 in "bernoulli" columns: scores of such rows are no log-likelihoods, and
        :func:`~skdgm.metrics.average_over_draws` gives the mean over draws of their
        bits. Scores of binary rows remain as above.
    loss_curve_ : list of float
        Negative log-likelihood of some training rows after each epoch, in nats per row,
        with real columns standardised: an estimate of its mean over all orders, from
        rows of which eight different shares are seen.

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
    init_weights: Initialiser = within("solver", "glorot_uniform")
    ordering: Ordering = "random"
    early_stopping: bool = False
    learning_rate = 0.004

    _MODEL = OrderlessModel()
    _LIGHTER = "lower hidden_layer_sizes."
    # Each presentation hides another part of a row: to see them all takes longer.
    _BUDGET, _BUDGET_MIXED = Budget(7_500, 20, 150), Budget(1_500, 20, 150)

    _KNOWN = "_grey", "_means"

    def score_features(
        self, X: Data, *, given: Literal["before", "others"] = "before"
    ) -> np.ndarray:
        r"""Log-likelihood of each entry, in nats; low for improbable entries.

        .. math:: \frac1K \sum_{k=1}^K \log p(x_j \mid x_i: i \text{ before } j
            \text{ in order } k), \qquad \log p(x_j \mid x_i: i \ne j)

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN is a missing value, whose log-likelihood is 0.
        given : {"before", "others"}, default="before"
            Condition on the entries before, or on all others of the row.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples, n_features), float64
            A DataFrame with its index and columns if X and what the model was fitted to
            are such.

        Raises
        ------
        ValueError
            ``given`` is neither of these.
        """
        check_choice("given", given, ("before", "others"))
        return beside(self, X, self.density_.log_prob_of_entries(X, given))
