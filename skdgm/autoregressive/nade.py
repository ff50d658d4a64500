r"""Neural autoregressive density estimators.

.. math:: h_t = f\Bigl(c + \sum_{i < t} x_i W_i\Bigr), \qquad
   p(x_t \mid x_{<t}) = p(x_t \mid b_t + V_t h_t)
"""

from typing import Literal

from skdgm.autoregressive._estimator import AutoregressiveEstimator
from skdgm.autoregressive.model import TiedModel
from skdgm.autoregressive.options import MixedColumns, Ordering, Particles
from skdgm.base.options import KW_ONLY, Count, within
from skdgm.nets.options import Initializer
from skdgm.training import Budget


class NADE(AutoregressiveEstimator):
    r"""Neural autoregressive density estimator: one hidden layer for all columns.

    .. math::

        p(x) = \prod_t p(x_t \mid b_t + V_t h_t), \qquad
        h_t = f\Bigl(c + \sum_{i < t} x_i W_i\Bigr)

    The weights from a column are shared by all later columns, so that all conditionals
    together cost as much as one layer [1]_ [2]_. Hidden units do not change at zero
    entries. Likelihoods and samples are exact. Computations are in float64 for float64
    data, and in float32 otherwise.

    Parameters
    ----------
    n_components
        Number of hidden units.
    n_iter
        Number of epochs; "auto": the number for 3,500 updates, between 20 and 100. With
        "mixed" columns, which overfit sooner: 500 updates, between 10 and 100 epochs.

    Attributes
    ----------
    coefs_ : list of ndarray
        Weights of the net of each order: W, of shape (n_inputs, n_components), and V,
        of shape (n_outputs, n_components).

    See Also
    --------
    EoNADE : All orders of the columns, for imputation and conditional sampling.
    MADE : Masked net with several layers.
    RNADE : Mixtures for real columns.
    BernoulliRBM : The machine that inspired the model.

    References
    ----------
    .. [1] Larochelle and Murray (2011). The neural autoregressive distribution
       estimator. AISTATS.
    .. [2] Uria, Cote, Gregor, Murray and Larochelle (2016). Neural autoregressive
       distribution estimation. JMLR.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import NADE
    >>> X = load_digits().data > 7
    >>> nade = NADE(n_components=64, n_iter=30, random_state=0).fit(X)
    >>> nade.transform(X).shape
    (1797, 64)
    >>> nade.sample(3, random_state=0).shape
    (3, 64)
    >>> bool(nade.score(X) > -22)
    True
    """

    n_components: Count = 500
    column_types: MixedColumns = "auto"
    _: KW_ONLY
    n_orderings: Count = 1
    activation: Literal["relu", "logistic", "tanh"] = "relu"
    init_weights: Initializer = within("solver", "glorot_uniform")
    ordering: Ordering = "given"
    n_draws: Particles = 100

    _MODEL = TiedModel()
    _LIGHTER = "lower n_components."
    _BUDGET_MIXED = Budget(500, 10, 100)
