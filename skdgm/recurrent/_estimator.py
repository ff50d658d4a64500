"""Base class of estimators of sequences."""

from typing import Literal

import numpy as np

from skdgm.base.attributes import rolled_back
from skdgm.base.fits import mean_score
from skdgm.base.frames import as_frame, filled_in
from skdgm.base.groups import OptionGroup
from skdgm.base.options import KW_ONLY, Auto, Count, within
from skdgm.base.series import (
    Series,
    continued,
    fit_transform,
    in_steps,
    remember_kept,
    with_steps,
)
from skdgm.data.inputs import for_callbacks, original_data
from skdgm.data.sequences import (
    answered,
    as_one_table,
    is_several,
    of_each,
    of_sequences,
    sequences_of,
)
from skdgm.nets import NetEstimator
from skdgm.nets.estimator import TrainingSize, check_cost
from skdgm.nets.options import Initializer
from skdgm.training import Budget
from skdgm.typing import ArrayOrFrame, Data, Filling, Seed, Self, Target, Weight

Cell = Literal["tanh", "gru", "lstm"]


class Sequences(OptionGroup):
    """Lengths of sequences, and of the segments in updates; "auto" is the estimator's
    default.

    Parameters
    ----------
    length : {"auto"}, int or None, default="auto"
        Number of rows of each sequence in tables without ``lengths`` or ``groups``.
        None: such a table is a single sequence; 1: its rows are independent.
    batch_length : {"auto"}, int or None, default="auto"
        Number of steps in truncated back-propagation through time; None for whole
        sequences. Hidden states are carried from one update to the next, so that long
        series need no more memory.

    See Also
    --------
    skdgm.RNNRBM : Model that takes the option.
    skdgm.VRNN : Model that takes the option.

    Examples
    --------
    >>> from skdgm import RNNNADE
    >>> from skdgm.options import Sequences
    >>> RNNNADE(sequences=Sequences(length=24))
    RNNNADE(sequences=Sequences(length=24))
    """

    FLAT_NAMES = {"length": "sequence_length"}

    length: Count | Auto | None = "auto"
    _: KW_ONLY
    batch_length: Count | Auto | None = "auto"


