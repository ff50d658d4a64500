r"""Bidirectional generative adversarial networks, which also train an encoder.

.. math:: \min_{g, e} \max_d \; \mathbb{E}_{x} \log d(x, e(x)) +
   \mathbb{E}_{z} \log (1 - d(g(z), z))
"""

from typing import Literal

from skdgm.adversarial._estimator import GameEstimator
from skdgm.adversarial._games.logit_losses import LOSSES
from skdgm.adversarial._nets.bigan_model import BiGANModel
from skdgm.adversarial._options import GameLoss
from skdgm.base.frames import as_frame
from skdgm.base.options import KW_ONLY, Count, NotNegative
from skdgm.typing import ArrayOrFrame, Data
from skdgm.utils.domains import is_frame

# Real and generated rows cannot be exchanged in "minimax" and "likelihood".
_LOSSES = [name for name in LOSSES if name not in ("minimax", "likelihood")]


class BiGAN(GameEstimator):
    r"""Bidirectional GAN: generator and encoder, trained against one discriminator.

    .. math::

        \min_D \; \mathbb{E}\,\ell_D(D(x, e(x)), D(g(z), z)), \qquad
        \min_{g, e} \; \mathbb{E}\,\ell_D(D(g(z), z), D(x, e(x)))

    for rows x and latent units z [1]_ [2]_, with the gradient penalty of :class:`GAN`.
    If the discriminator cannot distinguish rows and their codes from generated rows and
    their latent units, the encoder e and the generator g are inverse to each other.
    Before that point, a reconstruction resembles the given row in kind, but may be far
    from it unless ``reconstruction_weight`` is positive. ``score_samples`` and
    ``impute`` are estimates, as in :class:`GAN`, whose other options have their default
    values. NaN is a missing value, hidden from the encoder. Computations are in float64
    for float64 data, otherwise in float32.

    Parameters
    ----------
    n_components
        Number of latent units, which are the features of rows.
    encoder_layer_sizes : tuple
        Numbers of hidden units of the encoder, from the data up; by default the
        reversed layers of the generator.
    prior
        Distribution of the latent units: standard normal, or uniform of unit variance.
    loss
        Losses of all nets, as in :class:`GAN`; encoder and generator have the loss of
        the discriminator with real and generated rows exchanged.
    reconstruction_weight
        Weight :math:`\lambda` of the squared reconstruction error in the loss of
        encoder and generator, summed over the discriminator's inputs for a row:
        :math:`\lambda \, \mathbb{E} \lVert x - g(e(x)) \rVert^2` [3]_.
    activation
        Activation function of the hidden units of generator and encoder.
    batch_norm
        Whether hidden units of generator and encoder have batch normalization.
    learning_rate
        Initial learning rate of generator and encoder, which ``schedule`` of the solver
        decreases.

    Attributes
    ----------
    coverage_ : float
        Share of some training rows that have a generated row closer than their fifth
        nearest neighbor.
    coefs_ : list of ndarray of shape (n_below, n_above)
        Weights of all dense layers: encoder, generator, then discriminator.

    See Also
    --------
    GAN : Generator without an encoder.
    VAE : Generator and encoder trained by a lower bound of the likelihood.

    Notes
    -----
    A default fit to scikit-learn's digits takes about 9 s of one core, 17 times as long
    as ``MLPClassifier``. The discriminator and both generators are trained in turn, and
    need several hundred epochs to agree. A :class:`VAE` also infers latent units, in a
    fifth of the time.

    References
    ----------
    .. [1] Donahue, Krähenbühl and Darrell (2017). Adversarial feature learning. ICLR.
    .. [2] Dumoulin, Belghazi, Poole, Lamb, Arjovsky, Mastropietro and Courville (2017).
       Adversarially learned inference. ICLR.
    .. [3] Li, Liu, Chen, Pu, Chen, Henao and Carin (2017). ALICE: towards understanding
       adversarial learning for joint distribution matching. NeurIPS.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import BiGAN
    >>> X = load_digits().data
    >>> gan = BiGAN(n_iter=2, random_state=0).fit(X)
    >>> Z = gan.transform(X)
    >>> Z.shape
    (1797, 16)
    >>> gan.inverse_transform(Z[:3]).shape
    (3, 64)
    """

    _: KW_ONLY
    encoder_layer_sizes: Count | tuple | None = None
    prior: Literal["normal", "uniform"] = "normal"
    loss: Literal[*_LOSSES] | GameLoss = "relativistic"
    reconstruction_weight: NotNegative = 0.0

    _MODEL = BiGANModel()
    _DIVERSIFY = "Raise loss__gradient_penalty or lower learning_rate."

    def reconstruct(self, X: Data) -> ArrayOrFrame:
        """Reconstructions of rows: generated rows given their codes.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing; reconstructions have no missing entries.

        Returns
        -------
        X_new : ndarray of shape (n_samples, n_features)
        """
        density = self.density_
        rows = as_frame(self, density.decode(density.features(X)), X)
        are_frames = is_frame(rows) and is_frame(X)
        return rows.set_axis(X.index) if are_frames else rows
