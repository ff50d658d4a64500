"""Base class of models of documents: their methods, and parameters as attributes."""

from numbers import Integral, Real

from sklearn.utils import check_random_state
from sklearn.utils.validation import _num_samples, check_is_fitted

from skdgm.base import Estimator
from skdgm.base.frames import filled_in, framed
from skdgm.boltzmann._documents.density import DocumentDensity
from skdgm.boltzmann._documents.objective import DocumentObjective
from skdgm.boltzmann._learning.state import TrainState
from skdgm.data import CountColumns
from skdgm.data.given import given_lengths
from skdgm.energies import Params
from skdgm.optim import check_piecewise
from skdgm.utils.random import MAX_SEED, stream

# Largest number of lengths of training documents that are kept.
_N_LENGTHS = 1000


class DocumentModel(Estimator):
    """Replicated softmax without options and their documentation."""

    _domain, _TRANSIENT = CountColumns(), ("swap_rates_",)

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
            lengths=self.lengths_,
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
        return self.density_.log_Z(given_lengths(lengths))

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
        return self.density_.free_energy(X)

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
            Numbers of words; by default drawn from those of the training documents
            (``lengths_``).
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
        known = {"domain": self._domain, "columns": self._columns, "table": table}
        return DocumentObjective(self._options, table.rows, self._seed, before, **known)

    def _count(self, table, fresh):
        if fresh:
            n = min(_N_LENGTHS, table.n_draws)
            self.lengths_ = self._domain.lengths(table, n)

    def _params(self):
        biases = self.intercept_visible_, self.intercept_hidden_
        return Params(biases, (self.components_.T,))

    def _state(self):
        return TrainState.of(self._params(), self._training)

    def _attributes(self, state):
        state = state.kept()
        (b, a), (W,) = state.params
        # Only chains of documents of their own length are shown.
        found, (words, h) = state.attributes()
        return found | {
            "components_": W.T,
            "intercept_hidden_": a,
            "intercept_visible_": b,
            "chains_": words,
            "h_samples_": h,
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
