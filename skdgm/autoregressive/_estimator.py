"""Base class of the autoregressive estimators."""

from typing import Literal

import numpy as np

from skdgm.base.frames import beside, conditional_sample, framed
from skdgm.base.options import KW_ONLY
from skdgm.data import names_of
from skdgm.nets import NetEstimator
from skdgm.nets.estimator import TrainingSize, check_cost
from skdgm.typing import ArrayOrFrame, Data, Seed
from skdgm.utils.orders import check_ordering


class AutoregressiveEstimator(NetEstimator):
    """Base class of estimators of each column conditional on the columns before it.

    A subclass has options, a model of :mod:`skdgm.autoregressive.model`, and
    ``_LIGHTER``, advice on saving memory, a clause.

    Parameters
    ----------
    n_orderings
        Number of nets, each with its own order; all but the first order are random. The
        density is the mean of theirs.
    activation
        Activation function of hidden units.
    n_iter
        Number of epochs; "auto": 3,500 updates, but between 20 and 100 epochs.
    early_stopping
        If True, hold out rows, stop when their ``validation_curve_`` no longer falls,
        and keep the parameters with which it was lowest; "auto": where ``n_iter`` is
        "auto" and columns are not all bits, as densities of numbers overfit without
        limit.
    random_state : int, RandomState instance or None
        Seed of initial weights, order of rows, random orders of columns and draws.

    Attributes
    ----------
    intercepts_ : list of ndarray
        Biases of the same layers.
    density_kind_ : str
        Kind of :meth:`score_samples`: "exact", or with several orders or masks an
        "estimate" of the mean over all of them (in either case a normalised density).
        Scores of rows with missing entries are estimates by particles. Also "estimate"
        after training on grey rows, with values strictly between 0 and 1 in "bernoulli"
        columns: scores of such rows are no log-likelihoods, and
        :func:`~skdgm.metrics.average_over_draws` gives the mean over draws of their
        bits. Scores of binary rows remain as above.
    loss_curve_ : list of float
        Negative log-likelihood of some training rows after each epoch, in nats per row,
        with real columns standardised.
    """

    _: KW_ONLY
    average = True
    early_stopping: bool | Literal["auto"] = "auto"

    _KNOWN, _LEVELS_APART = ("_grey",), True

    def score_features(self, X: Data) -> np.ndarray:
        r"""Log-likelihood of each entry given the entries before it, in nats.

        .. math:: \frac1K \sum_{k=1}^K \log p(x_j \mid x_i: i \text{ before } j
            \text{ in order } k)

        Low values show which columns are improbable. With one order their sum is
        :meth:`score_samples`, with several at most that.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN is a missing value, whose log-likelihood is 0.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples, n_features), float64
            A DataFrame with its index and columns if X and what the model was fitted to
            are such.

        Warns
        -----
        DataRangeWarning
            Rows are grey; see :meth:`score_samples`.
        """
        return beside(self, X, self.density_.log_prob_of_entries(X))

    def sample(
        self,
        n_samples: int = 1,
        random_state: Seed = None,
        *,
        conditions: dict | None = None,
    ) -> ArrayOrFrame:
        r"""Draw exact rows from the model, each column given the columns before it.

        .. math:: x \sim p(x \mid x_j \in S_j, \, j \in C)

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            By default NumPy's global generator: other rows at each call.
        conditions : dict, default=None
            Conditions by the name, or number, of a column: a value; a list, set or
            array of values; or a range, as ``slice(low, high)`` with None for an open
            end, or an Interval of pandas. All draws satisfy them. Draws of an orderless
            net are exact for a single condition; else rows are chosen by weight among
            draws, of which at least twice as many are effective as rows are requested:
            a condition of probability p may take 2 / p draws for each row.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            A DataFrame if ``fit`` was given one.

        Raises
        ------
        ValueError
            A condition names no column, or has no probability.

        Warns
        -----
        FewDrawsWarning
            The conditions are so improbable that few draws count.
        """
        names = names_of(self)
        found = self.density_.sample(
            n_samples, random_state, conditions=conditions, names=names
        )
        return framed(self, found)

    conditional_sample = conditional_sample

    @staticmethod
    def _learns_by_heart(options):
        return options.column_types != "bernoulli"

    def _label(self, rows, y, fresh, classes):
        # Raise before learned attributes are lost.
        check_ordering(self._options.ordering, rows.shape[1])
        return super()._label(rows, y, fresh, classes)

    def _count(self, table, fresh):
        super()._count(table, fresh)
        self._note_grey(table, fresh)

    def _check_cost(self, table, n_epochs):
        facts, rows, n = self._facts(), table.rows, len(table.index)
        conditionals, _ = self._MODEL.conditionals(facts)
        codec = getattr(self._columns, "codec", None)
        names = codec.names if codec else range(rows.shape[1])
        n_weights, n_nets, shared = self._MODEL.n_weights(facts, conditionals)
        check_cost(
            self._name,
            conditionals.n_inputs,
            getattr(self, "feature_names_in_", names),
            TrainingSize(
                n_weights=n_weights,
                n_nets=n_nets,
                shared=shared,
                batch=min(n, self._options.batch_size),
                n_rows=n * n_epochs,
                item=np.dtype(rows.dtype).itemsize,
            ),
            self._LIGHTER,
        )
