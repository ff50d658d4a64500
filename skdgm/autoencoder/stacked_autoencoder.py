r"""Stacks of autoencoders, trained layer by layer.

.. math:: h^k = f^k(h^{k-1}), \qquad h^0 = x
"""

from skdgm.autoencoder._stack import AutoencoderNetModel, AutoencoderStackModel
from skdgm.autoencoder._stack_options import StackStructure, StackTraining
from skdgm.base.options import declared_by
from skdgm.stacks import StackedNetwork


class StackedAutoencoder(StackStructure, StackTraining, StackedNetwork):
    r"""Stack of autoencoders, each of which reconstructs the codes of the layer below.

    .. math:: h^k = f^k(h^{k-1}), \qquad h^0 = x, \qquad
        \max \; \mathbb{E}[\log p(h^{k-1}; g^k(f^k(\tilde h^{k-1})))]

    Layers are trained greedily from the bottom up [1]_. Each is a
    :class:`DenoisingAutoencoder`, which reconstructs codes from corrupted codes [2]_,
    or another autoencoder. Reconstructions pass up through all layers and down again,
    and so do the chains of :meth:`sample` and :meth:`impute`. ``score_samples`` is the
    log-likelihood of rows given their reconstructions, not a density of rows. NaN is a
    missing value in every method. Computations are in float64 for float64 data,
    otherwise in float32.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_below, n_above)
        Weights of the encoder of each layer; they apply to standardized values of real
        columns and codes.
    intercepts_ : list of ndarray of shape (n_above,)
        Biases of the same layers.
    density_kind_ : str
        Kind of :meth:`score_samples`: "reconstruction", which is not a density.

    See Also
    --------
    DBN : Stack of restricted Boltzmann machines, with a density.
    StackedAutoencoderClassifier : Stack fine-tuned as a classifier.
    StackedAutoencoderRegressor : Stack fine-tuned as a regressor.

    References
    ----------
    .. [1] Bengio, Lamblin, Popovici and Larochelle (2007). Greedy layer-wise training
       of deep networks. NeurIPS.
    .. [2] Vincent, Larochelle, Lajoie, Bengio and Manzagol (2010). Stacked denoising
       autoencoders. JMLR.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import StackedAutoencoder
    >>> X = load_digits().data
    >>> stack = StackedAutoencoder((64, 16), n_iter=5, random_state=0).fit(X)
    >>> [H.shape for H in stack.transform_layers(X)]
    [(1797, 64), (1797, 16)]
    >>> stack.reconstruction_error(X, by="column").shape
    (1797, 64)
    """

    _MODEL, _STORES_LISTS = AutoencoderStackModel(), False


# Model of nets that are initialized by the encoders of a stack.
NET = AutoencoderNetModel(
    "stack_",
    StackedAutoencoder,
    stack_options=tuple(declared_by(StackStructure)),
    pretraining_options={
        "pretrain_iter": "n_iter",
        "pretrain_learning_rate": "learning_rate",
        "pretrain_batch_size": "batch_size",
    },
)
