"""Base class of estimators of sequences: rows conditional on the rows before."""

from typing import Literal

import numpy as np

from skdgm.base.attributes import rolled_back
from skdgm.base.fits import mean_score
from skdgm.base.frames import filled_in, framed
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
from skdgm.data.inputs import for_callbacks, own_frame
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
from skdgm.nets.options import Initialiser
from skdgm.training import Budget
from skdgm.typing import ArrayOrFrame, Data, Filling, Seed, Self, Target, Weight

Cell = Literal["tanh", "gru", "lstm"]


class Sequences(OptionGroup):
    """Lengths of sequences, and of stretches in updates; "auto" is the estimator's
    default.

    Parameters
    ----------
    length : {"auto"}, int or None, default="auto"
        Number of rows of each sequence in tables without ``lengths`` or ``groups``:
        None reads such a table as a single sequence, 1 its rows as independent.
    batch_length : {"auto"}, int or None, default="auto"
        Number of steps of sequences in each update, through which gradients are
        propagated back; None for whole sequences. Hidden states are carried from one
        update to the next, so that long series need no more memory.

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
    r"""Base class of estimators of a density of sequences: recurrent nets below a
    distribution of each step.

    .. math:: p(x_1, \dots, x_T) = \prod_t p(x_t \mid x_1, \dots, x_{t-1})

    The density of its model is a :class:`~skdgm.recurrent._density.SequenceDensity`,
    the objective a :class:`~skdgm.recurrent._objective.SequenceObjective`. Its methods
    take sequences as a table with ``lengths`` or ``groups``, or as a list.

    Parameters
    ----------
    n_recurrent
        Number of units of the recurrent cell.
    cell
        Recurrent cell: one layer of units, a gated recurrent unit, or long short-term
        memory.
    dropout
        Share of the cell's units that drop out, where they set biases, in training.
    n_iter
        Number of epochs; "auto": 1,500 updates, but between 20 and 300 epochs.
    early_stopping
        If True, hold out sequences, or the last steps of a single one, stop when their
        ``validation_curve_`` no longer falls, and keep the parameters with which it was
        lowest; "auto": where ``n_iter`` is "auto", as few sequences soon overfit.
    random_state : int, RandomState instance or None
        Seed of initial weights, order of sequences and draws.
    sequences
        Lengths of sequences in tables, and of stretches in updates.
    batch_size
        Number of sequences in each update.
    tol
        Smallest improvement that counts, in nats per step.

    Attributes
    ----------
    loss_curve_ : list of float
        Negative objective of some training sequences after each epoch, in nats per
        step, with real columns standardised.
    """

    _: KW_ONLY
    sequences: Sequences | None = None
    sequence_length: Count | None = within("sequences", None)
    batch_length: Count | None = within("sequences", 100)
    init_weights: Initialiser = within("solver", "glorot_uniform")
    batch_size = 16
    early_stopping: bool | Literal["auto"] = "auto"
    n_iter_no_change = 20
    clip_norm = 1.0

    _BUDGET, _KNOWN = Budget(1_500, 20, 300), ("_grey",)

    def _n_epochs(self, table):
        options, n_steps = self._options, self._options.batch_length
        batches = -(-table.n_draws // options.batch_size)
        if n_steps is not None:
            # Approximate number of stretches of these batches.
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
            A row for each step, NaN where missing: all sequences, one after the other;
            or a table of each.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_sequences,) or (n_rows,), default=None
            Weight of each sequence, or of its rows, which are equal then. Whole numbers
            are exactly so many repetitions.
        lengths : array-like of shape (n_sequences,), default=None
            Number of rows of each sequence of a table; without these and ``groups`` it
            is divided by ``length`` of the option ``sequences``, if that is not None.
        groups : array-like of shape (n_rows,), default=None
            Name of the sequence of each row, in the place of lengths: as for splitters
            such as GroupKFold, which keep sequences whole.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            A sequence is empty or has other columns than the first; lengths do not add
            up to the rows; rows of a group do not follow each other; X is infinite or
            outside the model's domain; weights are negative or all zero.
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
        """Continue training: one pass over the sequences.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features), or list of such
            Sequences, as for :meth:`fit`.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_sequences,) or (n_rows,), default=None
            Weight of each sequence.
        lengths, groups : array-like, default=None
            Lengths of the sequences, or the sequence of each row, as for :meth:`fit`.

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
        given = X if isinstance(X, Series) else Series(X)
        table, lengths, weight, steps = self._in_order(given, sample_weight, fresh)
        # Statistics of columns are those of rows.
        table = super()._begin(table, y, weight, fresh, steps)
        return self._by_sequence(table, lengths, weight, fresh)

    def _in_order(self, given, sample_weight, fresh):
        """Table of sequences, their lengths, weights of rows, and steps of dates."""
        table, lengths = as_one_table(*given, self._present_options().sequence_length)
        table, steps = in_steps(self, table, lengths, fresh)
        if sample_weight is not None:
            sample_weight = np.repeat(of_sequences(sample_weight, lengths), lengths)
        return table, lengths, sample_weight, steps

    def _by_sequence(self, table, lengths, weight, fresh):
        """Table of sequences, of one of rows that their statistics are known of."""
        remember_kept(self, table.rows, lengths, fresh)
        weight = None if weight is None else of_sequences(weight, lengths)
        return sequences_of(table.rows, lengths, weight)

    def _label(self, rows, y, fresh, steps):
        return super()._label(with_steps(rows, steps), y, fresh, None)

    def _for_callbacks(self, X, y, sample_weight, table):
        whole = own_frame(as_one_table(X.X)[0] if is_several(X.X) else X.X, table)
        data = for_callbacks(whole, y, sample_weight)
        if is_several(X.X) or X.lengths is not None or X.groups is not None:
            lengths = {"lengths": table.rows.lengths}
            data["metadata"] = (data["metadata"] or {}) | lengths
        return data

    def transform(
        self, X: Data, *, lengths: Target = None, groups: Target = None
    ) -> np.ndarray:
        """Hidden state after each step, a function of the row and all before it.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features), or list of such
            Sequences; NaN where missing.
        lengths, groups : array-like, default=None
            Lengths of the sequences, or the sequence of each row, as for :meth:`fit`.

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
        r"""Log-likelihood of each step given the steps before, in nats, of the kind
        ``density_kind_``.

        .. math:: \log p(x_t \mid x_1, \dots, x_{t-1})

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features), or list of such
            Sequences; of rows with missing entries (NaN) the likelihood is that of the
            observed entries.
        lengths, groups : array-like, default=None
            Lengths of the sequences, or the sequence of each row, as for :meth:`fit`.

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
        """Mean log-likelihood of a step given the steps before, in nats.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features), or list of such
        y : None
            Ignored.
        sample_weight : array-like of shape (n_sequences,) or (n_rows,), default=None
            Weight of each sequence; by default all are equal.
        lengths, groups : array-like, default=None
            Lengths of the sequences, or the sequence of each row, as for :meth:`fit`.

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
        r"""Fill missing entries, given all others of their sequence.

        .. math:: p(x^{missing} \mid x^{known}) \propto \prod_t p(x_t \mid x_{<t})

        Filled entries are estimates by particles, which draw missing entries row by
        row, and are weighted by the probability of the known entries of the row and of
        up to 50 rows after it. There are 300 particles, or 20 where likelihoods are
        estimates, or ``n_draws`` if there is this option. Rows that no known entry
        follows are forecasts given the rows before: means over 300 particles, or 50
        where likelihoods are estimates. Columns that were constant within each sequence
        of ``fit`` have their value elsewhere in the sequence, or are drawn once.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features), or list of such
            Sequences; NaN where missing.
        method : {"mean", "sample"}, default="mean"
            "mean" fills in means (probabilities of bits, the most probable categories),
            the same at each call; "sample" fills in draws.
        random_state : int, RandomState instance or None, default=None
            For "sample".
        lengths, groups : array-like, default=None
            Lengths of the sequences, or the sequence of each row, as for :meth:`fit`.

        Returns
        -------
        X_filled : ndarray of shape (n_rows, n_features)
            Known entries are unchanged. A DataFrame with its index if X and what the
            model was fitted to are such; a list if X is a list.

        Raises
        ------
        ValueError
            ``method`` is unknown.
        """

        def fill(table, lengths):
            kept = vars(self).get("_kept")
            found = self.density_.fill(
                table, method, random_state, lengths=lengths, kept=kept
            )
            return filled_in(self, table, found)

        return self._each(X, fill, lengths, groups)

    def sample(self, n_samples: int = 1, random_state: Seed = None) -> ArrayOrFrame:
        """Draw rows from the model: a table as ``fit`` takes it without lengths.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows of a single sequence, or of sequences of the ``length`` of
            the option ``sequences``, one after the other, the last of which may end
            early. :meth:`generate` draws several of any length.
        random_state : int, RandomState instance or None, default=None
            By default NumPy's global generator: other rows at each call.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            A DataFrame if ``fit`` was given one.
        """
        kept = vars(self).get("_kept")
        return framed(self, self.density_.sample(n_samples, random_state, kept=kept))

    def generate(
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
        are drawn in the first step, or are those of the prefix, and are kept.

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
            By default NumPy's global generator: other sequences at each call.
        lengths, groups : array-like, default=None
            Lengths of the prefixes, or the prefix of each row, as for :meth:`fit`.

        Returns
        -------
        sequences : list of ndarray of shape (n_steps, n_features)
            The steps after the prefix, without it: all continuations of the first one
            first. DataFrames if ``fit`` was given one.
        """
        given = None
        if prefix is not None:
            each = self.density_.sequence_length
            given = as_one_table(prefix, lengths, groups, each)
        return continued(self, n_steps, given, n_samples, random_state)

    def _each(self, X, function, lengths, groups):
        """A function of a table and lengths, of sequences as a user gives them."""
        each = self.density_.sequence_length
        return answered(function, X, lengths, groups, each)

    def _count(self, table, fresh):
        super()._count(table, fresh)
        self._note_grey(table, fresh)

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


# Outside of what scikit-learn wraps around them.
RecurrentEstimator.transform = of_each(RecurrentEstimator.transform)
RecurrentEstimator.fit_transform = of_each(RecurrentEstimator.fit_transform)
