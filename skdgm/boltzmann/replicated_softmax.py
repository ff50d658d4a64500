r"""Replicated softmax: a restricted Boltzmann machine of documents.

.. math:: E(x, h) = -b^\top x - x^\top W h - n \, a^\top h, \qquad n = \sum_k x_k

Each of the n words is a softmax unit, and all of them share biases and weights.
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

    for a document x, the counts of the words of a vocabulary, of n words [1]_. Given
    the hidden units each word is drawn from one distribution, :math:`p(k \mid h)
    \propto e^{b_k + W_k h}`, a product of topics, where latent Dirichlet allocation
    takes a mixture; and :math:`p(h_j = 1 \mid x) = \sigma(n a_j + x^\top W_{:j})`,
    the surer the more words there are. Z depends on the length, given which documents
    have probabilities.

    Rows are documents: counts, dense or CSR, which are not converted to a dense table.
    Weights of words in the place of counts, such as tf-idf, are taken as fractions of
    words. Missing values (NaN) are of words that were not looked for: the document
    consists of its other words, from the vocabulary that was looked for.

    Parameters
    ----------
    n_components
        Number of hidden units.
    learning_rate
        Initial learning rate, divided by the mean length of documents + 10, at least
        30, since hidden units sum up their words; ``schedule`` of the solver lowers it.
        The objective is the log-likelihood per word of a document of mean length.
    n_iter
        Number of epochs.
    gradient
        Chains of the negative phase: they start at the documents (contrastive
        divergence, "cd"), or where the last update left them ("pcd"), with lengths
        spread evenly over those of the training documents. These may also exchange
        hidden units with chains of shorter documents, which mix faster ("tempering",
        where the length is the inverse temperature): ``n_temperatures`` is the number
        of lengths, from each chain's own down to one word.
    solver
        Adam, which divides the gradient by its recent size, so that rare words learn as
        fast as frequent ones; or stochastic gradient descent.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        Weights W, transposed: for each hidden unit the words that it makes more
        frequent, or less.
    intercept_hidden_ : ndarray of shape (n_components,)
        Hidden biases a, for each word of a document.
    intercept_visible_ : ndarray of shape (n_features,)
        Biases b of the words.
    chains_ : ndarray of shape (n_chains, n_features)
        Documents of the training chains (with "cd", those at the start).
    swap_rates_ : ndarray of shape (n_temperatures - 1,)
        For "tempering": recent rates of exchanges between neighbouring lengths, from
        the documents' own on.
    lengths_ : ndarray of shape (n_lengths,)
        Lengths of the documents of the first fit, at most 1000 of them, spread evenly:
        those from which :meth:`sample` draws.
    h_samples_ : ndarray of shape (n_chains, n_components)
        Hidden units of the training chains.
    density_kind_ : {"exact", "estimate"}
        Kind of density that :meth:`score_samples` returns: exact with at most 20 hidden
        units.
    loss_curve_ : list of float
        For each epoch the negative log-likelihood of each half of a document given the
        other (by the hidden means given that), in nats per training document.
    validation_curve_ : list of float
        ``loss_curve_`` of held-out rows, with ``early_stopping``.

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
