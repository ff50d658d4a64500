r"""Generative adversarial networks.

.. math:: \min_g \max_d \; \mathbb{E}_{x \sim p_\text{data}} \log d(x) +
   \mathbb{E}_{z \sim p(z)} \log (1 - d(g(z)))

The generator g and the discriminator d are nets; d is a logistic function of a logit D.
"""

from typing import Annotated, Literal

from skdgm.adversarial._estimator import GameEstimator
from skdgm.adversarial._nets.gan_model import GANModel
from skdgm.adversarial._options import (
    Decay,
    Judge,
    Loss,
    LossDetails,
    PlayerDetails,
)
from skdgm.base.options import (
    KW_ONLY,
    Auto,
    Count,
    CountOrZero,
    NotNegative,
    Positive,
    Share,
    within,
)
from skdgm.nets.options import Initializer
from skdgm.training import Budget


class GANLossDetails(LossDetails):
    """Details of the loss of a GAN."""

    penalty: Literal["zero-centered", "one-centered"] = "zero-centered"
    penalty_decay: Decay = 0.02
    penalty_interval: Count = 2
    clip_weights: Positive | None = None
    label_smoothing: Share = 0.0
    instance_noise: NotNegative = 0.0
    output_noise: NotNegative = 0.0
    feature_matching: bool = False
    historical_averaging: NotNegative = 0.0


class PackDetails(PlayerDetails):
    """Details of the discriminator of a GAN, which can compare several rows."""

    minibatch_kernels: CountOrZero = 0
    packing: Count = 1


class GAN(GameEstimator):
    r"""Generative adversarial network: a generator trained against a discriminator.

    .. math::

        \min_D \; \mathbb{E}\,\ell_D(D(x), D(g(z))) + \tfrac\gamma2 \bigl(
        \mathbb{E} \lVert \nabla_x D(x) \rVert^2 +
        \mathbb{E} \lVert \nabla_x D(g(z)) \rVert^2 \bigr),

    .. math::

        \min_g \; \mathbb{E}\,\ell_G(D(x), D(g(z)))

    for rows x and latent units z [1]_. By default the discriminator compares a real
    with a generated row, :math:`\ell_D = \log(1 + e^{D(g(z)) - D(x)})`, and the
    gradient penalty is zero-centered, so that the game converges and covers all modes
    [2]_. A generator has no tractable density: ``score_samples`` is an estimate. NaN is
    a missing value, which is also hidden in the generated row that is compared.
    Computations are in float64 for float64 data, otherwise in float32.

    Parameters
    ----------
    column_types
        Type of the columns: "auto", inferred from the data, or a type as in
        :class:`~skdgm.VAE`. "bernoulli" columns are drawn as bits if all values in the
        first fit are 0 or 1, and otherwise as probabilities. Bits and categories are
        draws with the gradient of a continuous relaxation.
    class_conditional
        Whether both nets are conditional on classes y [3]_, which ``fit`` then
        requires; the discriminator has a logit for each class.
    prior
        Distribution of the latent units. "normal": standard normal. "uniform": uniform
        with unit variance. "bits": -1 or 1. "mixed": bits in the first half and normal
        in the second, which suits clustered data.
    loss
        Losses of both nets: "minimax", a zero-sum game; "non-saturating", the usual
        loss [1]_; "likelihood", with the gradient of maximum likelihood [4]_;
        "least-squares" [5]_; "wasserstein", the difference of mean logits [6]_; or
        "relativistic", by differences of logits [2]_. The default weight
        :math:`\gamma` of the penalty, ``gradient_penalty``, is 0.05 if columns are real
        numbers, and otherwise 0.2.
    batch_norm
        Whether hidden units of the generator have batch normalization; "virtual": with
        moments of a fixed reference batch, the first minibatch, and the row itself.
    n_frequencies
        Number of sines and cosines of each real column that a dense discriminator
        receives; "auto": 3 with at most 16 real columns, otherwise 0.
    n_iter
        Number of epochs; "auto": 1,250 updates, but between 10 and 1,000 epochs.
    features
        Result of ``transform``: "discriminator", the last hidden units of the
        discriminator; or "latent", latent units whose generated row is similar; see
        :meth:`invert`.
    architecture
        "dense"; or "conv", (transposed) convolutions of images with 5 x 5 filters and
        stride 2 [7]_.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Classes of a conditional model.
    coverage_ : float
        Share of some training rows that have a generated row closer than their fifth
        nearest neighbor.

    See Also
    --------
    BiGAN : Game with an encoder of rows.
    InfoGAN : Game with interpretable latent codes.
    GMMN : Generator trained without a discriminator.
    Diffusion : Samples of similar quality, with a lower bound of the likelihood.

    References
    ----------
    .. [1] Goodfellow et al. (2014). Generative adversarial nets. NeurIPS.
    .. [2] Huang, Gokaslan, Kuleshov and Tompkin (2024). The GAN is dead; long live the
       GAN! A modern baseline GAN. NeurIPS.
    .. [3] Miyato and Koyama (2018). cGANs with projection discriminator. ICLR.
    .. [4] Goodfellow (2014). On distinguishability criteria for estimating generative
       models. arXiv:1412.6515.
    .. [5] Mao, Li, Xie, Lau, Wang and Smolley (2017). Least squares generative
       adversarial networks. ICCV.
    .. [6] Arjovsky, Chintala and Bottou (2017). Wasserstein generative adversarial
       networks. ICML.
    .. [7] Radford, Metz and Chintala (2016). Unsupervised representation learning with
       deep convolutional generative adversarial networks. ICLR.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import GAN
    >>> X = load_digits().data
    >>> gan = GAN(n_iter=5, random_state=0).fit(X)
    >>> gan.sample(3, random_state=0).shape
    (3, 64)
    >>> gan.transform(X).shape
    (1797, 128)
    >>> bool(gan.loss_curve_[-1] < gan.loss_curve_[0])
    True
    """

    _: KW_ONLY
    class_conditional: bool = False
    discriminator: Annotated[Judge, PackDetails] = None
    loss: Annotated[Loss, GANLossDetails] = "relativistic"
    batch_norm: bool | Literal["virtual"] = False
    init_weights: Initializer = within("solver", "he_normal")
    n_frequencies: CountOrZero | Auto = "auto"
    features: Literal["discriminator", "latent"] = "discriminator"

    _MODEL = GANModel()
    # Longer training generates narrower modes, and not better samples.
    _BUDGET, _BUDGET_BITS = Budget(1_250, 10, 1_000), None
