"""What units of finitely many states have in common: parameters that are biases.

The bias of a state or unit is its natural parameter without neighbours, the statistic
is the value itself, and the log weight is their product.
"""

from typing import NamedTuple

from skdgm.utils.lists import Lists, dot


class Biased(NamedTuple):
    """A block whose parameters are one bias each.

    Parameters
    ----------
    size : int
        Number of biases.
    """

    size: int

    def field(self, bias, received=0.0):
        """The natural parameter, given what the neighbours send."""
        return bias + received

    def statistic(self, bias, x):
        """What the couplings see of a value."""
        return x

    def log_weight(self, eta, x):
        """Log of a value's unnormalised probability, per row, in float64."""
        return dot(x, eta)

    def param_grad(self, bias, x, received):
        """Derivative of the log weight by the bias, row by row."""
        return x

    def pack(self, x):
        """Values as samples come: lists."""
        return Lists.pack(x, binary=True)

    def bias_of(self, bias):
        """What of a tree of parameters adds up with what is received."""
        return bias

    def with_bias(self, own, bias):
        """Such a tree with another bias."""
        return bias

    def scale(self, bias):
        """In what weights on a value are counted."""
        return 1.0

    def constrain(self, bias):
        """Bring parameters back to where they may be, in place."""
