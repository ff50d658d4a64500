r"""Recurrent temporal restricted Boltzmann machine.

.. math:: s_t = \mathbb{E}[h_t \mid x_t, s_{t-1}]
"""

from skdgm.base.options import KW_ONLY, Count, Share
from skdgm.recurrent._model import RBMModel
from skdgm.recurrent.rnn_rbm import MachineEstimator


class RTRBM(MachineEstimator):
    r"""Recurrent temporal restricted Boltzmann machine: hidden units with memory.

    .. math::

        p(x_t, h_t \mid s_{t-1}) &\propto \exp\Bigl(b_t^\top x_t + c_t^\top h_t +
        (x_t - \mu)^\top W \bigl(h_t - \tfrac12\bigr)\Bigr) \\
        c_t &= c + s_{t-1} U, \qquad b_t = b + s_{t-1} W_b, \qquad
        s_t = \sigma(c_t + (x_t - \mu) W)

    The recurrent state is the mean of the machine's hidden units given the current row
    and the previous state [1]_; it shares the weights of the machine. Columns, training
    and scores are as in :class:`RNNRBM`.

    Attributes
    ----------
    coefs_ : list of ndarray
        Weights from states to hidden and visible biases, U and W_b.
    intercepts_ : list of ndarray
        Hidden and visible biases.

    See Also
    --------
    RNNRBM : A separate recurrent net.
    ConditionalRBM : Machine conditional on a few previous steps.

    References
    ----------
    .. [1] Sutskever, Hinton and Taylor (2008). The recurrent temporal restricted
       Boltzmann machine. NIPS.

    Examples
    --------
    >>> import numpy as np
    >>> from skdgm import RTRBM
    >>> X = (np.arange(300)[:, None] % [2, 3, 5]) == 0
    >>> model = RTRBM(10, n_iter=100, learning_rate=0.03, random_state=0).fit(X)
    >>> bool(model.score(X) > -0.6)
    True
    """

    _: KW_ONLY
    n_steps: Count = 5
    n_betas: Count = 100
    dropout: Share = 0.0

    _MODEL = RBMModel(tied=True)
    _LIGHTER = "lower n_components."
