"""Densities: inference with a fitted model."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from sklearn.utils import check_array, gen_batches
from sklearn.utils.validation import check_is_fitted

from skdgm.base.attributes import view
from skdgm.data.columns import has_gray
from skdgm.exceptions import DataRangeWarning, MissingCapability
from skdgm.typing import Any, ArrayLike, ArrayOrFrame, Data, Seed
from skdgm.utils.random import LIKELIHOOD, stream
from skdgm.utils.rows import Rows, row_hash
from skdgm.utils.threading.callers import warn
from skdgm.utils.threading.threads import one_blas_thread

_LAZY = "log_Z_", "log_Z_se_"
# Tables with at most this many entries take some milliseconds.
_SMALL_TABLE = 2**13


class Context(NamedTuple):
    """Name of a density, the format of its rows, and its seed.

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
        Seed of methods that use random numbers but return the same result at each call.
    """

    name: str
    read: Callable
    domain: Any
    columns: Any
    seed: int


class Density(ABC):
    """Probability distribution of rows, with fitted parameters.

    Methods accept rows in the user's format: ``read`` validates them and converts them
    to the units of the model. :attr:`capabilities` declares which methods a density
    supports, for which arguments, and whether their results are exact. Other methods
    raise :class:`MissingCapability`.

    Parameters
    ----------
    context : Context
        Its fields become attributes of the density.
    """

    def __init__(self, context: Context):
        self.name, self.read, self.domain, self.columns, self.seed = context

    # Methods of :meth:`fill`.
    fill_methods: tuple[str, ...] = "mean", "sample"
    # Whether training rows were gray; the kind of log_prob may then be another one.
    gray = False
    # Whether values far beyond the training range are clipped before imputation, as
    # nets extrapolate arbitrarily.
    bounded = False

    @property
    @abstractmethod
    def capabilities(self) -> dict[str, dict[str, str]]:
        """Supported methods and arguments, with the kind of their results.

        Returns
        -------
        capabilities : dict of dict of str
            Maps the name of a method to a dict, which maps an argument to "exact",
            "lower bound" or "estimate", or to "reconstruction" for scores that are not
            densities of rows. Arguments are rows that are "complete", have
            "missing" entries or are "gray"; conditions, namely "labels", "attributes",
            "lengths", "conditions" on columns, "ranges" of unbounded columns, or rows
            of the "future"; or "unconditional".
        """

    def require(self, capability: str, argument: str | Rows = "unconditional") -> str:
        """Kind of a capability; an error if the density lacks it.

        Parameters
        ----------
        capability : str
            Name of a method.
        argument : str or Rows, default="unconditional"
            As in :attr:`capabilities`.

        Returns
        -------
        kind : {"exact", "lower bound", "estimate", "reconstruction"}

        Raises
        ------
        MissingCapability
            The density lacks the capability.
        """
        if not isinstance(argument, str):
            argument = "complete" if argument.complete else "missing"
        try:
            return self.capabilities[capability][argument]
        except KeyError:
            raise MissingCapability(self.name, capability, argument) from None

    @property
    def kind(self) -> str:
        """Kind of :meth:`log_prob`: "exact", "lower bound", "estimate", or
        "reconstruction"."""
        return self.require("log_prob", "gray" if self.gray else "complete")

    @abstractmethod
    def log_prob(self, X: Data) -> np.ndarray:
        """Log-likelihood of each row, in nats.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing: missing entries are marginalized out.

        Returns
        -------
        log_prob : ndarray of shape (n_samples,), float64
            The same at each call. The density of real columns is on the scale of the
            data.
        """

    @abstractmethod
    def sample(self, n_samples: int, random_state: Seed = None) -> ArrayOrFrame:
        """Draw rows.

        A density may have further parameters with defaults, by keyword, which the
        estimator's ``sample`` passes on.

        Parameters
        ----------
        n_samples : int
        random_state : int, RandomState instance or None

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
        """

    @abstractmethod
    def fill(
        self, X: Data, method: str = "mean", random_state: Seed = None
    ) -> ArrayOrFrame:
        """Impute missing entries given the known entries of their row.

        A density may have further parameters with defaults, by keyword, which the
        estimator's ``impute`` passes on.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        method : {"mean", "sample"}, default="mean"
        random_state : int, RandomState instance or None

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
        """Map features back to rows, in the format of the data.

        Parameters
        ----------
        H : array-like of shape (n_samples, n_features_out)

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
        """
        raise MissingCapability(self.name, "inverse")

    def checked(self, H: ArrayLike, dtype: type, words: str = "features") -> np.ndarray:
        """Features as an array of shape (n_samples, n_features_out); ValueError if
        their number is another, which the message calls ``words``."""
        H = numbers_of(H, dtype, "H")
        if H.shape[1] != self.n_features_out:
            raise ValueError(
                f"H has {H.shape[1]} columns, but {self.name} has "
                f"{self.n_features_out} {words}."
            )
        return H

    def log_partition(self) -> tuple[float, float]:
        """Log-partition function of an unnormalized density, and its standard error.

        Returns
        -------
        log_Z, se : float
            In nats.
        """
        raise MissingCapability(self.name, "log_partition")

    def by_content(
        self,
        function: Callable,
        rows: Rows,
        size: int,
        take: Callable | None = None,
        extra: np.ndarray | None = None,
    ) -> np.ndarray:
        """Compute a function of each row, with random numbers seeded by its content.

        Parameters
        ----------
        function : callable
            ``function(v, rng)`` returns an array of shape (n_rows, ...), given dense
            rows v (NaN where missing) and a random stream for each row.
        rows : Rows
        size : int
            Number of rows in each call of the function.
        take : callable, optional
            ``take(block)`` returns the dense rows of a slice; by default ``rows.take``.
        extra : ndarray of shape (n_rows, ...), optional
            Further values of each row, the third argument of the function.

        Returns
        -------
        values : ndarray of shape (n_samples, ...)
        """
        rng, results = stream(self.seed, LIKELIHOOD).rows(row_hash(rows)), []
        take = take or rows.take
        with one_blas_thread():
            for block in gen_batches(rows.shape[0], max(1, size)):
                v, draws = take(block), rng.take(block)
                results.append(
                    function(v, draws)
                    if extra is None
                    else function(v, draws, extra[block])
                )
        return np.concatenate(results)

    def with_missing_columns(self, X: Data) -> Data:
        """X; a DataFrame gets the columns that it lacks, with missing values."""
        extend = getattr(self.domain, "with_missing_columns", None)
        return X if extend is None else extend(self.columns, X)

    def decoded(self, values: np.ndarray, X: Data | None = None) -> ArrayOrFrame:
        """Values in the format of the training data; or X with imputed values."""
        decode = getattr(self.domain, "presented", None)
        return values if decode is None else decode(self.columns, values, X)

    @property
    def bits(self) -> np.ndarray:
        """Indices of the binary columns, an int array."""
        return self.domain.bits(self.columns)

    def warn_of_gray(self, rows: Rows) -> None:
        """Warn about gray rows, whose conditional scores are not log-likelihoods."""
        if has_gray(rows, self.bits):
            warn(
                f"{self.name} got gray rows, with values between 0 and 1 in "
                "columns of bits: their scores are not log-likelihoods, and are not "
                "comparable with other models. Use "
                "skdgm.metrics.average_over_draws(model, X), a mean over draws of "
                "their bits, or binarize with "
                "skdgm.preprocessing.BernoulliBinarizer first.",
                DataRangeWarning,
            )


