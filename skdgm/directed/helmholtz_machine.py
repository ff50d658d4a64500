r"""Helmholtz machines: sigmoid belief networks trained by wake-sleep.

.. math:: \Delta\theta \propto \nabla \log p(x, z), \; z \sim q(z \mid x), \qquad
   \Delta\phi \propto \nabla \log q(z \mid x), \; (x, z) \sim p
"""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdgm.directed._model import HelmholtzModel
from skdgm.latent import LatentEstimator
from skdgm.latent.options import BitOptions
from skdgm.training import Budget


class HelmholtzMachine(BitOptions, LatentEstimator):
    r"""Helmholtz machine: generative and recognition weights, trained by wake-sleep.

    .. math::

        p(x, z) = p(x \mid z_1) \, p(z_L) \prod_{l < L} p(z_l \mid z_{l+1}), \qquad
        q(z \mid x) = \prod_l q(z_l \mid z_{l-1}), \qquad z_0 = x

    The layers are binary. Each is a logistic regression on the layer above by the
    generative weights, and on the layer below by the recognition weights [1]_. In the
    wake phase, q draws the bits of a row, and p is trained to generate them. In the
    sleep phase, p draws a row and its bits, and q is trained to recognize them [2]_.
    This is a :class:`~skdgm.SigmoidBeliefNetwork` with ``objective="wake-sleep"``;
    other objectives reach higher likelihoods. NaN marks a missing value in every
    method.

    Attributes
    ----------
    recognition_weights_ : list of ndarray of shape (n_below, n_above)
        Upward weights, starting at the data.
    recognition_biases_ : list of ndarray of shape (n_above,)
        Upward biases of the hidden layers.
    generative_weights_ : list of ndarray of shape (n_above, n_below)
        Downward weights, starting with the weights to the data.
    generative_biases_ : list of ndarray of shape (n_below,)
        Downward biases, starting with the biases of the data; the last are the log odds
        of the highest layer.
    loss_curve_ : list of float
        Negative importance weighted bound of a sample of training rows after each
        epoch, in nats per row of standardized columns, with as many draws as in
        training (in total at least 240).

    See Also
    --------
    SigmoidBeliefNetwork : The same layers, with other objectives.
    BidirectionalHelmholtzMachine : Geometric mean of the two models.
    VAE : Continuous latent units, trained by backpropagation.

    References
    ----------
    .. [1] Dayan, Hinton, Neal and Zemel (1995). The Helmholtz machine. Neural
       Computation.
    .. [2] Hinton, Dayan, Frey and Neal (1995). The wake-sleep algorithm for
       unsupervised neural networks. Science.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import HelmholtzMachine
    >>> X = load_digits().data > 7
    >>> machine = HelmholtzMachine((32, 16), n_iter=5, random_state=0).fit(X)
    >>> [W.shape for W in machine.recognition_weights_]
    [(64, 32), (32, 16)]
    >>> machine.sample(3, random_state=0).shape
    (3, 64)
    """

    _MODEL, _BUDGET = HelmholtzModel(), Budget(4_500, 20, 120, 1_500)
    _REVIVE = "Raise learning_rate or n_iter, or take fewer layers."

    @property
    def recognition_weights_(self) -> list[np.ndarray]:
        """Upward weights, starting at the data."""
        return self._parts("coefs_")[0]

    @property
    def recognition_biases_(self) -> list[np.ndarray]:
        """Upward biases of the hidden layers."""
        return self._parts("intercepts_")[0]

    @property
    def generative_weights_(self) -> list[np.ndarray]:
        """Downward weights, starting with the weights to the data."""
        return self._parts("coefs_")[1]

    @property
    def generative_biases_(self) -> list[np.ndarray]:
        """Downward biases, starting with the biases of the data."""
        return [*self._parts("intercepts_")[1], self.density_.net.params.prior]

    def _parts(self, name):
        """Split an attribute into upward and downward layers."""
        check_is_fitted(self)
        parts, n = getattr(self, name), len(self._learned.hidden_layer_sizes)
        return parts[:n], parts[n:]
