"""Common part of units with finitely many states, whose parameters are biases.

The bias of a state or unit is its natural parameter without neighbours, the sufficient
statistic is the value itself, and the log weight is their product.
"""

from typing import NamedTuple

from skdgm.utils.lists import Lists, dot


class Biased(NamedTuple):
    """A block whose parameters are an array of biases of shape (size,).

    Values x have the shape (n_rows, size); so does what is received from neighbours.

    Parameters
    ----------
    size : int
        Number of biases.
    """

    size: int

    def field(self, bias, received=0.0):
        """Natural parameters eta = bias + input from the neighbours."""
        return bias + received

    def statistic(self, bias, x):
        """Sufficient statistic of x, by which couplings multiply: x itself."""
        return x

    def log_weight(self, eta, x):
        r"""Log of the unnormalised probability of x.

        .. math:: w_r = \sum_i \eta_{ri} x_{ri}

        Parameters
        ----------
        eta : ndarray of shape (n_rows, size) or (size,)
        x : {ndarray, Lists} of shape (n_rows, size)

        Returns
        -------
        log_weight : ndarray of shape (n_rows,), float64
        """
        return dot(x, eta)

    def param_grad(self, bias, x, received):
        """Derivative of the log weight by the bias, for each row: x.

        Parameters
        ----------
        bias : ndarray of shape (size,)
        x : {ndarray, Lists} of shape (n_rows, size)
        received : callable
            Returns the input from the neighbours; not needed here.

        Returns
        -------
        grad : {ndarray, Lists} of shape (n_rows, size)
            Of a unit with several parameters, their tree with such an array each.
        """
        return x

    def pack(self, x):
        """Convert values to the form that ``sample`` returns: Lists of ones."""
        return Lists.pack(x, binary=True)

    def bias_of(self, bias):
        """Entry of the parameters (or their gradient) that is added to the input."""
        return bias

    def with_bias(self, own, bias):
        """Copy of the parameters (or their gradient) with another bias."""
        return bias

    def scale(self, bias):
        """Standard deviation of the statistic, the unit of weights below: 1."""
        return 1.0

    def constrain(self, bias):
        """Project parameters onto the allowed set, in place: biases have no limits."""
