"""Roles of distributions: a block of an energy's units, and columns above a net.

In an energy, a block is an exponential family, whose natural parameters are those of
its own and the input from its neighbours. Above a net, columns of one kind have the
net's outputs for parameters.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple, Self

import numpy as np

from skdgm.typing import Tree
from skdgm.utils.lists import Lists, Values, dot
from skdgm.utils.random import Stream


class Unit(ABC):
    r"""A block of variables as a conditional exponential family.

    .. math:: \log p(x \mid \eta) = \log w(x; \eta) - A(\eta)

    ``own`` are the block's parameters, a tree of arrays of shape (size,); ``eta`` its
    natural parameters, a tree of arrays of shape (n_rows, size), or (size,) for all
    rows. Values x and means have shape (n_rows, size). A value may be
    :class:`~skdgm.utils.lists.Lists` wherever ``sample`` returns these.

    Attributes: ``size``, the number of columns of a value; ``n_states``, the number of
    joint states, infinite for real numbers; ``ends``, the least and the greatest entry
    of a statistic, infinite unless known, as numbers or arrays of shape (size,);
    ``form``, by which kernels know "bits", "pooled" ones, "one" of several, "sites" and
    "normal" units; and whether values have probabilities, and :meth:`mode` is one of
    them (``listable``); they are no lists of ones (``numbers``); means are exponentials
    of fields (``exponential``); and all gains fit the values (``scaled``). A unit with
    finitely many states has ``states(codes)``, those of given numbers, of shape
    (n_codes, size); ``draw(mean, rng)``, values drawn from means; and
    ``log_prob(mean, x)``, their log probabilities, float64 of shape (n_rows,).
    """

    __slots__ = ()
    ends, listable, form = (-np.inf, np.inf), False, None
    numbers, exponential, scaled = False, False, False

    @abstractmethod
    def init(self, moments: Any = None, dtype: type = float) -> Tree:
        """Parameters, a tree of arrays of shape (size,), with which the block without
        neighbours has the given means (with variances, of real numbers); zeros without
        them."""

    @abstractmethod
    def field(self, own: Tree, received: float | np.ndarray = 0.0) -> Tree:
        """Natural parameters eta for the input ``received`` from the neighbours."""

    @abstractmethod
    def statistic(self, own: Tree, x: Values) -> Values:
        """Sufficient statistic of x, by which couplings multiply, (n_rows, size)."""

    @abstractmethod
    def log_weight(self, eta: Tree, x: Values) -> np.ndarray:
        """Log of the unnormalised probability of each row of x, (n_rows,), float64."""

    @abstractmethod
    def log_partition(self, eta: Tree) -> np.ndarray:
        """Sum of A(eta) over the block, for each row, in float64."""

    @abstractmethod
    def log_evidence(self, eta: Tree, x: np.ndarray, clamped: np.ndarray) -> np.ndarray:
        """Log weight of partly clamped rows x, with their free entries summed out,
        under each of several fields: (n_rows, n_fields) in float64, of a field of shape
        (size,) with n_fields = 1; ``clamped`` is a mask of entries."""

    @abstractmethod
    def mean(self, eta: Tree) -> np.ndarray:
        """Mean of each unit, with the shape and dtype of ``eta``."""

    def mode(self, eta: Tree) -> np.ndarray:
        """Most probable value of each unit: of real numbers the mean."""
        return self.mean(eta)

    @abstractmethod
    def sample(self, eta: Tree, rng: Stream) -> tuple:
        """Draw a value for each row of a Stream: x and the mean that it was drawn from,
        both of shape (n_rows, size)."""

    @abstractmethod
    def entropy(self, own: Tree, mean: np.ndarray) -> np.ndarray:
        """Contribution of each unit to the entropy, in nats, (n_rows, size)."""

    @abstractmethod
    def param_grad(self, own: Tree, x: Values, received: Callable) -> Tree:
        """Derivative of each row's log weight by the parameters: a tree like ``own`` of
        (n_rows, size); ``received()`` returns the input from the neighbours."""

    def pack(self, x: Values) -> Values:
        """Convert values to the form that ``sample`` returns: as they are."""
        return x

    def only(self, entries: np.ndarray) -> Self:
        """Block of some of the units, given by their indices."""
        return self._replace(size=len(entries))

    def bias_of(self, own: Tree) -> np.ndarray:
        """Entry of the parameters (or their gradient) that is added to the input."""
        return own

    def with_bias(self, own: Tree, bias: np.ndarray) -> Tree:
        """Copy of the parameters (or their gradient) with another bias."""
        return bias

    def scale(self, own: Tree) -> float | np.ndarray:
        """Standard deviation of the statistic, the unit of weights below: 1."""
        return 1.0

    def curvature(self, own: Tree) -> Tree | None:
        """Sum of curvatures by fields, which damps steps; None with limited values."""
        return None

    def inverse_information(self, own: Tree) -> np.ndarray | None:
        """Inverse Fisher information of each bias, (size,), by which steps of a visible
        block are multiplied; None where it is about 1."""
        return None

    def constrain(self, own: Tree) -> None:  # noqa: B027  Most have no limits.
        """Project parameters onto the allowed set, in place: biases have no limits."""


class Canonical(Unit):
    """A block whose parameters are biases of shape (size,).

    A bias is the natural parameter without neighbours, the sufficient statistic is the
    value itself, and the log weight is the sum of eta x. Values are lists of ones.
    """

    __slots__ = ()
    ends = 0.0, 1.0

    def field(self, own: Tree, received: float | np.ndarray = 0.0) -> Tree:
        """Natural parameters eta = bias + input from the neighbours."""
        return own + received

    def statistic(self, own: Tree, x: Values) -> Values:
        """Sufficient statistic of x: x itself."""
        return x

    def log_weight(self, eta: Tree, x: Values) -> np.ndarray:
        return dot(x, eta)

    def param_grad(self, own: Tree, x: Values, received: Callable) -> Tree:
        """Derivative of each row's log weight by the bias: x."""
        return x

    def pack(self, x: Values) -> Values:
        """Convert values to the form that ``sample`` returns: Lists of ones."""
        return Lists.pack(x, binary=True)


