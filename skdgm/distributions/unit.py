"""Role of a distribution in an energy: a block of variables of one kind.

A block is an exponential family, whose natural parameters are those of its own and the
input from its neighbours. Base class of units, and of those with biases.
"""

from abc import ABC, abstractmethod
from typing import NamedTuple

from skdgm.utils.lists import Lists, dot


class Unit(ABC):
    r"""A block of variables as a conditional exponential family.

    .. math:: \log p(x \mid \eta) = \log w(x; \eta) - A(\eta)

    ``own`` are the block's parameters, a tree of arrays of shape (size,); ``eta`` its
    natural parameters, a tree of arrays of shape (n_rows, size), or (size,) for all
    rows. Values x and means have shape (n_rows, size). A value may be
    :class:`~skdgm.utils.lists.Lists` wherever ``sample`` returns these.

    Attributes: ``size``, the number of columns of a value; ``n_states``, the number of
    joint states of the block, infinite for real numbers. A unit with finitely many has
    ``states(codes)``, the states of given numbers, of shape (n_codes, size);
    ``draw(mean, rng)``, values drawn from means; and ``log_prob(mean, x)``, their log
    probabilities, float64 of shape (n_rows,).
    """

    __slots__ = ()

    @abstractmethod
    def init(self, moments=None, dtype=float):
        """Parameters with which the block without neighbours has the given moments.

        Parameters
        ----------
        moments : object, optional
            Means (with variances, of real numbers); without them, parameters are zero.
        dtype : dtype

        Returns
        -------
        own : tree of ndarray of shape (size,)
        """

    @abstractmethod
    def field(self, own, received=0.0):
        """Natural parameters eta for the input ``received`` from the neighbours."""

    @abstractmethod
    def statistic(self, own, x):
        """Sufficient statistic of x, by which couplings multiply, (n_rows, size)."""

    @abstractmethod
    def log_weight(self, eta, x):
        """Log of the unnormalised probability of each row of x, (n_rows,), float64."""

    @abstractmethod
    def log_partition(self, eta):
        """Sum of A(eta) over the block, for each row, in float64."""

    @abstractmethod
    def log_evidence(self, eta, x, clamped):
        """Log weight of partly clamped rows, with their free entries summed out.

        Parameters
        ----------
        eta : tree of ndarray of shape (n_fields, size)
        x : ndarray of shape (n_rows, size)
        clamped : ndarray of bool of shape (n_rows, size)
            True for clamped entries; others of x are ignored.

        Returns
        -------
        log_weight : ndarray of shape (n_rows, n_fields), float64
        """

    @abstractmethod
    def mean(self, eta):
        """Mean of each unit, with the shape and dtype of ``eta``."""

    @abstractmethod
    def sample(self, eta, rng):
        """Draw a value for each row of a Stream: x and the mean that it was drawn from,
        both of shape (n_rows, size)."""

    @abstractmethod
    def entropy(self, own, mean):
        """Contribution of each unit to the entropy, in nats, (n_rows, size)."""

    @abstractmethod
    def param_grad(self, own, x, received):
        """Derivative of each row's log weight by the parameters: a tree like ``own`` of
        (n_rows, size); ``received()`` returns the input from the neighbours."""

    def pack(self, x):
        """Convert values to the form that ``sample`` returns: as they are."""
        return x

    def bias_of(self, own):
        """Entry of the parameters (or their gradient) that is added to the input."""
        return own

    def with_bias(self, own, bias):
        """Copy of the parameters (or their gradient) with another bias."""
        return bias

    def scale(self, own):
        """Standard deviation of the statistic, the unit of weights below: 1."""
        return 1.0

    def constrain(self, own):  # noqa: B027  Most have no limits.
        """Project parameters onto the allowed set, in place: biases have no limits."""


class _Size(NamedTuple):
    size: int


class Biased(_Size, Unit):
    """A block of finitely many states, whose parameters are biases of shape (size,).

    A bias is the natural parameter without neighbours, the sufficient statistic is the
    value itself, and the log weight is the sum of eta x.
    """

    __slots__ = ()

    def field(self, own, received=0.0):
        """Natural parameters eta = bias + input from the neighbours."""
        return own + received

    def statistic(self, own, x):
        """Sufficient statistic of x: x itself."""
        return x

    def log_weight(self, eta, x):
        return dot(x, eta)

    def param_grad(self, own, x, received):
        """Derivative of each row's log weight by the bias: x."""
        return x

    def pack(self, x):
        """Convert values to the form that ``sample`` returns: Lists of ones."""
        return Lists.pack(x, binary=True)
