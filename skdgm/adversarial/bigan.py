r"""Generative adversarial networks with an encoder: a game of pairs.

.. math:: \min_{g, e} \max_d \; \mathbb{E}_{x} \log d(x, e(x)) +
   \mathbb{E}_{z} \log (1 - d(g(z), z))
"""

from typing import Literal

from skdgm.adversarial._games.logit_losses import LOSSES
from skdgm.adversarial._nets.bigan_model import BiGANModel
from skdgm.adversarial._options import GameLoss, PlayerOptions
from skdgm.adversarial.gan import GAN
from skdgm.base.frames import framed
from skdgm.base.options import KW_ONLY, Count, NotNegative
from skdgm.implicit import ImplicitEstimator
from skdgm.typing import ArrayOrFrame, Data
from skdgm.utils.domains import is_frame

# The sides of "minimax" and "likelihood" cannot be exchanged.
_LOSSES = [name for name in LOSSES if name not in ("minimax", "likelihood")]


class BiGAN(PlayerOptions, ImplicitEstimator):
    r"""GAN with an encoder: both learn by a discriminator of rows and latent units.

    .. math::

        \min_D \; \mathbb{E}\,\ell_D(D(x, e(x)), D(g(z), z)), \qquad
        \min_{g, e} \; \mathbb{E}\,\ell_D(D(g(z), z), D(x, e(x)))

    for rows x and latent units z [1]_ [2]_, with the penalty of :class:`GAN` on the
    discriminator's gradient. Where the discriminator cannot tell rows beside their
    codes from latent units beside their rows, encoder e and generator g are inverse to
    each other; before that, a reconstruction is a row like the given one rather than
    near to it, unless ``reconstruction_weight`` is above 0. ``score_samples`` and
    ``impute`` are estimates, as of :class:`GAN`, whose other options are at their
    defaults. NaN is a missing value, and unknown to the encoder. Float64 data are
    computed in float64, all others in float32.

    Parameters
    ----------
    n_components
        Number of latent units, which are the features of rows.
    encoder_layer_sizes : tuple
        Those of the encoder, from the data; by default the generator's, reversed.
    prior
        Distribution of the latent units: standard normal, or uniform of the same
        variance.
    loss
        Losses of all nets, as of :class:`GAN`; encoder and generator have the
        discriminator's, with the sides exchanged.
    reconstruction_weight
        Weight :math:`\lambda` of the squared error of reconstructions, summed over the
        discriminator's inputs for a row, which encoder and generator lower as well:
        :math:`\lambda \, \mathbb{E} \lVert x - g(e(x)) \rVert^2` [3]_.
    activation
        Activation function of the hidden units of generator and encoder.
    batch_norm
        Whether to standardise the hidden units of generator and encoder by batch
        normalisation.
    learning_rate
        Initial learning rate of generator and encoder, which ``schedule`` of the solver
        lowers.

    Attributes
    ----------
    coverage_ : float
        Share of some training rows to which a generated row is closer than their fifth
        neighbour.
    coefs_ : list of ndarray of shape (n_below, n_above)
        Weights of all dense layers, of the encoder, the generator and then the
        discriminator.

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
    _BUDGET, _BUDGET_BITS = GAN._BUDGET, GAN._BUDGET_BITS
    _DIVERSIFY = "Raise loss__gradient_penalty or lower learning_rate."

    _budget, discriminator_score = GAN._budget, GAN.discriminator_score

    def reconstruct(self, X: Data) -> ArrayOrFrame:
        """Rows that the generator makes of the codes of rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing; reconstructions have no missing entries.

        Returns
        -------
        X_new : ndarray of shape (n_samples, n_features)
        """
        density = self.density_
        rows = framed(self, density.decode(density.features(X)), X)
        both = is_frame(rows) and is_frame(X)
        return rows.set_axis(X.index) if both else rows
