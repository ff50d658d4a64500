r"""Replicated softmax: a restricted Boltzmann machine of documents.

.. math:: E(x, h) = -b^\top x - x^\top W h - n \, a^\top h, \qquad n = \sum_k x_k

Each of the n words is a softmax unit, and all of them share biases and weights.
"""

from sklearn.utils._param_validation import StrOptions

from skdgm.boltzmann._documents.machine import DocumentModel
from skdgm.boltzmann._options import MACHINE

_LEFT_OUT = "centering", "fast_learning_rate", "init_biases", "resample"
_LEFT_OUT += "sparsity_cost", "sparsity_target"


class ReplicatedSoftmax(DocumentModel):
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
    consists of its other words, and the vocabulary of what was looked for in it.

    Parameters
    ----------
    n_components : int, default=50
        Number of hidden units.
    learning_rate : float, default=0.5
        Initial learning rate, divided by the mean length of documents + 10, at least
        30, since hidden units sum up their words; see ``schedule``. The objective is
        the log-likelihood per word of a document of mean length.
    batch_size : int, default=20
        Number of documents in each update.
    n_iter : int, default=50
        Number of epochs.
    gradient : {"pcd", "cd", "tempering"}, default="tempering"
        Chains of the negative phase: they start at the documents (contrastive
        divergence, "cd"), or where the last update left them ("pcd"), with lengths
        spread evenly over those of the training documents. These may also exchange
        hidden units with chains of shorter documents, which mix faster ("tempering",
        where the length is the inverse temperature).
    n_steps : int or tuple of int, default=1
        Number of Gibbs steps of these chains in each update. The values of a tuple
        share the epochs evenly, in order.
    n_chains : int or None, default=20
        Number of persistent chains; ``batch_size`` if None.
    n_temperatures : int, default=10
        Number of lengths for "tempering", from each chain's own down to one word.
    solver : {"sgd", "adam"}, default="adam"
        Adam, which divides the gradient by its recent size, so that rare words learn as
        fast as frequent ones; or stochastic gradient descent.
    momentum : float or tuple of float, default=0.5
        Momentum coefficient (for "adam" the first beta). The values of a tuple share
        the epochs evenly, in order.
    schedule : {"constant", "invscaling", "linear", "cooldown"}, default="linear"
        The learning rate after t of T epochs is ``learning_rate`` times 1,
        ``1 / (1 + t) ** power_t``, ``1 - t / T`` or ``min(1, 5 * (1 - t / T))``.
    power_t : float, default=0.5
        Exponent for ``schedule="invscaling"``.
    l1, l2 : float, default=0.0
        Penalties on the weights: l1 times the sum of their absolute values and l2 / 2
        times the sum of their squares are subtracted from the objective.
    max_norm : float or None, default=None
        Maximum norm of the weights of each hidden unit.
    early_stopping : bool, default=False
        If True, hold out documents, stop when their ``loss_curve_`` no longer falls,
        and keep the parameters with which it was lowest.
    validation_fraction : float, default=0.1
        Share of the documents to hold out.
    n_iter_no_change : int, default=5
        Number of epochs without an improvement of ``tol`` before stopping early.
    tol : float, default=1e-3
        Smallest improvement that counts, in nats per document.
    warm_start : bool, default=False
        If True, ``fit`` continues from the learned parameters.
    verbose : int, default=0
        If not 0, print a line for each epoch.
    random_state : int, RandomState instance or None, default=None
        Source of initial weights, the order of documents and draws.

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
        The same for held-out documents, with ``early_stopping``.
    n_iter_ : int
        Number of epochs done.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where X has some.

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

    _parameter_constraints: dict = {
        **{name: own for name, own in MACHINE.items() if name not in _LEFT_OUT},
        "gradient": [StrOptions({"pcd", "cd", "tempering"})],
    }

    def __init__(
        self,
        n_components=50,
        *,
        learning_rate=0.5,
        batch_size=20,
        n_iter=50,
        gradient="tempering",
        n_steps=1,
        n_chains=20,
        n_temperatures=10,
        solver="adam",
        momentum=0.5,
        schedule="linear",
        power_t=0.5,
        l1=0.0,
        l2=0.0,
        max_norm=None,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=5,
        tol=1e-3,
        warm_start=False,
        verbose=0,
        random_state=None,
    ):
        self.n_components = n_components
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.n_iter = n_iter
        self.gradient = gradient
        self.n_steps = n_steps
        self.n_chains = n_chains
        self.n_temperatures = n_temperatures
        self.solver = solver
        self.momentum = momentum
        self.schedule = schedule
        self.power_t = power_t
        self.l1 = l1
        self.l2 = l2
        self.max_norm = max_norm
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.verbose = verbose
        self.random_state = random_state
