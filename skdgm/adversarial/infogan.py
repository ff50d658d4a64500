r"""Generative adversarial networks whose codes can be read off their rows.

.. math:: \min_{g, q} \max_d \; v(d, g) - \lambda \, L_I(g, q), \qquad
   L_I = \mathbb{E}_{c, x = g(z, c)} [\log q(c \mid x)] + H(c) \le I(c; g(z, c))
"""

from typing import Literal

import numpy as np
from sklearn.utils.metaestimators import available_if

from skdgm.adversarial._nets.infogan_model import InfoGANModel
from skdgm.adversarial._options import Information, Jitter, PlayerOptions
from skdgm.adversarial.gan import GAN
from skdgm.base.frames import framed
from skdgm.base.options import (
    KW_ONLY,
    Count,
    CountOrZero,
    NotNegative,
    Positive,
    Several,
    within,
)
from skdgm.implicit import ImplicitEstimator
from skdgm.typing import ArrayLike, ArrayOrFrame, Data, Seed
from skdgm.utils.counts import count_rows, layer_sizes


class InfoGAN(PlayerOptions, ImplicitEstimator):
    r"""GAN with codes that explain its rows: categories, and continuous ones.

    .. math::

        \min_{D, q} \; \mathbb{E}\,\ell_D(D(x), D(g(z, c))) - \lambda L_I, \qquad
        \min_g \; \mathbb{E}\,\ell_G(D(x), D(g(z, c))) - \lambda L_I,

    .. math::

        L_I = \mathbb{E} [\log q(c \mid g(z, c))] + H(c)

    for latent units z and codes c [1]_. A bound on the mutual information of codes and
    generated rows, :math:`L_I`, is added to the game, so that each code must change a
    row differently: without any label, categories become clusters of the data, and
    continuous codes the variation among their rows. The distribution q of the codes
    given a row shares the discriminator's hidden units; with views of rows (``jitter``
    or ``n_neighbors`` of ``information``) it is a net of its own, of the same layers,
    and categories become features that views share, such as a digit's name [2]_.
    ``transform`` returns q, probabilities of categories and then means of continuous
    codes; ``inverse_transform`` takes codes, with all other latent units at zero.
    ``score_samples`` is an estimate, as of :class:`GAN`, whose other options are at
    their defaults. NaN is a missing value. Float64 data are computed in float64, all
    others in float32.

    Parameters
    ----------
    n_components
        Number of latent units besides codes, which no output tells.
    n_categories : int or tuple of int or None
        Numbers of categories of categorical codes, one number for each.
    n_codes
        Number of continuous codes, between -1 and 1.
    information
        Information of rows on their codes: its weight, and views of rows that share it.

    Attributes
    ----------
    information_curve_ : list of float
        The bound :math:`L_I` after each epoch, in nats: log 10 at most, by default.
    coefs_ : list of ndarray of shape (n_below, n_above)
        Weights of all dense layers: generator, discriminator, and q if it is apart.
    coverage_ : float
        Share of some training rows with a draw closer than their fifth neighbour.

    References
    ----------
    .. [1] Chen, Duan, Houthooft, Schulman, Sutskever and Abbeel (2016). InfoGAN:
       interpretable representation learning by information maximizing generative
       adversarial nets. NeurIPS.
    .. [2] Ji, Henriques and Vedaldi (2019). Invariant information clustering for
       unsupervised image classification and segmentation. ICCV.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import InfoGAN
    >>> X = load_digits().data
    >>> gan = InfoGAN(n_categories=10, n_codes=1, n_iter=3, random_state=0).fit(X)
    >>> gan.transform(X).shape, gan.predict(X[:3]).shape
    ((1797, 11), (3,))
    >>> gan.sample(5, random_state=0, codes=[3, 0.5]).shape
    (5, 64)
    """

    _: KW_ONLY
    n_categories: Several | tuple | None = 10
    n_codes: CountOrZero = 0
    information: Information | None = None
    information_weight: NotNegative = within("information", 1.0)
    code_variance: Positive | Literal["learned"] = within("information", 1.0)
    jitter: Jitter = within("information", 0.0)
    n_neighbors: CountOrZero = within("information", 0)
    n_heads: Count = within("information", 10)
    prior = "normal"

    _MODEL = InfoGANModel()
    _BUDGET, _BUDGET_BITS = GAN._BUDGET, GAN._BUDGET_BITS
    _DIVERSIFY = (
        "Raise loss__gradient_penalty, or lower learning_rate or information__weight."
    )

    _budget, discriminator_score = GAN._budget, GAN.discriminator_score

    @available_if(lambda model: bool(layer_sizes(model._options.n_categories)))
    def predict(self, X: Data) -> np.ndarray:
        """Most probable category of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        category : ndarray of int, of shape (n_samples,) or (n_samples, n_categorical)
            Number of the category, of each code if there are several categorical ones.
        """
        density = self.density_
        H, groups = density.features(X), density.generator.codes.groups()
        categories = np.column_stack([H[:, group].argmax(axis=1) for group in groups])
        return categories[:, 0] if len(groups) == 1 else categories

    def sample(
        self,
        n_samples: int = 1,
        random_state: Seed = None,
        *,
        codes: ArrayLike | None = None,
    ) -> ArrayOrFrame:
        """Draw rows from the model, with given codes perhaps.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            By default NumPy's global generator: other rows at each call.
        codes : array-like of shape (n_codes,) or (n_samples, n_codes), default=None
            Codes of all rows, or of each: numbers of categories, and then continuous
            codes, which may be beyond -1 and 1. NaN is drawn.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            A DataFrame if ``fit`` was given one.

        Raises
        ------
        ValueError
            There is no such category, or another number of codes.
        """
        density = self.density_
        n_samples = count_rows(n_samples, self.n_features_in_)
        if codes is not None:
            units = density.generator.codes.given(codes, n_samples)
            density.generator = density.generator._replace(codes=units)
        return framed(self, density.sample(n_samples, random_state))

    def _count(self, table, fresh):
        super()._count(table, fresh)
        if fresh:
            self.information_curve_ = []

    def _report(self, learned, n_epochs, watch):
        information = watch.information[1 : len(learned.losses) + 1]
        self.information_curve_ = self.information_curve_ + information
        super()._report(learned, n_epochs, watch)
