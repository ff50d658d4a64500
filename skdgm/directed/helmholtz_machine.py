r"""Helmholtz machines: sigmoid belief networks that learn by wake-sleep.

.. math:: \Delta\theta \propto \nabla \log p(x, z), \; z \sim q(z \mid x), \qquad
   \Delta\phi \propto \nabla \log q(z \mid x), \; (x, z) \sim p
"""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdgm.directed._model import PLAIN, HelmholtzModel
from skdgm.latent import LatentEstimator
from skdgm.latent.options import BitOptions
from skdgm.training import Budget


class HelmholtzMachine(BitOptions, LatentEstimator):
    r"""Helmholtz machine: generative and recognition weights, learned by wake-sleep.

    .. math::

        p(x, z) = p(x \mid z_1) \, p(z_L) \prod_{l < L} p(z_l \mid z_{l+1}), \qquad
        q(z \mid x) = \prod_l q(z_l \mid z_{l-1}), \qquad z_0 = x

    with layers of bits, each a logistic regression on the next, downwards by the
    generative weights and upwards by the recognition weights [1]_. Awake, bits are
    drawn by q from a row, and p learns them; asleep, p dreams a row and its bits, and q
    learns them [2]_. It is :class:`~skdgm.SigmoidBeliefNetwork` with
    ``objective="wake-sleep"``; other objectives find higher likelihoods. NaN is a
    missing value, in every method.

    Attributes
    ----------
    recognition_weights_ : list of ndarray of shape (n_below, n_above)
        Weights upwards, from the data.
    recognition_biases_ : list of ndarray of shape (n_above,)
        Biases of the hidden layers upwards.
    generative_weights_ : list of ndarray of shape (n_above, n_below)
        Weights downwards, those to the data first.
    generative_biases_ : list of ndarray of shape (n_below,)
        Biases downwards, those of the data first; the last are of the highest layer,
        which nothing is above.
    loss_curve_ : list of float
        Negative importance weighted bound of some training rows after each epoch, by
        as many draws as in training (of less than 240 rows so many altogether), in nats
        per row, with real columns standardised.

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

    _IMPLIED = PLAIN | {"objective": "wake-sleep"}
    _MODEL, _BUDGET = HelmholtzModel(), Budget(4_500, 20, 120, 1_500)
    _REVIVE = "Raise learning_rate or n_iter, or take fewer layers."

    @property
    def recognition_weights_(self) -> list[np.ndarray]:
        """Weights upwards, from the data."""
        return self._parts("coefs_")[0]

    @property
    def recognition_biases_(self) -> list[np.ndarray]:
        """Biases of the hidden layers upwards."""
        return self._parts("intercepts_")[0]

    @property
    def generative_weights_(self) -> list[np.ndarray]:
        """Weights downwards, those to the data first."""
        return self._parts("coefs_")[1]

    @property
    def generative_biases_(self) -> list[np.ndarray]:
        """Biases downwards, those of the data first."""
        return [*self._parts("intercepts_")[1], self.density_.net.params.prior]

    def _parts(self, name):
        """An attribute of layers upwards, and of those downwards."""
        check_is_fitted(self)
        parts, n = getattr(self, name), len(self._learned.hidden_layer_sizes)
        return parts[:n], parts[n:]
