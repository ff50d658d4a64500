"""Laplacian pyramids of adversarial networks.

.. math:: x_k = u(x_{k-1}) + g_k(z_k, u(x_{k-1}))
"""

from skdgm.adversarial._estimator import PyramidEstimator
from skdgm.adversarial._nets.pyramid_model import PyramidModel
from skdgm.base.options import KW_ONLY, Count


class LAPGAN(PyramidEstimator):
    r"""Laplacian pyramid of adversarial networks: small images, then their details.

    .. math::

        x_0 = g_0(z_0), \qquad x_k = u(x_{k-1}) + g_k(z_k, u(x_{k-1}))

    Each level halves the height and width of images, and u upsamples them by copying
    pixels [1]_. Every generator has a discriminator. The discriminator of the smallest
    images is as in :class:`~skdgm.GAN`. The discriminators of other levels compare
    a real image with the image that has the same block means, but generated details,
    conditional on these means. Details of grayscale images are added to log-odds, so
    that pixels stay between 0 and 1. ``score_samples`` is an estimate, as in
    :class:`~skdgm.GAN`. NaN is a missing value: block means average the observed
    pixels. Computations are in float64 for float64 data, otherwise in float32.

    Parameters
    ----------
    n_levels
        Maximum number of resolutions; fewer if images shrink to a single pixel.

    See Also
    --------
    StackGAN : Stages that redraw the image at twice the size.
    GAN : A single game.

    Notes
    -----
    A default fit to scikit-learn's digits takes about 24 s of one core, 46 times as
    long as ``MLPClassifier``. A GAN is trained for each level of the pyramid.

    References
    ----------
    .. [1] Denton, Chintala, Szlam and Fergus (2015). Deep generative image models using
       a Laplacian pyramid of adversarial networks. NeurIPS.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import LAPGAN
    >>> X = load_digits().data
    >>> gan = LAPGAN(n_iter=1, random_state=0).fit(X)
    >>> gan.pyramid_shapes_
    [(2, 2, 1), (4, 4, 1), (8, 8, 1)]
    >>> gan.generate(np.zeros((1, 48))).shape
    (1, 64)
    """

    _: KW_ONLY
    n_levels: Count = 3

    _MODEL = PyramidModel(of_data=True)
