"""Base class of the autoregressive estimators."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdgm.autoregressive._chains import Chains
from skdgm.autoregressive._density import ChainDensity, ChainObjective
from skdgm.autoregressive._options import MIXTURE
from skdgm.base.frames import beside, filled_in, framed
from skdgm.data import (
    check_pattern,
    column_types_of,
    columns_as_asked,
    has_grey,
    names_of,
)
from skdgm.distributions import MixedOutput, standard_mixture
from skdgm.nets import NetEstimator
from skdgm.nets.estimator import check_cost
from skdgm.utils.orders import check_ordering, orders


class AutoregressiveModel(NetEstimator):
    """Base class of estimators with a chain for each order of the columns.

    A subclass has

    - ``_net(structure, n_columns, number)``, the arguments of the chain of a number
      after the first three; ``_CHAIN``, the class of the chains;
    - ``_FIXED``, the names of options that cannot change while training continues;
      ``_NUMBER``, the name of the option that sets the number of orders; ``_SHARED``,
      True if chains share their parameters,
    - ``_LIGHTER``, advice on how to need less memory, a clause.
    """

    _NUMBER, _SHARED = "n_orderings", False

    def transform(self, X):
        """Compute the hidden units of each row, given the whole row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN is a missing value. Missing entries have no influence on the hidden
            units; nor have categories in a DataFrame that were not seen in ``fit``,
            which are taken as missing.

        Returns
        -------
        H : ndarray of shape (n_samples, n_hidden)
            Units of the last hidden layer; with several nets, those of all of them side
            by side. A model without hidden units returns the expected value of each
            column given those before it.

        Warns
        -----
        MissingDataWarning
            Categories in a DataFrame were not seen in ``fit``.
        """
        return self.density_.features(X)

    @property
    def column_types_(self):
        """How each column is read, by its name or number; see ``column_types``."""
        return column_types_of(self)

    @property
    def density_kind_(self):
        """Density kind of ``score_samples``: "exact", or "estimate".

        It is an estimate where the mean over all orders of the columns is estimated
        from several, and after training on grey rows, whose scores are no
        log-likelihoods.
        """
        return self.density_.kind

    def score_samples(self, X):
        r"""Log-likelihood of each row, in nats.

        .. math:: \log \frac1K \sum_{k=1}^K \prod_t
            p(x_{o_{kt}} \mid x_{o_{k1}}, \dots, x_{o_{k,t-1}})

        for the K orders of the columns: see ``density_kind_``.

        Scores of grey rows, with values strictly between 0 and 1 in "bernoulli"
        columns, are neither log-likelihoods nor bounds on one, and do not compare with
        other models: each value counts as a fraction of a 1, given the grey values
        before it, which a net reads as numbers.
        :func:`~skdgm.metrics.average_over_draws` gives the mean log-likelihood of bits
        drawn with these probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN is a missing value: the likelihood is that of the observed entries. A
            category in a DataFrame that was not seen in ``fit`` has the probability of
            all unseen categories together: as if each of the K known categories, and
            one other, had been seen once more, 1 / (n + K + 1) after n rows.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,), float64

        Warns
        -----
        DataRangeWarning
            Rows are grey.
        """
        return self.density_.log_prob(X)

    def score_features(self, X):
        r"""Log-likelihood of each entry given those before it, in nats.

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

    def sample(self, n_samples=1, random_state=None, *, conditions=None):
        r"""Draw rows from the model, exactly: each column given those before it.

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
            end, or an Interval of pandas. All draws keep to them. Those of an
            orderless net are exact for a single condition; else rows are chosen by
            weight among draws of which at least twice as many count, effectively, as
            rows are asked for: a condition of probability p may take 2 / p for each.

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
        found = self.density_.sample(n_samples, random_state, conditions, names)
        return framed(self, found)

    def impute(self, X, *, method="mean", random_state=None):
        """Fill missing entries, given the others of their row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        method : {"mean", "mode", "sample"}, default="mean"
            "mean" returns means (of bits probabilities; of categories, and of bits in a
            DataFrame, the most probable value). "mode" returns the most probable
            values, among several draws or column after column. Both are the same at
            each call; "sample" returns draws.
        random_state : int, RandomState instance or None, default=None
            For "sample".

        Returns
        -------
        X_filled : ndarray of shape (n_samples, n_features)
            Entries that are not missing are unchanged. A DataFrame with its index if X
            and what the model was fitted to are such; with ``column_types="mixed"``
            also if X is an array.
        """
        return filled_in(self, X, self.density_.fill(X, method, random_state))

    def conditional_sample(self, X, *, n_samples=1, random_state=None):
        """Draw missing entries several times, given the others of their row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features)
            NaN where missing.
        n_samples : int, default=1
            Draws for each row.
        random_state : int, RandomState instance or None, default=None
            By default NumPy's global generator: other rows at each call.

        Returns
        -------
        X_drawn : ndarray of shape (n_rows * n_samples, n_features)
            All draws for the first row come first. A DataFrame with its index, each
            label ``n_samples`` times, if X and what the model was fitted to are such;
            with ``column_types="mixed"`` also if X is an array.
        """
        drawn = self.density_.fill(X, "sample", random_state, n_samples)
        return filled_in(self, X, drawn)

    @property
    def density_(self):
        """Density of the rows, a :class:`ChainDensity`."""
        check_is_fitted(self)
        parts = self._model(self._learned), self._training.learned, self._grey
        given = self._name, self._reader, self._domain, self._columns, self._seed
        if getattr(self._columns, "gaps", None) is None:
            return ChainDensity(*given, *parts)
        return ChainDensity(*given, *parts, self._model(self._learned, present=True))

    def _objective(self, table, before, kind=ChainObjective):
        independent = self._domain.loss_of_independent(self._columns)
        given = self._options, table.rows, self._seed, before, independent
        return kind(self._model(self._structure), *given)

    def _model(self, structure, present=False):
        """Chains of a structure for the columns, one for each order; those of which no
        draw is missing, if ``present``."""
        conditionals, start = self._conditionals(structure, present)
        n_columns, kind = len(conditionals.kinds), self._chain(structure)
        number = structure[self._NUMBER]
        members = [
            kind(conditionals, start, order, *self._net(structure, n_columns, k))
            for k, order in enumerate(
                orders(structure["ordering"], number, n_columns, self._seed)
            )
        ]
        return Chains(conditionals, members, self._now("n_draws"), self._SHARED)

    def _chain(self, structure):
        """Class of the chains of a structure."""
        return self._CHAIN

    def _nets(self, structure, conditionals):
        """Number of weights of a net, number of nets, and whether they share these."""
        n_weights = self._chain(structure).n_weights(
            int(conditionals.n_inputs.sum()),
            int(conditionals.n_outputs.sum()),
            *self._net(structure, len(conditionals.kinds), 0),
        )
        return n_weights, structure[self._NUMBER], self._SHARED

    @property
    def _structure(self):
        """Options that cannot change while training continues."""
        names = *self._FIXED, "column_types", *MIXTURE, "ordering", self._NUMBER
        return {name: getattr(self._options, name) for name in names}

    def _conditionals(self, structure, present=False):
        """Conditionals of the columns, and initial outputs for their frequencies."""
        columns = self._columns
        plain = np.full(len(columns.seen), structure["column_types"])
        mixture = standard_mixture(*(structure[name] for name in MIXTURE))
        kinds = getattr(columns, "kinds", plain)
        facts = (getattr(columns, name, None) for name in ("scales", "gaps"))
        found = MixedOutput(kinds, columns.sizes, mixture, *facts, present)
        return found, found.start(self._domain.share(columns))

    @property
    def _domain(self):
        return columns_as_asked(self._options)

    def _check_options(self):
        check_ordering(self._options.ordering)
        check_pattern(self._options)

    def _label(self, rows, y, fresh, classes):
        # Raise before anything learned earlier is lost.
        check_ordering(self._options.ordering, rows.shape[1])
        return super()._label(rows, y, fresh, classes)

    def _count(self, table, fresh):
        grey = has_grey(table.rows, self._domain.bits(self._columns))
        self._grey = grey or (not fresh and self._grey)

    def _check_cost(self, table, n_epochs):
        structure, rows, n = self._structure, table.rows, len(table.index)
        conditionals, _ = self._conditionals(structure)
        codec = getattr(self._columns, "codec", None)
        names = codec.names if codec else range(rows.shape[1])
        n_weights, n_nets, shared = self._nets(structure, conditionals)
        check_cost(
            self,
            conditionals.n_inputs,
            getattr(self, "feature_names_in_", names),
            n_weights,
            n_nets=n_nets,
            shared=shared,
            batch=min(n, self._options.batch_size),
            n_rows=n * n_epochs,
            item=np.dtype(rows.dtype).itemsize,
        )

    @property
    def _n_features_out(self):
        return self.density_.model.n_features