def of_rows(kind, **others):
    """Kinds of a capability by argument: ``kind`` for complete rows and rows with
    missing entries, unless ``others`` overrides it."""
    return {"complete": kind, "missing": kind} | others


def by_blocks(of_complete, rows, of_incomplete=None, index=None, lists=None):
    """Compute a function of every row, a block of rows at a time.

    Parameters
    ----------
    of_complete : callable
        Function of rows without missing entries, dense or as lists.
    rows : Rows
    of_incomplete : callable, optional
        Function of dense rows with missing entries; by default ``of_complete``.
    index : ndarray of int, optional
        Indices of the rows to use; by default all rows.
    lists : bool, optional
        Whether to read complete rows as lists of indices; by default the faster format.

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
        result = of_incomplete(v[incomplete])
        values = np.empty((len(v), *result.shape[1:]), dtype=result.dtype)
        values[incomplete] = result
        if not incomplete.all():
            values[~incomplete] = of_complete(v[~incomplete])
        return values

    with one_blas_thread(brief=rows.shape[0] * rows.shape[1] <= _SMALL_TABLE):
        if rows.complete:
            results = [of_complete(rows.present(b, lists)) for b in blocks]
        else:
            results = [of_block(rows.take(b)) for b in blocks]
    return results[0] if len(results) == 1 else np.concatenate(results)


def lazy_log_Z(self, name):
    """``__getattr__`` of estimators whose ``log_Z_`` is computed at first access.

    A property would be wrong here: a notebook lists all attributes to show an
    estimator, which must not start a long computation.
    """
    # NotFittedError, raised by the property, is an AttributeError too.
    if name in (*_LAZY, "density_"):
        check_is_fitted(self)
    if name in _LAZY:
        # Another thread may fit the estimator during the computation.
        snapshot = view(self)
        snapshot.log_Z_, snapshot.log_Z_se_ = snapshot.density_.log_partition()
        return vars(snapshot)[name]
    raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


def forget_log_Z(self):
    """``_forget`` of estimators with :func:`lazy_log_Z`."""
    for name in _LAZY:
        vars(self).pop(name, None)


def numbers_of(H: ArrayLike, dtype: type, name: str) -> np.ndarray:
    """Codes or features as an array of numbers; ValueError, which names the argument,
    if they are not numbers or too large."""
    try:
        return check_array(H, dtype=dtype, input_name=name)
    except (TypeError, OverflowError) as error:
        raise ValueError(f"{name} must be numbers: {error}.") from error
    except ValueError as error:
        if "could not convert" not in str(error):
            raise
        raise ValueError(f"{name} must be numbers: {error}.") from error
