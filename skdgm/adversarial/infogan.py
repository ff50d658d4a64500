r"""Generative adversarial networks whose codes can be inferred from generated rows.

.. math:: \min_{g, q} \max_d \; v(d, g) - \lambda \, L_I(g, q), \qquad
   L_I = \mathbb{E}_{c, x = g(z, c)} [\log q(c \mid x)] + H(c) \le I(c; g(z, c))
"""

from typing import Literal

import numpy as np
from sklearn.utils.metaestimators import available_if

from skdgm.adversarial._estimator import GameEstimator
from skdgm.adversarial._nets.infogan_model import InfoGANModel
from skdgm.adversarial._options import Information, Jitter
from skdgm.base.frames import as_frame
from skdgm.base.options import (
    KW_ONLY,
    Count,
    CountOrZero,
    NotNegative,
    Positive,
    Several,
    within,
)
from skdgm.typing import ArrayLike, ArrayOrFrame, Data, Seed
from skdgm.utils.counts import count_rows, layer_sizes


class InfoGAN(GameEstimator):
    r"""GAN with interpretable codes, categorical and continuous.

    .. math::

        \min_{D, q} \; \mathbb{E}\,\ell_D(D(x), D(g(z, c))) - \lambda L_I, \qquad
        \min_g \; \mathbb{E}\,\ell_G(D(x), D(g(z, c))) - \lambda L_I,

    .. math::

        L_I = \mathbb{E} [\log q(c \mid g(z, c))] + H(c)

    for latent units z and codes c [1]_. :math:`L_I` is a lower bound on the mutual
    information of codes and generated rows. It makes each code change rows in a
    distinctive way: without labels, categories become clusters of the data, and
    continuous codes the variation within them. The distribution q of codes given a row
    shares the hidden units of the discriminator. With views of rows (``jitter`` or
    ``n_neighbors`` of ``information``), q is a separate net with the same layers, and
    categories become features that views share, such as a digit's class [2]_.
    ``transform`` returns the parameters of q: probabilities of categories, then means
    of continuous codes. ``inverse_transform`` takes codes, and sets the other latent
    units to zero. ``score_samples`` is an estimate, as in :class:`GAN`, whose other
    options have their default values. NaN is a missing value. Computations are in
    float64 for float64 data, otherwise in float32.

    Parameters
    ----------
    n_components
        Number of latent units in addition to codes.
    n_categories : int or tuple of int or None
        Number of categories of each categorical code.
    n_codes
        Number of continuous codes, uniform between -1 and 1.
    information
        Weight of the mutual information of codes and rows, and views of rows that share
        their codes.

    Attributes
    ----------
    information_curve_ : list of float
        The bound :math:`L_I` after each epoch, in nats: at most log 10 by default.
    coefs_ : list of ndarray of shape (n_below, n_above)
        Weights of all dense layers: generator, discriminator, and q if it is a separate
        net.
    coverage_ : float
        Share of some training rows that have a generated row closer than their fifth
        nearest neighbor.

    See Also
    --------
    GAN : The game without interpretable codes.
    VAE : Latent variable model with a prior for independent units.

    Notes
    -----
    A default fit to scikit-learn's digits takes about 10 s of one core, 19 times as
    long as ``MLPClassifier``. The generator and the discriminator are trained in turn,
    and need several hundred epochs to agree.

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
    _DIVERSIFY = (
        "Raise loss__gradient_penalty, or lower learning_rate or information__weight."
    )

    def _has_categories(self):
        return bool(layer_sizes(self._options.n_categories))

    @available_if(_has_categories)
    def predict(self, X: Data) -> np.ndarray:
        """Most probable category of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        category : ndarray of int, of shape (n_samples,) or (n_samples, n_categorical)
            Index of the category; with several categorical codes, one column for each.
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
        """Draw rows from the model, optionally with given codes.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            None: NumPy's global generator, with different rows at each call.
        codes : array-like of shape (n_codes,) or (n_samples, n_codes), default=None
            Codes of all rows, or of each row: indices of categories, then continuous
            codes, which may exceed -1 and 1. NaN entries are drawn.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            A DataFrame if ``fit`` was given one.

        Raises
        ------
        ValueError
            If a category does not exist, or the number of codes is wrong.
        """
        density = self.density_
        n_samples = count_rows(n_samples, self.n_features_in_)
        if codes is not None:
            units = density.generator.codes.given(codes, n_samples)
            density.generator = density.generator._replace(codes=units)
        return as_frame(self, density.sample(n_samples, random_state))

    def _count(self, table, fresh):
        super()._count(table, fresh)
        if fresh:
            self.information_curve_ = []

    def _report(self, learned, n_epochs, watch):
        information = watch.information[1 : len(learned.losses) + 1]
        self.information_curve_ = self.information_curve_ + information
        super()._report(learned, n_epochs, watch)
