r"""Replicated softmax: a restricted Boltzmann machine of documents.

.. math:: E(x, h) = -b^\top x - x^\top W h - n \, a^\top h, \qquad n = \sum_k x_k

Each of the n words is a softmax unit, and all of them share biases and weights.
"""

from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import _num_samples, check_is_fitted

from skdgm.base import Estimator
from skdgm.base.frames import filled_in, framed
from skdgm.boltzmann._document_density import DocumentDensity, lengths_as_asked
from skdgm.boltzmann._document_objective import DocumentObjective
from skdgm.boltzmann._options import MACHINE
from skdgm.boltzmann._state import TrainState, formed
from skdgm.data import CountColumns
from skdgm.energies import Params, plain
from skdgm.optim import check_piecewise
from skdgm.utils.random import MAX_SEED, stream

_COUNTS = CountColumns()
_LEFT_OUT = "centering", "fast_learning_rate", "init_biases", "resample"
_LEFT_OUT += "sparsity_cost", "sparsity_target"


class ReplicatedSoftmax(Estimator):
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
        Initial learning rate, divided by the mean length of documents + 10, since
        hidden units sum up their words; see ``schedule``. The objective is the
        log-likelihood per word of a document of mean length.
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
    schedule : {"constant", "invscaling", "linear"}, default="linear"
        The learning rate after t of T epochs is ``learning_rate`` times 1,
        ``1 / (1 + t) ** power_t`` or ``1 - t / T``.
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

    _domain = _COUNTS
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

    @property
    def density_(self):
        """Density of documents: the parameters, and what can be asked of them."""
        check_is_fitted(self)
        return DocumentDensity(
            type(self).__name__,
            self._reader,
            self._domain,
            self._columns,
            self._seed,
            params=self._params(),
            chains=(self.chains_, self.h_samples_),
            log_Zs=self._log_Zs,
        )

    @property
    def density_kind_(self):
        """Kind of density that :meth:`score_samples` returns: "exact" or "estimate"."""
        return self.density_.kind

    def transform(self, X):
        r"""Means of the hidden units, :math:`p(h_j = 1 \mid x)`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Documents; NaN where missing.

        Returns
        -------
        H : ndarray of shape (n_samples, n_components)
            0.5 for documents without words.
        """
        return self.density_.features(X)

    def score_samples(self, X):
        r"""Log-likelihood of the counts of each document given its length, in nats.

        .. math:: \log p(x \mid n) = \log \frac{n!}{\prod_k x_k!} + b^\top x + \sum_j
           \log\left(1 + e^{n a_j + x^\top W_{:j}}\right) - \log Z_n

        It is that of counts, of which those of all documents of a length sum to 1, not
        that of words in an order: see :meth:`perplexity`. A document without words has
        the log-likelihood 0. Fractions of words have Gamma functions in the place of
        factorials. Log Z is as :meth:`log_partition` computes it; that of a document
        with missing entries is computed for its vocabulary alone.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Documents; NaN where missing.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,)
        """
        return self.density_.log_prob(X)

    def perplexity(self, X):
        r"""Perplexity per word, of words in their order.

        .. math:: \exp\left(-\frac{\sum_i \log p(w_i)}{\sum_i n_i}\right), \qquad
           \log p(w_i) = \log p(x_i \mid n_i) - \log \frac{n_i!}{\prod_k x_{ik}!}

        the inverse of the geometric mean of the probabilities of all words, with the
        convention of scikit-learn's
        :meth:`~sklearn.decomposition.LatentDirichletAllocation.perplexity` (which is an
        upper bound).

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Documents; NaN where missing.

        Returns
        -------
        perplexity : float

        Raises
        ------
        ValueError
            There is not one word.
        """
        return self.density_.perplexity(X)

    def log_partition(self, lengths):
        """Log Z of documents of given lengths, in nats, and standard errors.

        It is a sum over all states of the hidden units where these are at most 20.
        Otherwise annealed importance sampling, in which the length is the inverse
        temperature, estimates log Z of all lengths in one run.

        Parameters
        ----------
        lengths : array-like of shape (n_lengths,)
            Numbers of at least 0.

        Returns
        -------
        log_Z : ndarray of shape (n_lengths,)
        se : ndarray of shape (n_lengths,)
            0 where log Z is exact.
        """
        density = self.density_
        return density.log_Z(np.atleast_1d(lengths_as_asked(lengths)))

    def free_energy(self, X):
        r"""Free energy of each document, :math:`-\log \sum_h e^{-E(x, h)}`, in nats.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Documents; NaN where missing.

        Returns
        -------
        free_energy : ndarray of shape (n_samples,)
            Minus the log number of orders of the words is part of it.
        """
        density = self.density_
        return -density.free(density.read(X, dtype=np.float64))

    def sample(
        self,
        n_samples=1,
        random_state=None,
        *,
        lengths=None,
        init="chains",
        n_steps=100,
    ):
        """Draw documents from the model by Gibbs sampling.

        Parameters
        ----------
        n_samples : int, default=1
            Number of documents, each from a chain of its own.
        random_state : int, RandomState instance or None, default=None
            By default NumPy's global generator: other documents at each call.
        lengths : float or array-like of shape (n_samples,), default=None
            Numbers of words; by default those of the training chains, in turn.
        init : {"chains", "noise"}, default="chains"
            Start of the hidden units: the last states of the training chains, in turn,
            or fair coins.
        n_steps : int, default=100
            Number of Gibbs steps.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            A DataFrame if ``fit`` was given one.

        Raises
        ------
        TypeError
            A number is not a whole number.
        ValueError
            A number is too low, ``lengths`` are negative or not one for each document,
            or ``init`` is unknown.
        """
        options = {"lengths": lengths, "init": init, "n_steps": n_steps}
        return framed(self, self.density_.sample(n_samples, random_state, **options))

    def gibbs(self, X):
        """Take one step of Gibbs sampling.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Documents to start from.

        Returns
        -------
        X_new : ndarray of shape (n_samples, n_features)
            Documents of the same lengths; different ones at each call, since
            ``random_state`` advances.
        """
        check_is_fitted(self)
        if not hasattr(self, "random_state_"):
            self.random_state_ = check_random_state(self.random_state)
        rng = stream(self.random_state_.randint(MAX_SEED))
        return self.density_.step(X, rng.rows(_num_samples(X)))

    def impute(self, X, *, method="mean", random_state=None):
        """Fill missing entries, given the other words of their document.

        A word is expected as often as its probability given the hidden units says,
        relative to that of the words which were looked for.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        method : {"mean", "sample"}, default="mean"
            Expected counts, the same at each call, or counts drawn at random.
        random_state : int, RandomState instance or None, default=None
            For "sample".

        Returns
        -------
        X_filled : ndarray of shape (n_samples, n_features)
            Observed entries are unchanged. A DataFrame with its index if X and what the
            model was fitted to are such.

        Raises
        ------
        ValueError
            ``method`` is unknown.
        """
        filled = self.density_.fill(X, method, random_state)
        return filled_in(self, X, filled)

    def _objective(self, table, before):
        domain, columns = self._domain, self._columns
        return DocumentObjective(
            self._options,
            table.rows,
            self._seed,
            before,
            share=domain.share(columns),
            length=domain.length(columns),
            independent=domain.loss_of_independent(columns),
            table=table,
        )

    def _params(self):
        biases = self.intercept_visible_, self.intercept_hidden_
        return Params(biases, (self.components_.T,))

    def _state(self):
        return TrainState(self._params(), *self._training)

    def _attributes(self, state):
        state = formed(state._replace(near=()), plain)
        (b, a), (W,) = state.params
        return {
            "components_": W.T,
            "intercept_hidden_": a,
            "intercept_visible_": b,
            "chains_": state.chains[0],
            "h_samples_": state.chains[1],
            "_training": state[1:],
            "_log_Zs": {},
        }

    @property
    def _dtype(self):
        return self.components_.dtype.type

    @property
    def _n_features_out(self):
        return self.components_.shape[0]

    def _n_epochs(self, table):
        return self._options.n_iter

    def _check_options(self):
        check_piecewise("n_steps", self._options.n_steps, Integral, 1)
        check_piecewise("momentum", self._options.momentum, Real, 0, 1)

    def _check_unchanged(self):
        asked, learned = self._options.n_components, self._n_features_out
        if asked != learned:
            raise ValueError(
                f"n_components={asked}, but {learned} units were learned before: keep "
                "their number, or fit with warm_start=False."
            )

    def _remedy(self):
        return f"Lower learning_rate (now {self._options.learning_rate:g})."
