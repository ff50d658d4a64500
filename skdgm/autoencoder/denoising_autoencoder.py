r"""Denoising autoencoders: nets that undo corruption, and Markov chains that draw rows.

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
    r"""Denoising autoencoder: a net that reconstructs rows from corrupted rows.

    .. math:: \max \; \mathbb{E}_{\tilde x \sim C(\tilde x \mid x)}
        [\log p(x; g(f(\tilde x)))]

    To undo the corruption, the net must learn the structure of the data distribution,
    even if the code is larger than the row [1]_. Alternating corruption and
    reconstruction is a Markov chain, which draws rows, and imputes missing entries if
    the observed entries are clamped [2]_. With walkback, rows are also reconstructed
    from the states of a few steps of this chain, which teaches chains to return to the
    data. ``score_samples`` is the log-likelihood of rows given their corrupted copies,
    averaged over ``n_draws`` copies: it is the objective, not a density of rows. NaN is
    a missing value in every method. Computations are in float64 for float64 data,
    otherwise in float32.

    Parameters
    ----------
    corruption
        Corruption of each entry. "gaussian" adds normal noise. "masking" hides the
        entry; its input is the mean of the column. "salt-and-pepper" replaces the entry
        by an extreme value: 0 or 1, a random category, or two standard deviations below
        or above the mean.
    corruption_level
        Standard deviation of normal noise in standardized real columns; otherwise the
        probability, at most 1, that an entry is corrupted.
    walkback
        Number of further steps of the chain from which rows are also reconstructed. The
        memory of a minibatch grows in proportion. Chains stay closer to the data, but
        samples are less sharp.
    n_draws
        Number of corrupted copies of each row in :meth:`score_samples`. It may be
        changed after ``fit``.

    See Also
    --------
    GSN : Denoising chain with hidden layers.
    ContractiveAutoencoder : Penalty in place of corruption.
    Diffusion : Denoising at many noise levels.

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
