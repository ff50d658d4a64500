r"""Neural autoregressive networks: a group of hidden units for each column.

.. math:: h_i = f(c_i + \sum_{j \le i} x_j W_{ji}), \qquad
   z_t = b_t + \sum_{i < t} h_i V_{it} + x_i U_{it}
"""

from skdgm.autoregressive._estimator import AutoregressiveEstimator
from skdgm.autoregressive.model import GroupModel
from skdgm.autoregressive.options import MixedColumns, Ordering, Particles
from skdgm.base.options import KW_ONLY, Count, within
from skdgm.nets.options import Activation, Initializer


class NeuralAutoregressive(AutoregressiveEstimator):
    r"""Neural autoregressive network: a group of hidden units for each column.

    .. math::

        p(x) = \prod_t p(x_t \mid z_t), \qquad
        z_t = b_t + \sum_{i < t} h_i V_{it} + x_i U_{it}, \qquad
        h_i = f\Bigl(c_i + \sum_{j \le i} x_j W_{ji}\Bigr)

    Each column has its own group of hidden units :math:`h_i`, which depend on it and
    the previous columns, and contribute to the predictions of all later columns [1]_.
    Likelihoods and samples are exact. Computations are in float64 for float64 data, and
    in float32 otherwise.

    Parameters
    ----------
    n_components
        Number of hidden units in each group.
    direct
        Whether outputs have direct connections from the previous columns.

    Attributes
    ----------
    coefs_ : list of ndarray
        Weights of the net of each order: hidden weights of shape (n_inputs, n_hidden),
        then output weights of shape (n_hidden + n_inputs, n_outputs).

    See Also
    --------
    FVBN : Linear conditionals.
    NADE : Hidden units that all columns share.

    References
    ----------
    .. [1] Bengio and Bengio (2000). Modeling high-dimensional discrete data with
       multi-layer neural networks. NIPS.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdgm import NeuralAutoregressive
    >>> X = load_iris().data
    >>> net = NeuralAutoregressive(column_types="gaussian", n_iter=50, random_state=0)
    >>> net.fit(X).sample(2, random_state=0).shape
    (2, 4)
    >>> net.transform(X).shape
    (150, 24)
    """

    n_components: Count = 8
    column_types: MixedColumns = "auto"
    _: KW_ONLY
    direct: bool = True
    n_orderings: Count = 1
    activation: Activation = "tanh"
    init_weights: Initializer = within("solver", "glorot_uniform")
    ordering: Ordering = "given"
    n_draws: Particles = 100
    learning_rate = 0.006

    _MODEL = GroupModel()
    _LIGHTER = (
        "drop columns or lower n_components, or take NADE or EoNADE, whose columns "
        "share their hidden units."
    )
