r"""Recurrent variational autoencoders of images, with attention.

.. math:: \log p(x) \ge \mathbb{E}_q \Bigl[\log p(x \mid c_T) -
   \sum_t \mathrm{KL}(q(z_t \mid x, z_{<t}) \,\|\, p(z_t))\Bigr]
"""

from typing import Annotated, Literal

import numpy as np

from skdgm.autoencoder._draw_model import DrawModel
from skdgm.autoencoder._options import Bound
from skdgm.base.column_group import Columns
from skdgm.base.options import KW_ONLY, Count
from skdgm.latent import LatentEstimator
from skdgm.latent.options import LatentDetails
from skdgm.training import Budget
from skdgm.typing import Seed


class DRAW(LatentEstimator):
    r"""Deep recurrent attentive writer: a VAE that paints images step by step.

    .. math::

        c_t = c_{t-1} + \operatorname{write}(h^d_t), \qquad
        h^d_t = \text{RNN}(h^d_{t-1}, z_t), \qquad
        z_t \sim \mathcal{N}(0, 1),

    .. math::

        x \sim p(x \mid c_T)

    The canvas :math:`c_T` has the parameters of the pixels after T steps [1]_. In each
    step an encoder, another recurrent net, reads the image and the error of the current
    canvas, and infers :math:`q(z_t \mid x, z_{<t})`. Images are read and written
    through a grid of Gaussian filters,

    .. math:: F_Y \, x \, F_X^\top, \qquad F_Y^\top \, w \, F_X

    whose center, stride, variance and intensity the decoder chooses. Both nets maximize
    the evidence lower bound,

    .. math:: \log p(x) \ge \mathbb{E}_q \Bigl[\log p(x \mid c_T) -
        \sum_t \mathrm{KL}(q(z_t \mid x, z_{<t}) \,\|\, p(z_t))\Bigr]

    or the importance-weighted bound [2]_. NaN is a missing value in every method.
    Computations are in float64 for float64 data, otherwise in float32.

    Parameters
    ----------
    n_glimpses
        Number of steps T.
    n_components
        Number of latent units of each step.
    n_recurrent
        Number of units of the recurrent cell of the encoder, and of that of the
        decoder.
    cell
        Recurrent cell: "lstm", long short-term memory; "gru", a gated recurrent unit;
        or "tanh", one layer of units.
    read_size
        Height and width of the grid that reads; None: no attention, and the whole image
        is read.
    write_size
        Height and width of the grid that writes; None: no attention.
    image_shape
        Height and width of images, and the number of channels if it is not 1. By
        default images are square, or a single line if that is impossible.
    column_types
        Type of the pixels. "auto": inferred from the data, as described on the page
        "How columns are read" of the guide; "bernoulli": 0, 1 or probabilities of 1;
        "gaussian": real numbers, standardized internally.
    n_iter
        Number of epochs; "auto": 600 updates, but between 10 and 60 epochs.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_below, n_above)
        Weights of all layers. Encoder: input and recurrent weights of the cell; means
        and log-variances; parameters of the reading grid. Decoder: input and recurrent
        weights of the cell; the patch that is written; parameters of the writing grid.
    intercepts_ : list of ndarray of shape (n_above,)
        Biases of the same layers; for recurrent weights, the initial state of the cell.

    See Also
    --------
    VAE : Variational autoencoder without recurrence.
    VRNN : Recurrent variational model of sequences.

    Notes
    -----
    A default fit to scikit-learn's digits takes about 8 s of one core, 14 times as long
    as ``MLPClassifier``. Each update passes through several steps of a recurrent net,
    one after the other. A :class:`VAE` takes a fifth of the time.

    References
    ----------
    .. [1] Gregor, Danihelka, Graves, Rezende and Wierstra (2015). DRAW: a recurrent
       neural network for image generation. ICML.
    .. [2] Burda, Grosse and Salakhutdinov (2016). Importance weighted autoencoders.
       ICLR.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import DRAW
    >>> X = load_digits().data
    >>> draw = DRAW(n_glimpses=4, n_recurrent=32, n_iter=3, random_state=0).fit(X)
    >>> draw.sample(3, random_state=0).shape
    (3, 64)
    >>> draw.paint(3, random_state=0).shape  # the canvas after each step
    (3, 4, 64)
    """

    n_glimpses: Count = 4
    n_components: Count = 8
    n_recurrent: Count = 64
    _: KW_ONLY
    cell: Literal["lstm", "gru", "tanh"] = "lstm"
    read_size: Count | None = 5
    write_size: Count | None = 5
    image_shape: tuple | list | None = None
    objective: Bound = "elbo"
    column_types: Annotated[
        Literal["auto", "bernoulli", "gaussian"] | Columns, LatentDetails
    ] = "auto"
    learning_rate = 0.01
    n_draws = 20

    _MODEL, _BUDGET, _IMAGES = DrawModel(), Budget(600, 10, 60), True
    _REVIVE = (
        "Set objective__warm_up to some epochs, lower objective__beta, or raise "
        "learning_rate or n_iter."
    )

    def paint(self, n_samples: int = 1, random_state: Seed = None) -> np.ndarray:
        """Paint images from the prior: means of pixels after each step.

        Parameters
        ----------
        n_samples : int, default=1
            Number of images.
        random_state : int, RandomState instance or None, default=None
            The same seed gives the images of :meth:`sample`.

        Returns
        -------
        means : ndarray of shape (n_samples, n_glimpses, n_features)
        """
        return self.density_.canvases(n_samples, random_state)
