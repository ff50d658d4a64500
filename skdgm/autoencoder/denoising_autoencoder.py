r"""Denoising autoencoders: nets that undo corruption, and draw rows by chains.

.. math:: \max \; \mathbb{E}_{\tilde x \sim C(\tilde x \mid x)} [\log p(x; g(f(\tilde
   x)))]
"""

from skdgm.autoencoder._corruption import CorruptionKind
from skdgm.autoencoder._reconstruction_estimator import (
    CodeOptions,
    ReconstructionEstimator,
)
from skdgm.base.options import KW_ONLY, Count, CountOrZero, NotNegative
from skdgm.nets.options import Activation


class DenoisingAutoencoder(CodeOptions, ReconstructionEstimator):
    r"""Denoising autoencoder: a net that undoes the corruption of rows.

    .. math:: \max \; \mathbb{E}_{\tilde x \sim C(\tilde x \mid x)}
        [\log p(x; g(f(\tilde x)))]

    To reconstruct rows from corrupted ones, a code of any size has to represent their
    distribution [1]_. Corrupting and reconstructing in turn is a Markov chain, which
    draws rows, and fills missing entries if the others are clamped [2]_. With walkback,
    rows are also reconstructed from the states of a few steps of this chain, so that
    chains which stray are drawn back. ``score_samples`` is the log-likelihood of rows
    given their corrupted copies, an average over ``n_draws`` of these: it is the
    objective, and not a density of the rows. NaN is a missing value, in every method.
    Float64 data are computed in float64, all others in float32.

    Parameters
    ----------
    corruption
        Corruption of each entry: normal noise is added; or the entry is missing, its
        input the column's mean; or it is an extreme value: 0 or 1, one of all
        categories, two standard deviations below or above the mean.
    corruption_level
        Standard deviation of normal noise, of standardised real columns; otherwise the
        probability that an entry is corrupted, of at most 1.
    walkback
        Number of steps of the chain from which rows are reconstructed, too, at once: a
        batch takes as many times more memory. Chains stray less, and rows are less
        sharp.
    n_draws
        Corrupted copies of each row in :meth:`score_samples`. It may be changed after
        ``fit``.

    References
    ----------
    .. [1] Vincent, Larochelle, Lajoie, Bengio and Manzagol (2010). Stacked denoising
       autoencoders. JMLR.
    .. [2] Bengio, Yao, Alain and Vincent (2013). Generalized denoising auto-encoders
       as generative models. NeurIPS.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import DenoisingAutoencoder
    >>> X = load_digits().data
    >>> net = DenoisingAutoencoder(64, n_iter=5, random_state=0).fit(X)
    >>> net.transform(X).shape
    (1797, 64)
    >>> net.sample(3, random_state=0).shape
    (3, 64)
    """

    n_components: Count = 256
    hidden_layer_sizes: Count | tuple = ()
    _: KW_ONLY
    code_activation: Activation = "tanh"
    corruption: CorruptionKind = "masking"
    corruption_level: NotNegative = 0.3
    walkback: CountOrZero = 0
    n_draws: Count = 10
