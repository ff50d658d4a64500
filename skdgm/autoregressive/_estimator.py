"""Base class of autoregressive estimators."""

from typing import Literal

import numpy as np

from skdgm.base.frames import as_frame, conditional_sample, in_format_of
from skdgm.base.options import KW_ONLY
from skdgm.data import names_of
from skdgm.nets import NetEstimator
from skdgm.nets.estimator import TrainingSize, check_cost
from skdgm.typing import ArrayOrFrame, Data, Seed
from skdgm.utils.orders import check_ordering


class AutoregressiveEstimator(NetEstimator):
    """Base class of estimators of each column conditional on the previous columns.

    A subclass adds options, a model of :mod:`skdgm.autoregressive.model`, and
    ``_LIGHTER``, a clause with advice on saving memory.

    Parameters
    ----------
    n_orderings
        Number of nets, each with its own order; all but the first order are random. The
        density is the mean of their densities.
    activation
        Activation function of hidden units.
    n_iter
        Number of epochs; "auto": the number for 3,500 updates, between 20 and 100.
    early_stopping
        If True, hold out rows, stop when ``validation_curve_`` no longer decreases, and
        keep the parameters at its minimum. "auto": True if ``n_iter`` is "auto".
    random_state : int, RandomState instance or None
        Seed of initial weights, order of rows, random orders of columns, and draws.

    Attributes
    ----------
    intercepts_ : list of ndarray
        Biases of all layers.
    density_kind_ : str
        Kind of :meth:`score_samples`: "exact"; or "estimate" with several orders or
        masks, as an estimate of the mean over all of them, which is still a normalized
        density. Scores of rows with missing entries are particle estimates. The kind is
        also "estimate" after training on gray rows, with values strictly between 0 and
        1 in "bernoulli" columns. Scores of gray rows are not log-likelihoods;
        :func:`~skdgm.metrics.average_over_draws` returns their mean over draws of bits.
        Scores of binary rows are not affected.
    loss_curve_ : list of float
        Negative log-likelihood of a sample of training rows after each epoch, in nats
        per row of standardized columns.
    """

    _: KW_ONLY
    average = True
    early_stopping: bool | Literal["auto"] = "auto"

    _MODEL_READS, _SEPARATE_LEVELS = ("_gray",), True

    def score_features(self, X: Data) -> np.ndarray:
        r"""Log-likelihood of each entry given the previous entries, in nats.

        .. math:: \frac1K \sum_{k=1}^K \log p(x_j \mid x_i: i \text{ before } j
            \text{ in order } k)

        Low values show which columns are improbable. Their sum is :meth:`score_samples`
        with one order, and at most that with several orders.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN marks a missing value, whose log-likelihood is 0.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples, n_features), float64
            A DataFrame with the index and columns of X if X and the training data are
            DataFrames.

        Warns
        -----
        DataRangeWarning
            Rows are gray; see :meth:`score_samples`.
        """
        return in_format_of(self, X, self.density_.log_prob_of_entries(X))

    def sample(
        self,
        n_samples: int = 1,
        random_state: Seed = None,
        *,
        conditions: dict | None = None,
    ) -> ArrayOrFrame:
        r"""Draw exact samples from the model, each column given the previous columns.

        .. math:: x \sim p(x \mid x_j \in S_j, \, j \in C)

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            By default NumPy's global generator, so that each call returns new rows.
        conditions : dict, default=None
            Conditions by the name or number of a column: a value; a list, set or array
            of values; or a range, as ``slice(low, high)`` with None for an open end, or
            as a pandas Interval. All rows satisfy them. Draws of an orderless net are
            exact for a single condition. Otherwise, rows are chosen by weight among
            draws, whose effective number is at least twice the number of rows: a
            condition of probability p can need 2 / p draws per row.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            A DataFrame if the model was fitted to one.

        Raises
        ------
        ValueError
            A condition names an unknown column, or has probability 0.

        Warns
        -----
        FewDrawsWarning
            Few draws have large weights, because the conditions are improbable.
        """
        names = names_of(self)
        drawn = self.density_.sample(
            n_samples, random_state, conditions=conditions, names=names
        )
        return as_frame(self, drawn)

    conditional_sample = conditional_sample

    def _label(self, rows, y, fresh, classes):
        # Raise before fitted attributes are lost.
        check_ordering(self._options.ordering, rows.shape[1])
        return super()._label(rows, y, fresh, classes)

    def _count(self, table, fresh):
        super()._count(table, fresh)
        self._note_gray(table, fresh)

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
