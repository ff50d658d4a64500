"""Roles of distributions: blocks of units in an energy, and columns given a net.

A block of an energy is an exponential family, whose natural parameters combine its own
parameters with the input from its neighbors. The distribution of columns has the
outputs of a net as parameters.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple, Self

import numpy as np

from skdgm.utils.lists import Lists, Values, dot
from skdgm.utils.random import Stream


class Unit(ABC):
    r"""A block of variables as a conditional exponential family.

    .. math:: \log p(x \mid \eta) = \log w(x; \eta) - A(\eta)

    ``params`` are the block's parameters, a tree of arrays of shape (size,). ``eta``
    are its natural parameters, a tree of arrays of shape (n_rows, size), or (size,) for
    all rows. Values x and means have shape (n_rows, size). Wherever ``sample`` returns
    :class:`~skdgm.utils.lists.Lists`, a value may be Lists.

    Attributes are ``size``, the number of columns of a value; ``n_states``, the number
    of joint states, which may be infinite; and ``ends``, the minimum and maximum of a
    statistic, as numbers or arrays of shape (size,). By ``form``, a name or None,
    kernels recognize the type of unit. ``listable`` is True if values have
    probabilities and :meth:`mode` is a possible value. ``numbers`` is True if values
    are numbers rather than lists of ones, ``exponential`` if means grow exponentially
    with fields, and ``scaled`` if gains match the scales of values.

    A unit with finitely many states has ``states(codes)``, the states with given
    numbers, (n_codes, size). A ``listable`` unit has ``draw(mean, rng)``, which draws
    values from means, and ``log_prob(mean, x)``, their log probabilities, float64 of
    shape (n_rows,).
    """

    __slots__ = ()
    ends, listable, form = (-np.inf, np.inf), False, None
    numbers, exponential, scaled = False, False, False

    @abstractmethod
    def init(self, moments: Any = None, dtype: type = float) -> Any:
        """Parameters, a tree of arrays of shape (size,), for given means of the block
        without neighbors. Real units also take variances. Zeros if ``moments`` is
        None."""

    @abstractmethod
    def field(self, params: Any, received: float | np.ndarray = 0.0) -> Any:
        """Natural parameters eta given the input ``received`` from the neighbors."""

    @abstractmethod
    def statistic(self, params: Any, x: Values) -> Values:
        """Sufficient statistic of x that couplings multiply, (n_rows, size)."""

    @abstractmethod
    def log_weight(self, eta: Any, x: Values) -> np.ndarray:
        """Log of the unnormalized probability of each row of x, (n_rows,), float64."""

    @abstractmethod
    def log_partition(self, eta: Any) -> np.ndarray:
        """Sum of A(eta) over the block for each row, float64."""

    @abstractmethod
    def log_evidence(self, eta: Any, x: np.ndarray, clamped: np.ndarray) -> np.ndarray:
        """Log weight of partly clamped rows with their free entries summed out.

        Each row of x is evaluated for each row of eta: (n_rows, n_fields), float64. If
        eta has shape (size,), n_fields is 1. ``clamped`` is a mask of entries.
        """

    @abstractmethod
    def mean(self, eta: Any) -> np.ndarray:
        """Mean of each unit, with the shape and dtype of ``eta``."""

    def mode(self, eta: Any) -> np.ndarray:
        """Most probable value of each unit; for real numbers the mean."""
        return self.mean(eta)

    @abstractmethod
    def sample(self, eta: Any, rng: Stream) -> tuple:
        """Draw a value for each row of a Stream; return x and its mean, (n_rows,
        size)."""

    @abstractmethod
    def entropy(self, params: Any, mean: np.ndarray) -> np.ndarray:
        """Contribution of each unit to the entropy, in nats, (n_rows, size)."""

    @abstractmethod
    def param_grad(self, params: Any, x: Values, received: Callable) -> Any:
        """Derivative of each row's log weight with respect to the parameters, a tree
        like ``params`` of (n_rows, size). ``received()`` returns the input from the
        neighbors."""

    def pack(self, x: Values) -> Values:
        """Convert values to the form that ``sample`` returns; by default no change."""
        return x

    def only(self, entries: np.ndarray) -> Self:
        """The block of the units with the given indices."""
        unit: Any = self
        return unit._replace(size=len(entries))

    def bias_of(self, params: Any) -> np.ndarray:
        """Component of the parameters, or a gradient, that is added to the input."""
        return params

    def with_bias(self, params: Any, bias: np.ndarray) -> Any:
        """Copy of the parameters, or of their gradient, with another bias."""
        return bias

    def scale(self, params: Any) -> float | np.ndarray:
        """Standard deviation of the statistic, by which weights are scaled: 1."""
        return 1.0

    def curvature(self, params: Any) -> Any:
        """Sum of curvatures with respect to fields, which damps gradient steps; None
        for bounded values."""
        return None

    def inverse_information(self, params: Any) -> np.ndarray | None:
        """Inverse Fisher information of each bias, (size,), by which gradient steps of
        a visible block are multiplied; None if it is about 1."""
        return None

    def constrain(self, params: Any) -> None:  # noqa: B027  Most have no limits.
        """Project parameters onto their constraint set, in place; by default a
        no-op."""


class Canonical(Unit):
    """A block whose parameters are biases of shape (size,).

    A bias is the natural parameter without neighbors, the sufficient statistic is the
    value itself, and the log weight is the sum of eta x. Values are Lists of ones.
    """

    __slots__ = ()
    ends = 0.0, 1.0

    def field(self, params: Any, received: float | np.ndarray = 0.0) -> Any:
        """Natural parameters eta = bias + input from the neighbors."""
        return params + received

    def statistic(self, params: Any, x: Values) -> Values:
        """Sufficient statistic of x: x itself."""
        return x

    def log_weight(self, eta: Any, x: Values) -> np.ndarray:
        return dot(x, eta)

    def param_grad(self, params: Any, x: Values, received: Callable) -> Any:
        """Derivative of each row's log weight with respect to the bias: x."""
        return x

    def pack(self, x: Values) -> Values:
        """Convert values to Lists of ones, the form that ``sample`` returns."""
        return Lists.pack(x, binary=True)