class _Size(NamedTuple):
    size: int


class Biased(_Size, Canonical):
    """A :class:`Canonical` block of ``size`` entries. ``pull(mean, grad)`` of some
    returns the derivative by natural parameters, given that by means."""

    __slots__ = ()


class Output(ABC):
    r"""Distributions of the columns of a table, given outputs of a net.

    .. math:: p(x \mid z) = \prod_j p(x_j; z_j)

    for a decoder, whose outputs z depend on latent variables, and for an autoregressive
    net, whose :math:`z_j` depend on the columns before j.

    Values ``v`` have shape (n_rows, n_columns), NaN where missing; their representation
    as ``inputs`` of a net (n_rows, n_inputs_in_all); ``out`` (n_rows, n_outputs_in_all)
    and, in losses and log probabilities, (n_rows * n_each, n_outputs_in_all), with
    ``n_each`` consecutive rows for a row of values. ``own`` is an array of parameters
    that no net puts out, or (). ``share`` are the marginal means of inputs, of shape
    (n_inputs_in_all,), or None for standardised columns. Results have the dtype of
    ``out`` unless another is named, and probabilities are in nats.

    Parameters
    ----------
    sizes : ndarray of int, of shape (n_columns,)
        Number of categories of each column; 1 where there are none.

    Attributes
    ----------
    kind : str
        "bernoulli", "categorical" or "gaussian", or None for several.
    n_inputs, n_outputs : ndarray of int, of shape (n_columns,)
        Number of inputs that represent, and of outputs that describe, each column.
    """

    kind = None

    def __init__(self, sizes: np.ndarray):
        self.n_inputs = self.n_outputs = sizes

    def start(self, share: np.ndarray | None) -> np.ndarray:
        """Outputs that reproduce the marginals, (n_outputs_in_all,), float64: zeros for
        standardised columns."""
        return np.zeros(self.n_outputs.sum())

    def own(self, dtype: type) -> Tree:
        """Initial parameters of the distribution itself: none."""
        return ()

    def inputs(self, v: np.ndarray, share: np.ndarray | None = None) -> np.ndarray:
        """Inputs that represent values; ``share`` or zeros for missing entries."""
        return np.where(np.isnan(v), v.dtype.type(0), v)

    def value(self, inputs: np.ndarray) -> np.ndarray:
        """Convert inputs, or means of inputs, to values."""
        return inputs

    def nll(self, out: np.ndarray, v: np.ndarray, own: Tree = ()) -> np.ndarray:
        """Negative log-likelihood of rows' known entries, (n_rows * n_each,)."""
        return -self.log_p(out, v, own).sum(axis=1)

    @abstractmethod
    def nll_grad(
        self, out: np.ndarray, v: np.ndarray, weight: np.ndarray, own: Tree = ()
    ) -> tuple:
        """Gradient of the sum of ``weight``, (n_rows * n_each,), times :meth:`nll`: by
        ``out``, and by ``own`` or ()."""

    @abstractmethod
    def log_p(self, out: np.ndarray, v: np.ndarray, own: Tree = ()) -> np.ndarray:
        """Log probability of each entry, (n_rows * n_each, n_columns); 0 if missing."""

    def log_likelihood(self, out: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Log-likelihood of each row, of shape (n_rows,), summed in float64."""
        return self.log_p(out, v).astype(np.float64).sum(axis=1)

    @abstractmethod
    def expected(self, out: np.ndarray) -> np.ndarray:
        """Means of inputs, of shape (n_rows, n_inputs_in_all)."""

    @abstractmethod
    def expected_grad(self, out: np.ndarray, grad: np.ndarray) -> np.ndarray:
        """Gradient by ``out``, given that by :meth:`expected`."""

    def mean(self, out: np.ndarray) -> np.ndarray:
        """Mean of each entry (of categories, the most probable), as values."""
        return self.value(self.expected(out))

    def mode(self, out: np.ndarray) -> np.ndarray:
        """Most probable value of each entry: the mean, unless overridden."""
        return self.mean(out)

    def resampled(self, v: np.ndarray, rng: Stream) -> np.ndarray:
        """Replace grey values of bits by draws; others are left as they are."""
        return v

    @abstractmethod
    def draw(self, out: np.ndarray, rng: Stream, own: Tree = ()) -> np.ndarray:
        """Draw values, of shape (n_rows, n_columns), with a stream for each row."""


def repeated(v, out):
    """Rows of values, each as often as its rows of outputs."""
    n_each = len(out) // len(v) if len(v) else 1
    return v if n_each == 1 else np.repeat(v, n_each, axis=0)
