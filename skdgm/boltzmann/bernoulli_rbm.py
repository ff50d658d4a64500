r"""Restricted Boltzmann machines.

.. math:: E(v, h) = -b^\top v - c^\top h - v^\top W h

W connects a layer of visible units with a layer of hidden units.
"""

from typing import Literal

from skdgm.base.options import KW_ONLY, Count, flat
from skdgm.boltzmann.groups import Phase
from skdgm.boltzmann.learning.sampling_free import OF_BITS
from skdgm.boltzmann.machine import Machine
from skdgm.boltzmann.methods import pseudo_likelihood
from skdgm.boltzmann.options import MachineOptions


class BernoulliRBM(MachineOptions, Machine):
    r"""Restricted Boltzmann machine with binary visible and hidden units.

    .. math::

        p(v, h) = e^{-E(v, h)} / Z, \qquad E(v, h) = -b^\top v - c^\top h - v^\top W h

    Both conditional distributions factorize: :math:`p(h_j = 1 \mid v) =
    \sigma(c_j + v^\top W_{:j})` and :math:`p(v_i = 1 \mid h) = \sigma(b_i + W_{i:} h)`.

    The parameters include those of :class:`sklearn.neural_network.BernoulliRBM`. Data
    are 0, 1 or probabilities of 1 (gray values). All methods accept NaN as a missing
    value. Computations are in float64 for float64 data, otherwise in float32.

    Parameters
    ----------
    n_components
        Number of hidden units.
    gradient
        Sampler of the negative phase: contrastive divergence ("cd" [1]_), whose chains
        start at the data; or persistent contrastive divergence ("pcd" [2]_), whose
        chains continue from the previous update. Persistent chains may also have fast
        weights ("fpcd" [4]_), or exchange states with chains at higher temperatures
        ("tempering" [5]_).
        Other values replace the likelihood by an objective without a negative phase:
        "pseudo-likelihood" or "block-pseudo-likelihood", with random blocks of five
        bits [7]_; "ratio-matching" [8]_; or minimum "probability-flow" [9]_.
        "noise-contrastive" estimation has independent bits as noise and log Z as a
        parameter [10]_. Chains still take a Gibbs step in each update, so that
        :meth:`sample` can start from them.
    resample
        If True, draw bits from gray values (probabilities of 1) at each presentation of
        a row; if False, use the probabilities themselves.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        Weights W, transposed.
    intercept_hidden_ : ndarray of shape (n_components,)
        Hidden biases c.
    intercept_visible_ : ndarray of shape (n_features,)
        Visible biases b.
    learned_log_Z_ : float
        Log Z learned by ``gradient="noise-contrastive"``. :attr:`log_Z_` is an
        independent estimate.
    density_kind_ : {"exact", "estimate"}
        Kind of density that :meth:`score_samples` returns: exact if the smaller layer
        has at most 20 units. Otherwise log Z is estimated by annealed importance
        sampling [3]_.

    See Also
    --------
    sklearn.neural_network.BernoulliRBM : The same model, trained by PCD-1. Its
        ``score_samples`` is a random estimate of the pseudo-likelihood.

    References
    ----------
    .. [1] Hinton (2002). Training products of experts by minimizing contrastive
       divergence. Neural Computation.
    .. [2] Tieleman (2008). Training restricted Boltzmann machines using approximations
       to the likelihood gradient. ICML.
    .. [3] Salakhutdinov and Murray (2008). On the quantitative analysis of deep belief
       networks. ICML.
    .. [4] Tieleman and Hinton (2009). Using fast weights to improve persistent
       contrastive divergence. ICML.
    .. [5] Desjardins, Courville, Bengio, Vincent and Delalleau (2010). Tempered Markov
       chain Monte Carlo for training of restricted Boltzmann machines. AISTATS.
    .. [6] Melchior, Fischer and Wiskott (2016). How to center deep Boltzmann machines.
       JMLR.
    .. [7] Besag (1975). Statistical analysis of non-lattice data. The Statistician.
    .. [8] Hyvärinen (2007). Some extensions of score matching. Computational Statistics
       and Data Analysis.
    .. [9] Sohl-Dickstein, Battaglino and DeWeese (2011). Minimum probability flow
       learning. ICML.
    .. [10] Gutmann and Hyvärinen (2012). Noise-contrastive estimation of unnormalized
       statistical models, with applications to natural image statistics. JMLR.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import BernoulliRBM
    >>> X = load_digits().data / 16
    >>> rbm = BernoulliRBM(n_components=16, random_state=0).fit(X)
    >>> rbm.transform(X).shape
    (1797, 16)
    >>> rbm.density_kind_
    'exact'
    >>> print(f"{rbm.score(X):.0f} nats")
    -24 nats
    """

    n_components: Count = 256
    _: KW_ONLY
    gradient: Literal["pcd", "cd", "fpcd", "tempering", *OF_BITS] | Phase = "pcd"
    schedule = "cooldown"
    resample: bool = flat(default=False)

    pseudo_likelihood = pseudo_likelihood