class _Size(NamedTuple):
    size: int


class Biased(_Size, Canonical):
    """A :class:`Canonical` block of ``size`` entries. Some subclasses have ``pull(mean,
    grad)``, which converts a gradient with respect to means to one with respect to
    natural parameters."""

    __slots__ = ()


class Output(ABC):
    r"""Distributions of the columns of a table, given outputs of a net.

    .. math:: p(x \mid z) = \prod_j p(x_j; z_j)

    for a decoder, whose outputs z depend on latent variables, or for an autoregressive
    net, whose :math:`z_j` depend on the columns before j.

    Values ``v`` have shape (n_rows, n_columns), NaN where missing. Their representation
    as ``inputs`` of a net has shape (n_rows, n_inputs_in_all). Outputs ``out`` have
    shape (n_rows, n_outputs_in_all). In losses and log probabilities they may have
    n_rows * n_each rows, with ``n_each`` consecutive rows for each row of values.
    ``dispersion`` is an array of parameters of the distribution itself, or ().
    ``share`` are the marginal means of inputs, of shape (n_inputs_in_all,), or None for
    standardized columns. Results have the dtype of ``out`` unless stated otherwise; log
    probabilities are in nats.

    Parameters
    ----------
    sizes : ndarray of int, of shape (n_columns,)
        Number of categories of each column; 1 for other columns.

    Attributes
    ----------
    kind : str
        Type of columns, such as "bernoulli", "categorical" or "gaussian"; None if they
        differ.
    n_inputs, n_outputs : ndarray of int, of shape (n_columns,)
        Numbers of inputs and of outputs of each column.
    """

    kind = None

    def __init__(self, sizes: np.ndarray):
        self.n_inputs = self.n_outputs = sizes

    def start(self, share: np.ndarray | None) -> np.ndarray:
        """Outputs that reproduce the marginal distributions, (n_outputs_in_all,),
        float64: zeros for standardized columns."""
        return np.zeros(self.n_outputs.sum())

    def initial_parameters(self, dtype: type) -> Any:
        """Initial parameters of the distribution itself; by default ()."""
        return ()

    def inputs(self, v: np.ndarray, share: np.ndarray | None = None) -> np.ndarray:
        """Inputs that represent values, with ``share`` or zeros for missing entries."""
        return np.where(np.isnan(v), v.dtype.type(0), v)

    def value(self, inputs: np.ndarray) -> np.ndarray:
        """Convert inputs, or means of inputs, to values."""
        return inputs

    def nll(self, out: np.ndarray, v: np.ndarray, dispersion: Any = ()) -> np.ndarray:
        """Negative log-likelihood of the known entries, (n_rows * n_each,)."""
        return -self.log_p(out, v, dispersion).sum(axis=1)

    @abstractmethod
    def nll_grad(
        self, out: np.ndarray, v: np.ndarray, weight: np.ndarray, dispersion: Any = ()
    ) -> tuple:
        """Gradient of the sum of :meth:`nll` times ``weight``, (n_rows * n_each,), with
        respect to ``out`` and to ``dispersion``, or () if there is none."""

    @abstractmethod
    def log_p(self, out: np.ndarray, v: np.ndarray, dispersion: Any = ()) -> np.ndarray:
        """Log probability of each entry, (n_rows * n_each, n_columns); 0 if missing."""

    def log_likelihood(self, out: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Log-likelihood of each row, (n_rows,), summed in float64."""
        return self.log_p(out, v).astype(np.float64).sum(axis=1)

    @abstractmethod
    def expected(self, out: np.ndarray) -> np.ndarray:
        """Means of inputs, (n_rows, n_inputs_in_all)."""

    @abstractmethod
    def expected_grad(self, out: np.ndarray, grad: np.ndarray) -> np.ndarray:
        """Gradient by ``out`` from the gradient by :meth:`expected`."""

    def mean(self, out: np.ndarray) -> np.ndarray:
        """Mean of each entry, or the most probable category, as values."""
        return self.value(self.expected(out))

    def mode(self, out: np.ndarray) -> np.ndarray:
        """Most probable value of each entry: the mean, unless overridden."""
        return self.mean(out)

    def resampled(self, v: np.ndarray, rng: Stream) -> np.ndarray:
        """Replace gray values of binary columns by draws; others do not change."""
        return v

    @abstractmethod
    def draw(self, out: np.ndarray, rng: Stream, dispersion: Any = ()) -> np.ndarray:
        """Draw values, (n_rows, n_columns), with a stream for each row."""


def repeated(v, out):
    """Rows of values, repeated to match the rows of outputs."""
    n_each = len(out) // len(v) if len(v) else 1
    return v if n_each == 1 else np.repeat(v, n_each, axis=0)
