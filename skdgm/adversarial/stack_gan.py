"""Stacked adversarial networks.

.. math:: x_k = g_k(z_k, u(x_{k-1}))
"""

from skdgm.adversarial._estimator import PyramidEstimator
from skdgm.adversarial._nets.pyramid_model import PyramidModel
from skdgm.base.options import KW_ONLY, Count


class StackGAN(PyramidEstimator):
    r"""Stacked adversarial networks: each stage redraws the image at twice the size.

    .. math::

        x_0 = g_0(z_0), \qquad x_k = g_k(z_k, u(x_{k-1}))

    Each stage doubles the height and width of images, and u upsamples them by copying
    pixels [1]_. A generator receives the image of the previous stage and draws the
    whole image again, so that it can correct it. Its discriminator compares it with
    images of the data. All stages are trained jointly on the same minibatches, as in
    [2]_. ``score_samples`` is an estimate, as in :class:`~skdgm.GAN`. NaN is a missing
    value: block means average the observed pixels. Computations are in float64 for
    float64 data, otherwise in float32.

    Parameters
    ----------
    n_levels
        Maximum number of stages, one for each resolution; fewer if images shrink to a
        single pixel.

    See Also
    --------
    LAPGAN : Stages that add details to an enlarged image.
    GAN : A single game.

    Notes
    -----
    A default fit to scikit-learn's digits takes about 17 s of one core, 31 times as
    long as ``MLPClassifier``. A GAN is trained for each of the stages.

    References
    ----------
    .. [1] Zhang, Xu, Li, Zhang, Wang, Huang and Metaxas (2017). StackGAN: text to
       photo-realistic image synthesis with stacked generative adversarial networks.
       ICCV.
    .. [2] Zhang, Xu, Li, Zhang, Wang, Huang and Metaxas (2019). StackGAN++: realistic
       image synthesis with stacked generative adversarial networks. IEEE Transactions
       on Pattern Analysis and Machine Intelligence.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import StackGAN
    >>> X = load_digits().data
    >>> gan = StackGAN(n_iter=1, random_state=0).fit(X)
    >>> gan.pyramid_shapes_
    [(4, 4, 1), (8, 8, 1)]
    >>> gan.generate(np.zeros((1, 32))).shape
    (1, 64)
    """

    _: KW_ONLY
    n_levels: Count = 2

    _MODEL = PyramidModel(of_data=False)