class RecurrentEstimator(NetEstimator):
    r"""Base class of density estimators of sequences: recurrent nets with a
    distribution of each step.

    .. math:: p(x_1, \dots, x_T) = \prod_t p(x_t \mid x_1, \dots, x_{t-1})

    Its density is a :class:`~skdgm.recurrent._density.SequenceDensity`, and its
    objective a :class:`~skdgm.recurrent._objective.SequenceObjective`. Sequences are a
    list of tables, or one table with ``lengths`` or ``groups``.

    Parameters
    ----------
    n_recurrent
        Number of units of the recurrent cell.
    cell
        Recurrent cell: a layer of tanh units, a gated recurrent unit, or long
        short-term memory.
    dropout
        Dropout rate of the cell's units in the computation of biases.
    n_iter
        Number of epochs; "auto": the number for 1,500 updates, between 20 and 300.
    early_stopping
        If True, hold out sequences, or the last steps of a single sequence, stop when
        ``validation_curve_`` no longer decreases, and keep the parameters at its
        minimum. "auto": True if ``n_iter`` is "auto", because few sequences soon
        overfit.
    random_state : int, RandomState instance or None
        Seed of initial weights, order of sequences, and draws.
    sequences
        Lengths of sequences in tables, and of the segments in updates.
    batch_size
        Number of sequences in each update.
    tol
        Minimum improvement, in nats per step.

    Attributes
    ----------
    loss_curve_ : list of float
        Loss of a sample of training sequences after each epoch, in nats per step of
        standardized columns.
    """

    _: KW_ONLY
    sequences: Sequences | None = None
    sequence_length: Count | None = within("sequences", None)
    batch_length: Count | None = within("sequences", 100)
    init_weights: Initializer = within("solver", "glorot_uniform")
    batch_size = 16
    early_stopping: bool | Literal["auto"] = "auto"
    n_iter_no_change = 20
    clip_norm = 1.0

    _BUDGET, _MODEL_READS = Budget(1_500, 20, 300), ("_gray",)

    def _n_epochs(self, table):
        options, n_steps = self._options, self._options.batch_length
        batches = -(-table.n_draws // options.batch_size)
        if n_steps is not None:
            # Approximate number of segments in these batches.
            lengths = table.rows.lengths[table.index]
            longest = np.sort(lengths)[-batches:].mean()
            batches *= -(-longest // n_steps)
        return self._budget.epochs_of(options.n_iter, batches)

    @rolled_back
    def fit(
        self,
        X: Data,
        y: Target = None,
        sample_weight: Weight = None,
        *,
        lengths: Target = None,
        groups: Target = None,
    ) -> Self:
        """Fit the model to sequences.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features), or list of such
            One row per step, NaN where missing: a table with all sequences, one after
            another, or a list with one table per sequence.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_sequences,) or (n_rows,), default=None
            Weight of each sequence, or of each row, with equal weights within a
            sequence. An integer weight is exactly equivalent to repetitions.
        lengths : array-like of shape (n_sequences,), default=None
            Number of rows of each sequence in a table. Without ``lengths`` and
            ``groups``, the option ``sequences`` determines the lengths.
        groups : array-like of shape (n_rows,), default=None
            Sequence of each row, as an alternative to ``lengths`` that splitters such
            as GroupKFold also use.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            A sequence is empty, or its columns differ from those of the first. Lengths
            do not sum to the number of rows, or rows of a group are not consecutive. X
            is infinite or outside the model's domain. Weights are negative or all zero.
        DivergenceError
            Training diverged. The estimator keeps its last good parameters.
        """
        return self._fit(Series(X, lengths, groups), y, sample_weight)

    def partial_fit(
        self,
        X: Data,
        y: Target = None,
        sample_weight: Weight = None,
        *,
        lengths: Target = None,
        groups: Target = None,
    ) -> Self:
        """Continue training: one epoch over the sequences.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features), or list of such
            Sequences, as in :meth:`fit`.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_sequences,) or (n_rows,), default=None
            Weight of each sequence.
        lengths, groups : array-like, default=None
            Lengths of the sequences, or the sequence of each row, as in :meth:`fit`.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError, DivergenceError
            As raised by :meth:`fit`.
        """
        return self._partial_fit(Series(X, lengths, groups), y, sample_weight)

    def _begin(self, X, y, sample_weight, fresh, classes=None):
        series = X if isinstance(X, Series) else Series(X)
        table, lengths, weight, steps = self._in_order(series, sample_weight, fresh)
        # Statistics of columns are computed over rows.
        table = super()._begin(table, y, weight, fresh, steps)
        return self._by_sequence(table, lengths, weight, fresh)

    def _in_order(self, series, sample_weight, fresh):
        """Table of sequences, their lengths, weights of rows, and steps of dates."""
        table, lengths = as_one_table(
            series.X,
            series.lengths,
            series.groups,
            each=self._current_options().sequence_length,
        )
        table, steps = in_steps(self, table, lengths, fresh)
        if sample_weight is not None:
            sample_weight = np.repeat(of_sequences(sample_weight, lengths), lengths)
        return table, lengths, sample_weight, steps

    def _by_sequence(self, table, lengths, weight, fresh):
        """Table of sequences from a table of rows with known statistics."""
        remember_kept(self, table.rows, lengths, fresh)
        weight = None if weight is None else of_sequences(weight, lengths)
        return sequences_of(table.rows, lengths, weight)

    def _label(self, rows, y, fresh, steps):
        return super()._label(with_steps(rows, steps), y, fresh, None)

    def _for_callbacks(self, X, y, sample_weight, table):
        frame = original_data(as_one_table(X.X)[0] if is_several(X.X) else X.X, table)
        data = for_callbacks(frame, y, sample_weight)
        if is_several(X.X) or X.lengths is not None or X.groups is not None:
            lengths = {"lengths": table.rows.lengths}
            data["metadata"] = (data["metadata"] or {}) | lengths
        return data

    def transform(
        self, X: Data, *, lengths: Target = None, groups: Target = None
    ) -> np.ndarray:
        """Hidden state after each step, a function of the row and all previous rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features), or list of such
            Sequences; NaN where missing.
        lengths, groups : array-like, default=None
            Lengths of the sequences, or the sequence of each row, as in :meth:`fit`.

        Returns
        -------
        H : ndarray of shape (n_rows, n_features_out)
            A list of arrays if X is a list.
        """
        return self._each(X, self.density_.features, lengths, groups)

    fit_transform = fit_transform

    def score_samples(
        self, X: Data, *, lengths: Target = None, groups: Target = None
    ) -> np.ndarray:
        r"""Log-likelihood of each step given the previous steps, in nats.

        .. math:: \log p(x_t \mid x_1, \dots, x_{t-1})

        ``density_kind_`` tells whether it is exact, a lower bound, or an estimate.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features), or list of such
            Sequences. Missing entries (NaN) are marginalized.
        lengths, groups : array-like, default=None
            Lengths of the sequences, or the sequence of each row, as in :meth:`fit`.

        Returns
        -------
        log_likelihood : ndarray of shape (n_rows,), float64
            A list of arrays if X is a list. The sum over a sequence is its
            log-likelihood.
        """
        return self._each(X, self.density_.log_prob, lengths, groups)

    def score(
        self,
        X: Data,
        y: Target = None,
        sample_weight: Weight = None,
        *,
        lengths: Target = None,
        groups: Target = None,
    ) -> float:
        """Mean log-likelihood of a step given the previous steps, in nats.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features), or list of such
        y : None
            Ignored.
        sample_weight : array-like of shape (n_sequences,) or (n_rows,), default=None
            Weight of each sequence; by default, equal weights.
        lengths, groups : array-like, default=None
            Lengths of the sequences, or the sequence of each row, as in :meth:`fit`.

        Returns
        -------
        score : float
            The (weighted) mean of :meth:`score_samples` over all steps.
        """
        density = self.density_
        table, lengths = as_one_table(X, lengths, groups, density.sequence_length)
        scores = density.log_prob(table, lengths=lengths)
        if sample_weight is not None:
            weight = of_sequences(sample_weight, lengths)
            sample_weight = np.repeat(weight, lengths)
        return mean_score(scores, sample_weight)

    def impute(
        self,
        X: Data,
        *,
        method: Filling = "mean",
        random_state: Seed = None,
        lengths: Target = None,
        groups: Target = None,
    ) -> ArrayOrFrame:
        r"""Impute missing entries, given all other entries of their sequence.

        .. math:: p(x^{missing} \mid x^{known}) \propto \prod_t p(x_t \mid x_{<t})

        Particles draw missing entries row by row. Their weights are the probabilities
        of the known entries of the row and of up to 50 later rows. There are 300
        particles (20 if likelihoods are estimates), or ``n_draws`` if the model has
        this option. Rows without later known entries are forecasts given the previous
        rows: means over 300 particles (50 if likelihoods are estimates). Columns that
        were constant within each sequence of ``fit`` take their value from other rows
        of the sequence, or are drawn once.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features), or list of such
            Sequences; NaN where missing.
        method : {"mean", "sample"}, default="mean"
            "mean" imputes means (probabilities of binary columns, the most probable
            categories), which are the same in each call; "sample" imputes draws.
        random_state : int, RandomState instance or None, default=None
            For "sample".
        lengths, groups : array-like, default=None
            Lengths of the sequences, or the sequence of each row, as in :meth:`fit`.

        Returns
        -------
        X_filled : ndarray of shape (n_rows, n_features)
            Known entries are unchanged. A DataFrame with the index of X if X and the
            training data are DataFrames; a list if X is a list.

        Raises
        ------
        ValueError
            ``method`` is unknown.
        """

        def fill(table, lengths):
            kept = vars(self).get("_kept")
            filled = self.density_.fill(
                table, method, random_state, lengths=lengths, kept=kept
            )
            return filled_in(self, table, filled)

        return self._each(X, fill, lengths, groups)

    def sample(self, n_samples: int = 1, random_state: Seed = None) -> ArrayOrFrame:
        """Draw rows from the model: a table like the input of ``fit`` without lengths.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows of a single sequence, or of consecutive sequences of the
            ``length`` of the option ``sequences``, the last of which may be incomplete.
            :meth:`sample_sequences` draws several sequences of any length.
        random_state : int, RandomState instance or None, default=None
            By default NumPy's global generator, so that each call returns new rows.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            A DataFrame if the model was fitted to one.
        """
        kept = vars(self).get("_kept")
        return as_frame(self, self.density_.sample(n_samples, random_state, kept=kept))

    def sample_sequences(
        self,
        n_steps: int,
        *,
        prefix: Data | None = None,
        n_samples: int = 1,
        random_state: Seed = None,
        lengths: Target = None,
        groups: Target = None,
    ) -> list | ArrayOrFrame:
        """Draw sequences, or continuations of prefixes, step by step.

        Columns that were constant within each sequence of ``fit``, such as birth dates,
        are drawn in the first step or taken from the prefix, and remain constant.

        Parameters
        ----------
        n_steps : int
            Number of steps to draw.
        prefix : {array-like, sparse matrix} of shape (n_rows, n_features), or list of \
                such, default=None
            Sequences to continue; NaN where missing.
        n_samples : int, default=1
            Number of sequences, or of continuations of each prefix.
        random_state : int, RandomState instance or None, default=None
            By default NumPy's global generator, so that each call returns new
            sequences.
        lengths, groups : array-like, default=None
            Lengths of the prefixes, or the prefix of each row, as in :meth:`fit`.

        Returns
        -------
        sequences : list of ndarray of shape (n_steps, n_features)
            The steps after the prefixes, without the prefixes, starting with all
            continuations of the first prefix. DataFrames if the model was fitted to
            one; a regular DatetimeIndex or PeriodIndex of a prefix is continued.
        """
        prefix_table = None
        if prefix is not None:
            length = self.density_.sequence_length
            prefix_table = as_one_table(prefix, lengths, groups, length)
        return continued(self, n_steps, prefix_table, n_samples, random_state)

    def _each(self, X, function, lengths, groups):
        """Apply a function of a table and lengths to sequences in any input format."""
        length = self.density_.sequence_length
        return answered(function, X, lengths, groups, length)

    def _count(self, table, fresh):
        super()._count(table, fresh)
        self._note_gray(table, fresh)

    def _check_cost(self, table, n_epochs):
        facts, options, rows = self._facts(), self._options, table.rows
        sizes, names = self._MODEL.n_inputs(facts), range(rows.shape[1])
        codec = getattr(self._columns, "codec", None)
        n_weights, n_nets, shared = self._MODEL.n_weights(facts)
        longest = min(rows.lengths.max(), options.batch_length or np.inf)
        check_cost(
            self._name,
            sizes,
            getattr(self, "feature_names_in_", codec.names if codec else names),
            TrainingSize(
                n_weights=n_weights,
                n_nets=n_nets,
                shared=shared,
                batch=int(min(rows.edges[-1], longest * options.batch_size)),
                n_rows=int(rows.edges[-1]) * n_epochs,
                item=np.dtype(rows.dtype).itemsize,
            ),
            self._LIGHTER,
        )


# Applied after scikit-learn's wrappers.
RecurrentEstimator.transform = of_each(RecurrentEstimator.transform)
RecurrentEstimator.fit_transform = of_each(RecurrentEstimator.fit_transform)
