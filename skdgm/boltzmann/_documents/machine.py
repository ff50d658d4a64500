"""Base class of models of documents: public methods, and the model's structure."""

from types import SimpleNamespace

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import _num_samples, check_is_fitted

from skdgm.base import Estimator, Model
from skdgm.base.frames import as_frame
from skdgm.boltzmann._documents.density import DocumentDensity
from skdgm.boltzmann._documents.objective import DocumentObjective
from skdgm.boltzmann.learning.state import InitialData, TrainState
from skdgm.boltzmann.model_options import DocumentOptions
from skdgm.boltzmann.structure.model import EnergyModel
from skdgm.data import CountColumns
from skdgm.data.given import given_lengths
from skdgm.distributions import Bernoulli, Multinomial
from skdgm.energies import Params, layered
from skdgm.typing import ArrayLike, ArrayOrFrame, Data, Seed
from skdgm.utils.random import MAX_SEED, stream

# Largest number of lengths of training documents that are kept.
_N_LENGTHS = 1000


class Documents(Model[DocumentOptions]):
    """Word counts under one hidden layer, whose biases are multiplied by document
    lengths."""

    check = EnergyModel.check

    def structure(self, facts):
        return SimpleNamespace(n_components=facts.options.n_components)

    def density(self, facts, state):
        return DocumentDensity(
            facts.context,
            params=state.params,
            chains=state.attributes()[1],
            lengths=facts.known.lengths_,
            log_Z=facts.known.log_partition,
        )

    def objective(self, facts, table, epochs_before):
        share = facts.domain.share(facts.columns)
        units = [Multinomial(len(share))], [Bernoulli(facts.structure.n_components)]
        initial_data = InitialData(
            missing_values=share,
            moments=(share, None),
            nonzero_share=0.0,
            means=(share, None),
            known=(facts.domain, facts.columns),
            table=table,
        )
        run = facts.run(table, epochs_before)
        return DocumentObjective(run, energy=layered(units), initial_data=initial_data)

    def attributes(self, facts, state):
        state = state.kept()
        (b, a), (W,) = state.params
        # Only chains at their full length, not their tempered replicas.
        attributes, (v, h) = state.attributes()
        return attributes | {
            "components_": W.T,
            "intercept_hidden_": a,
            "intercept_visible_": b,
            "chains_": v,
            "h_samples_": h,
        }

    def state(self, facts, attributes):
        biases = attributes["intercept_visible_"], attributes["intercept_hidden_"]
        params = Params(biases, (attributes["components_"].T,))
        return TrainState.of(params, attributes)


class DocumentModel(Estimator):
    r"""Replicated softmax without its options.

    Its ``score_samples`` returns log-likelihoods of word counts given their sum:

    .. math:: \log p(x \mid n) = \log \frac{n!}{\prod_k x_k!} + b^\top x + \sum_j
       \log\left(1 + e^{n a_j + x^\top W_{:j}}\right) - \log Z_n

    The probabilities of all documents of the same length sum to 1. For fractions of
    words, Gamma functions replace the factorials. For a document with missing
    entries, log Z is computed from its own vocabulary.
    """

    _domain, _TRANSIENT = CountColumns(), ("swap_rates_",)
    _MODEL, _MODEL_READS = Documents(), ("lengths_", "_log_partition")

    def perplexity(self, X: Data) -> float:
        r"""Perplexity per word, for words in their order.

        .. math:: \exp\left(-\frac{\sum_i \log p(w_i)}{\sum_i n_i}\right), \qquad
           \log p(w_i) = \log p(x_i \mid n_i) - \log \frac{n_i!}{\prod_k x_{ik}!}

        The perplexity is the inverse of the geometric mean of the probabilities of all
        words. The convention is that of scikit-learn's
        :meth:`~sklearn.decomposition.LatentDirichletAllocation.perplexity`, which
        returns an upper bound.

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
            X has no words.
        """
        return self.density_.perplexity(X)

    def log_partition(self, lengths: ArrayLike) -> np.ndarray:
        """Log Z of documents of given lengths, in nats, and standard errors.

        With at most 20 hidden units, Z is a sum over all their states. Otherwise it is
        estimated for all lengths in one run of annealed importance sampling, in which
        the length is the inverse temperature.

        Parameters
        ----------
        lengths : array-like of shape (n_lengths,)
            Nonnegative numbers of words.

        Returns
        -------
        log_Z : ndarray of shape (n_lengths,)
        se : ndarray of shape (n_lengths,)
            Standard errors; 0 if log Z is exact.
        """
        return self.density_.log_Z(given_lengths(lengths))

    def free_energy(self, X: Data) -> np.ndarray:
        r"""Free energy of each document, :math:`-\log \sum_h e^{-E(x, h)}`, in nats.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Documents; NaN where missing.

        Returns
        -------
        free_energy : ndarray of shape (n_samples,)
            Free energies, which include minus the log of the number of word orders.
        """
        return self.density_.free_energy(X)

    def sample(
        self,
        n_samples: int = 1,
        random_state: Seed = None,
        *,
        lengths: float | ArrayLike | None = None,
        init: str | ArrayLike = "chains",
        n_steps: int = 100,
    ) -> ArrayOrFrame:
        """Draw documents from the model by Gibbs sampling.

        Parameters
        ----------
        n_samples : int, default=1
            Number of documents, each from its own chain.
        random_state : int, RandomState instance or None, default=None
            By default, NumPy's global generator, so that documents differ between
            calls.
        lengths : float or array-like of shape (n_samples,), default=None
            Number of words of all documents or of each; by default, lengths are drawn
            from ``lengths_``, the lengths of training documents.
        init : {"chains", "noise"}, default="chains"
            Initial hidden units: the last states of the training chains, in turn, or
            fair coins.
        n_steps : int, default=100
            Number of Gibbs steps.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            A DataFrame if ``fit`` was given one.

        Raises
        ------
        TypeError
            A number is not an integer.
        ValueError
            A number is too low, ``lengths`` has a negative value or another size than
            ``n_samples``, or ``init`` is unknown.
        """
        options = {"lengths": lengths, "init": init, "n_steps": n_steps}
        return as_frame(self, self.density_.sample(n_samples, random_state, **options))

    def gibbs(self, X: Data) -> ArrayOrFrame:
        """Take one step of Gibbs sampling.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Initial documents.

        Returns
        -------
        X_new : ndarray of shape (n_samples, n_features)
            Documents of the same lengths. They differ between calls, because
            ``random_state`` advances.
        """
        check_is_fitted(self)
        if not hasattr(self, "random_state_"):
            self.random_state_ = check_random_state(self.random_state)
        rng = stream(self.random_state_.randint(MAX_SEED))
        return self.density_.step(X, rng.rows(_num_samples(X)))

    def _count(self, table, fresh):
        if fresh:
            n = min(_N_LENGTHS, table.n_draws)
            self.lengths_ = self._domain.lengths(table, n)

    @property
    def _dtype(self):
        return self.components_.dtype.type

    def _n_epochs(self, table):
        return self._options.n_iter

    def _remedy(self):
        return f"Lower learning_rate (now {self._options.learning_rate:g})."
