"""Options of models that maximize a variational bound."""

from typing import Annotated, Literal

from skdgm.base.groups import OptionGroup
from skdgm.base.options import (
    KW_ONLY,
    Auto,
    Count,
    CountOrZero,
    Details,
    Doc,
    NotNegative,
)


class ELBO(OptionGroup):
    r"""Evidence lower bound as an objective, with its weights in training.

    .. math:: \mathbb{E}_{q(z \mid x)} [\log p(x \mid z)] -
        \beta \, \mathrm{KL}(q(z \mid x) \,\|\, p(z))

    "auto" means the default of the estimator.

    Parameters
    ----------
    n_importance : {"auto"}, int or None, default="auto"
        Number of draws of latent units for each row in training. None: 1, and 5 for the
        importance-weighted bound.
    beta
        Weight :math:`\beta` of the divergence. If it is not 1, the objective is not a
        bound; larger values make latent units more independent [1]_.
    warm_up
        Number of epochs in which the weight rises linearly from 0 to ``beta``, which
        helps to prevent posterior collapse [2]_.
    free_bits
        Divergence of each latent layer, in nats, that is not penalized: the divergence
        has no gradient while its mean over a minibatch is smaller [3]_.

    See Also
    --------
    IWAE : A tighter bound by several draws.
    skdgm.VAE : Model that takes the option.

    References
    ----------
    .. [1] Higgins et al. (2017). beta-VAE: learning basic visual concepts with a
       constrained variational framework. ICLR.
    .. [2] Bowman, Vilnis, Vinyals, Dai, Jozefowicz and Bengio (2016). Generating
       sentences from a continuous space. CoNLL.
    .. [3] Kingma, Salimans, Jozefowicz, Chen, Sutskever and Welling (2016). Improved
       variational inference with inverse autoregressive flow. NeurIPS.

    Examples
    --------
    >>> from skdgm import VAE
    >>> from skdgm.options import ELBO
    >>> VAE(objective=ELBO(beta=4.0, warm_up=10))
    VAE(objective=ELBO(beta=4.0, warm_up=10))
    """

    STANDS_FOR = "elbo"

    _: KW_ONLY
    n_importance: Count | Auto | None = "auto"
    beta: NotNegative | Auto = "auto"
    warm_up: CountOrZero | Auto = "auto"
    free_bits: NotNegative | Auto = "auto"


class IWAE(ELBO):
    r"""Importance-weighted bound as an objective; more draws make it tighter [1]_.

    .. math:: \mathbb{E}_{z_k \sim q(z \mid x)} \Bigl[\log \frac1K \sum_k
        p(x \mid z_k) \Bigl(\frac{p(z_k)}{q(z_k \mid x)}\Bigr)^\beta \Bigr]

    "auto" means the default of the estimator.

    See Also
    --------
    ELBO : Bound by single draws.
    skdgm.VAE : Model that takes the option.

    References
    ----------
    .. [1] Burda, Grosse and Salakhutdinov (2016). Importance weighted autoencoders.
       ICLR.

    Examples
    --------
    >>> from skdgm import VAE
    >>> from skdgm.options import IWAE
    >>> VAE(objective=IWAE(n_importance=50))
    VAE(objective=IWAE(n_importance=50))
    """

    STANDS_FOR = "iwae"


class Prior(OptionGroup):
    """Mixture prior of latent units.

    Parameters
    ----------
    kind
        "mixture", of normal distributions; "vamp", of the encoder's distributions at
        pseudo-inputs; or "auto", the default of :class:`~skdgm.VAE`, to which
        ``n_components`` applies if it is not a normal distribution.
    n_components
        Number of components of "mixture", or of pseudo-inputs of "vamp"; "auto": 10 and
        100, or 20 pseudo-inputs in the default of a table.

    See Also
    --------
    skdgm.VAE : Model that takes the option.

    Examples
    --------
    >>> from skdgm import VAE
    >>> from skdgm.options import Prior
    >>> VAE(prior=Prior("vamp", n_components=500))
    VAE(prior=Prior(kind='vamp', n_components=500))
    """

    VALUE, FLAT_NAMES = "kind", {"n_components": "n_prior_components"}

    kind: Literal["auto", "mixture", "vamp"] = "mixture"
    _: KW_ONLY
    n_components: Count | Auto = "auto"


class MixtureDetails(Details):
    """Details of the distributions of real columns."""

    n_mixtures: Count = 3


class BoundDetails(Details):
    """Details of a variational bound."""

    n_importance: Count | None = None
    beta: NotNegative = 1.0
    warm_up: CountOrZero = 0
    free_bits: NotNegative = 0.0


Bound = Annotated[
    Literal["elbo", "iwae"] | ELBO | IWAE,
    BoundDetails,
    Doc("""
        Bound that is maximized: the evidence lower bound, or the importance-weighted
        bound.
    """),
]
