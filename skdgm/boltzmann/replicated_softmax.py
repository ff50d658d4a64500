r"""Replicated softmax: a restricted Boltzmann machine of documents.

.. math:: E(x, h) = -b^\top x - x^\top W h - n \, a^\top h, \qquad n = \sum_k x_k

Each of the n words is a softmax unit. All words share biases and weights.
"""

from typing import Annotated, Literal

from skdgm.base.common_options import FitOptions
from skdgm.base.options import KW_ONLY, Count, CountOrZero
from skdgm.boltzmann._documents.machine import DocumentModel
from skdgm.boltzmann.groups import CD, PCD, Tempering
from skdgm.boltzmann.options import ChainDetails, MachineSolver, NormDetails, Penalties


class ReplicatedSoftmax(FitOptions, DocumentModel):
    r"""Replicated softmax, a topic model of documents with binary hidden units.

    .. math::

        p(x, h \mid n) = \frac{n!}{\prod_k x_k!} \, \frac{1}{Z_n} \exp\left(b^\top x +
        x^\top W h + n \, a^\top h\right), \qquad n = \sum_k x_k

    for a document of n words, given by its vector x of word counts [1]_. Given the
    hidden units, all words are drawn from the same distribution :math:`p(k \mid h)
    \propto e^{b_k + W_k h}`, which is a product of topics, whereas latent Dirichlet
    allocation uses a mixture of topics. The posterior of a hidden unit is
    :math:`p(h_j = 1 \mid x) = \sigma(n a_j + x^\top W_{:j})`. Since Z depends on the
    length n, likelihoods are conditional on n.

    Rows are word counts of documents, dense or CSR; sparse matrices are not densified.
    Word weights such as tf-idf count as fractions of words. NaN means that a document
    was not searched for a word, which is then excluded from the vocabulary of this row.

    Parameters
    ----------
    n_components
        Number of hidden units.
    learning_rate
        Initial learning rate, which the ``schedule`` of the solver lowers. It is
        divided by the mean length of documents plus 10, or by 30 if this is more,
        because the inputs of hidden units are sums over words. The objective is the
        log-likelihood of a document divided by the mean length.
    n_iter
        Number of epochs.
    gradient
        Sampler of the negative phase: contrastive divergence ("cd"), whose chains start
        at the documents; or persistent contrastive divergence ("pcd"), with chain
        lengths spread evenly over the lengths of training documents. In "tempering",
        persistent chains also exchange hidden units with chains of shorter documents,
        which mix faster: the length acts as the inverse temperature.
        ``n_temperatures`` is the number of lengths, from the chain's own to one word.
    solver
        Adam, which divides the gradient of each parameter by its recent magnitude, so
        that rare words learn as fast as frequent words; or stochastic gradient descent.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        Weights W, transposed. A positive weight makes a word more frequent if the
        hidden unit is on.
    intercept_hidden_ : ndarray of shape (n_components,)
        Hidden biases a, which are multiplied by the length of a document.
    intercept_visible_ : ndarray of shape (n_features,)
        Biases b of the words.
    chains_ : ndarray of shape (n_chains, n_features)
        Documents of the training chains (with "cd", the initial chains).
    swap_rates_ : ndarray of shape (n_temperatures - 1,)
        For "tempering": recent swap rates between neighboring lengths, starting at
        the documents' own lengths.
    lengths_ : ndarray of shape (n_lengths,)
        Evenly spread lengths of documents of the first fit, at most 1000, from which
        :meth:`sample` draws.
    h_samples_ : ndarray of shape (n_chains, n_components)
        Hidden units of the training chains.
    density_kind_ : {"exact", "estimate"}
        Kind of density that :meth:`score_samples` returns: exact with at most 20 hidden
        units.
    loss_curve_ : list of float
        Negative log-likelihood of each half of a training document given the hidden
        means inferred from the other half, for each epoch, in nats per document.
    validation_curve_ : list of float
        ``loss_curve_`` of held-out rows, with ``early_stopping``.

    See Also
    --------
    RBM : Machine with units of any kind.
    sklearn.decomposition.LatentDirichletAllocation : Topic model with one topic for
        each word.

    References
    ----------
    .. [1] Salakhutdinov and Hinton (2009). Replicated softmax: an undirected topic
       model. NeurIPS.

    Examples
    --------
    >>> import numpy as np
    >>> from skdgm import ReplicatedSoftmax
    >>> topics = np.repeat(np.eye(2), 5, axis=1) + 0.1
    >>> topics /= topics.sum(axis=1, keepdims=True)
    >>> rng = np.random.default_rng(0)
    >>> X = np.array([rng.multinomial(20, topics[i % 2]) for i in range(200)])
    >>> model = ReplicatedSoftmax(2, random_state=0).fit(X)
    >>> model.density_kind_
    'exact'
    >>> bool(model.perplexity(X) < 7.5)
    True
    """

    n_components: Count = 50
    _: KW_ONLY
    n_iter: CountOrZero = 50
    gradient: Annotated[
        Literal["pcd", "cd", "tempering"] | PCD | CD | Tempering, ChainDetails
    ] = "tempering"
    solver: MachineSolver = "adam"
    penalty: Annotated[Penalties, NormDetails] = None
    learning_rate = 0.5
    batch_size = 20
    n_chains = 20
    n_iter_no_change = 5
    momentum = 0.5
