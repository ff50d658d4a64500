"""Densities: the role that answers for a fitted model."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from sklearn.utils import check_array, gen_batches
from sklearn.utils.validation import check_is_fitted

from skdgm.base.attributes import view
from skdgm.data.columns import has_grey
from skdgm.exceptions import DataRangeWarning, MissingCapability
from skdgm.typing import Any, ArrayLike, ArrayOrFrame, Data, Seed
from skdgm.utils.random import LIKELIHOOD, stream
from skdgm.utils.rows import Rows, row_hash
from skdgm.utils.threading.callers import warn
from skdgm.utils.threading.threads import one_blas_thread

_LAZY = "log_Z_", "log_Z_se_"
# Number of entries of rows up to which computations take some milliseconds.
_FEW = 2**13


class Context(NamedTuple):
    """Identity of a density, and the form of its rows.

    Parameters
    ----------
    name : str
        Name of the estimator, for messages.
    read : callable
        ``read(X, dtype=None)`` validates rows and returns
        :class:`~skdgm.utils.rows.Rows`.
    domain : object
        Kind of the columns, such as :class:`~skdgm.data.BinaryColumns`.
    columns : tuple
        Statistics of the columns.
    seed : int
        Seed of the random numbers of deterministic methods.
    """

    name: str
    read: Callable
    domain: Any
    columns: tuple
    seed: int


class Density(ABC):
    """Probability distribution of rows, with parameters.

    Estimators, metrics and plots ask it. Rows go in as users give them; ``read``
    validates them and converts them to the units of the model. What a density can do,
    and how well, it declares (:attr:`capabilities`); all else raises
    :class:`MissingCapability`.

    Parameters
    ----------
    context : Context
        Its fields are attributes of the density.
    """

    def __init__(self, context: Context):
        self.name, self.read, self.domain, self.columns, self.seed = context

    # Whether training rows were grey, whose log-likelihoods may be of another kind.
    grey = False
    # Whether known values far beyond the range seen are read as its ends: a net
    # extrapolates to anything.
    bounded = False

    @property
    @abstractmethod
    def capabilities(self) -> dict[str, dict[str, str]]:
        """What the density can do, with which argument, and how well.

        Returns
        -------
        capabilities : dict of dict of str
            "exact", "lower bound" or "estimate", by the name of a method and then by
            its argument: rows that are "complete", have "missing" entries or are
            "grey"; what is given, "labels", "attributes", "lengths", "conditions" on
            columns or "ranges" of unbounded ones, or rows of the "future"; or
            "nothing".
        """

    def require(self, capability: str, argument: str | Rows = "nothing") -> str:
        """Kind of a capability, or an error if there is none.

        Parameters
        ----------
        capability : str
            Name of a method.
        argument : str or Rows, default="nothing"
            As in :attr:`capabilities`.

        Returns
        -------
        kind : {"exact", "lower bound", "estimate"}

        Raises
        ------
        MissingCapability
            The density cannot do this.
        """
        if not isinstance(argument, str):
            argument = "complete" if argument.complete else "missing"
        try:
            return self.capabilities[capability][argument]
        except KeyError:
            raise MissingCapability(self.name, capability, argument) from None

    @property
    def kind(self) -> str:
        """Meaning of :meth:`log_prob`: "exact", "lower bound" or "estimate"."""
        return self.require("log_prob", "grey" if self.grey else "complete")

    @abstractmethod
    def log_prob(self, X: Data) -> np.ndarray:
        """Log-likelihood of each row, in nats.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing: the likelihood is that of the observed entries.

        Returns
        -------
        log_prob : ndarray of shape (n_samples,), float64
            Deterministic. Of real columns, the density on the scale of the data.
        """

    @abstractmethod
    def sample(
        self, n_samples: int, random_state: Seed = None, **options: Any
    ) -> ArrayOrFrame:
        """Draw rows.

        Parameters
        ----------
        n_samples : int
        random_state : int, RandomState instance or None
        **options : dict
            As of the estimator's ``sample``.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
        """

    @abstractmethod
    def fill(
        self, X: Data, method: str = "mean", random_state: Seed = None, **options: Any
    ) -> ArrayOrFrame:
        """Fill missing entries, given the others of their row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        method : {"mean", "sample"}, default="mean"
        random_state : int, RandomState instance or None
        **options : dict
            As of the estimator's ``impute``.

        Returns
        -------
        X_filled : ndarray of shape (n_samples, n_features)
        """

    @abstractmethod
    def features(self, X: Data) -> np.ndarray:
        """Hidden representation of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        H : ndarray of shape (n_samples, n_features_out)
        """

    @property
    @abstractmethod
    def n_features_out(self) -> int:
        """Number of columns of :meth:`features`."""

    def inverse(self, H: ArrayLike) -> ArrayOrFrame:
        """Rows of features, in the form of the data.

        Parameters
        ----------
        H : array-like of shape (n_samples, n_features_out)

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
        """
        raise MissingCapability(self.name, "inverse")

    def checked(self, H: ArrayLike, dtype: type, words: str = "features") -> np.ndarray:
        """Features as an array; a ValueError where these are not as many as of rows."""
        H = numbers_of(H, dtype, "H")
        if H.shape[1] != self.n_features_out:
            raise ValueError(
                f"H has {H.shape[1]} columns, but {self.name} has "
                f"{self.n_features_out} {words}."
            )
        return H

    def log_partition(self) -> tuple[float, float]:
        """Log Z and its standard error, in nats, of a density known up to Z.

        Returns
        -------
        log_Z, se : float
        """
        raise MissingCapability(self.name, "log_partition")

    def by_content(
        self,
        function: Callable,
        rows: Rows,
        size: int,
        take: Callable | None = None,
        beside: np.ndarray | None = None,
    ) -> np.ndarray:
        """Compute a function of every row, with random numbers keyed by its content.

        Parameters
        ----------
        function : callable
            ``function(v, rng)`` of dense rows, NaN where missing, and a stream for each
            row returns an array of shape (n_rows, ...).
        rows : Rows
        size : int
            Number of rows at a time.
        take : callable, optional
            ``take(block)`` reads dense rows at a slice; by default as those of rows.
        beside : ndarray of shape (n_rows, ...), optional
            Values beside rows, a third argument of the function.

        Returns
        -------
        values : ndarray of shape (n_samples, ...)
        """
        rng, parts = stream(self.seed, LIKELIHOOD).rows(row_hash(rows)), []
        take = take or rows.take
        with one_blas_thread():
            for block in gen_batches(rows.shape[0], max(1, size)):
                more = () if beside is None else (beside[block],)
                parts.append(function(take(block), rng.take(block), *more))
        return np.concatenate(parts)

    def widened(self, X: Data) -> Data:
        """X, or a DataFrame with the columns of the model that X lacks, all missing."""
        widened = getattr(self.domain, "widened", None)
        return X if widened is None else widened(self.columns, X)

    def decoded(self, values: np.ndarray, X: Data | None = None) -> ArrayOrFrame:
        """Values in the form of the data given to ``fit``, or of X, filled in."""
        decode = getattr(self.domain, "presented", None)
        return values if decode is None else decode(self.columns, values, X)

    @property
    def bits(self) -> np.ndarray:
        """Indices of the binary columns, an int array."""
        return self.domain.bits(self.columns)

    def tell_grey(self, rows: Rows) -> None:
        """Warn of grey rows, of which bits given others have no likelihood."""
        if has_grey(rows, self.bits):
            warn(
                f"{self.name} got grey rows, with values between 0 and 1 in "
                "columns of bits: their scores are not log-likelihoods, and are not "
                "comparable with other models. Use "
                "skdgm.metrics.average_over_draws(model, X), a mean over draws of "
                "their bits, or binarise with "
                "skdgm.preprocessing.BernoulliBinarizer first.",
                DataRangeWarning,
            )


def of_rows(kind, **others):
    """Kinds of a capability of complete rows, and of others unless told otherwise."""
    return {"complete": kind, "missing": kind} | others


def by_blocks(of_complete, rows, of_incomplete=None, index=None, lists=None):
    """Compute a function of every row, a block of rows at a time.

    Parameters
    ----------
    of_complete : callable
        Function of rows without missing entries, dense or lists.
    rows : Rows
    of_incomplete : callable, optional
        Function of dense rows with missing entries; by default the same one.
    index : ndarray of int, optional
        Rows to use; by default all.
    lists : bool, optional
        Whether to read complete rows as lists; by default as is faster.

    Returns
    -------
    values : ndarray of shape (n_selected, ...)
    """
    of_incomplete = of_complete if of_incomplete is None else of_incomplete
    if index is None:
        blocks = rows.blocks()
    else:
        blocks = (index[block] for block in rows.blocks(len(index)))

    def of_block(v):
        incomplete = np.isnan(v).any(axis=1)
        if not incomplete.any():
            return of_complete(v)
        part = of_incomplete(v[incomplete])
        whole = np.empty((len(v), *part.shape[1:]), dtype=part.dtype)
        whole[incomplete] = part
        if not incomplete.all():
            whole[~incomplete] = of_complete(v[~incomplete])
        return whole

    with one_blas_thread(brief=rows.shape[0] * rows.shape[1] <= _FEW):
        if rows.complete:
            parts = [of_complete(rows.present(b, lists)) for b in blocks]
        else:
            parts = [of_block(rows.take(b)) for b in blocks]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def lazy_log_Z(self, name):
    """``__getattr__`` of estimators whose ``log_Z_`` is computed at first access.

    Not properties: listing the attributes, as a notebook does to show an estimator,
    must not start a long computation.
    """
    # NotFittedError, raised by the property, is an AttributeError too.
    if name in (*_LAZY, "density_"):
        check_is_fitted(self)
    if name in _LAZY:
        # Another thread may have replaced what this is of before it is computed.
        now = view(self)
        now.log_Z_, now.log_Z_se_ = now.density_.log_partition()
        return vars(now)[name]
    raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


def forget_log_Z(self):
    """``_forget`` of estimators with :func:`lazy_log_Z`."""
    for name in _LAZY:
        vars(self).pop(name, None)


def numbers_of(H: ArrayLike, dtype: type, name: str) -> np.ndarray:
    """Codes or features as an array of numbers; a ValueError, which has the name of the
    argument, where they are none, or too large."""
    try:
        return check_array(H, dtype=dtype, input_name=name)
    except (TypeError, OverflowError) as error:
        raise ValueError(f"{name} must be numbers: {error}.") from error
    except ValueError as error:
        if "could not convert" not in str(error):
            raise
        raise ValueError(f"{name} must be numbers: {error}.") from error
