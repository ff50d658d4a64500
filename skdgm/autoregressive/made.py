r"""Masked autoencoders.

.. math:: h_l = f(b_l + h_{l-1} (W_l \odot M_l)), \qquad
   p(x_t \mid x_{<t}) = p(x_t \mid z_t)
"""

from skdgm.autoregressive._estimator import AutoregressiveEstimator
from skdgm.autoregressive.model import RandomMaskModel
from skdgm.autoregressive.options import MixedColumns, Ordering, Particles
from skdgm.base.options import KW_ONLY, Count, within
from skdgm.nets.options import Activation, Initializer
from skdgm.training import Budget


class MADE(AutoregressiveEstimator):
    r"""Masked autoencoder: a net without a path from a column to its own output.

    .. math::

        p(x) = \prod_t p(x_t \mid z_t), \qquad
        h_l = f(b_l + h_{l-1} (W_l \odot M_l)),

    .. math::

        M_{l,ij} = 1 \text{ where } d_{l-1,i} \le d_{l,j}

    Each hidden unit has a random degree d, the number of the last column that it may
    depend on. Outputs of a column depend on units of lower degrees, so that one pass
    computes all conditionals [1]_. Likelihoods and samples are exact. Computations are
    in float64 for float64 data, and in float32 otherwise.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int
        Number of hidden units of each layer.
    n_masks
        Number of sets of masks, each with its own order of columns, which the net is
        trained with in turn; all but the first order are random. The density is the
        mean over the sets.
    direct
        Whether outputs have direct connections from the previous columns.
    n_iter
        Number of epochs; "auto": the number for 3,500 updates, between 20 and 100. With
        "mixed" columns, which overfit sooner: 500 updates, between 10 and 100 epochs.

    Attributes
    ----------
    coefs_ : list of ndarray
        Weights of each layer, of shape (n_below, n_above). In the output layer, rows of
        hidden units precede rows of inputs.

    See Also
    --------
    NADE : One hidden layer with tied weights.
    EoNADE : All orders of the columns.
    Flow : Densities of real columns by masked layers.

    References
    ----------
    .. [1] Germain, Gregor, Murray and Larochelle (2015). MADE: masked autoencoder for
       distribution estimation. ICML.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import MADE
    >>> X = load_digits().data > 7
    >>> made = MADE((100,), n_iter=30, random_state=0).fit(X)
    >>> made.transform(X).shape
    (1797, 100)
    >>> bool(made.score(X) > -20)
    True
    """

    hidden_layer_sizes: Count | tuple = (500,)
    column_types: MixedColumns = "auto"
    _: KW_ONLY
    n_masks: Count = 1
    direct: bool = True
    activation: Activation = "relu"
    init_weights: Initializer = within("solver", "glorot_uniform")
    ordering: Ordering = "given"
    n_draws: Particles = 100

    _MODEL = RandomMaskModel()
    _LIGHTER = "set direct=False or lower hidden_layer_sizes, or take NADE or EoNADE."
    _BUDGET_MIXED = Budget(500, 10, 100)
