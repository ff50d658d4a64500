r"""What a net's outputs say of columns of a kind.

.. math:: \mathrm{Bernoulli}(x; \sigma(z)), \qquad \operatorname{softmax}(z)_x, \qquad
   \sum_k \alpha_k(z) \, \mathcal{N}(x; \mu_k(z), \sigma_k(z))

for bits, for codes of categories and for real numbers. Each kind knows, too, how its
values are seen by those that come after.
"""

import numpy as np

from skdgm.nets import Mixture, class_loss, log_probabilities, mixture_loss
from skdgm.nets import logistic_cross_entropy as bit_loss
from skdgm.utils.math import logit, sigmoid, softplus

# Between which deviations the means of a mixture's components begin.
_SPREAD = 1.5


class Bits:
    """Columns of 0, 1 and probabilities of 1.

    Parameters
    ----------
    sizes : ndarray of int
        A 1 for each column.
    """

    name = "bernoulli"

    def __init__(self, sizes):
        self.n_inputs = self.n_outputs = np.ones_like(sizes)

    def start(self, share):
        """Outputs that say how often there is a 1."""
        return logit(share)

    def inputs(self, v):
        """Values as those after them see them; zeros for what is missing."""
        return zeroed(v)

    def value(self, inputs):
        """Values that inputs, or means of such, stand for."""
        return inputs.clip(0, 1)

    def loss(self, out, v):
        """Surprise at rows."""
        return bit_loss(out, v)

    def log_p(self, out, v):
        """Log probability of each entry."""
        return v * out - softplus(out)

    def expected(self, out):
        """What is expected of each entry, as those after it see it."""
        return sigmoid(out)

    def mode(self, out):
        """What each entry is most likely to be."""
        return (out > 0).astype(out.dtype)

    def draw(self, out, rng):
        """Entries at random, with a stream for each row."""
        p = sigmoid(out)
        return (rng.uniform(p.shape[1], p.dtype.type) < p).astype(p.dtype)


class Codes:
    """Columns of codes, each with so many categories.

    Parameters
    ----------
    sizes : ndarray of int
    """

    name = "categorical"

    def __init__(self, sizes):
        self.n_inputs = self.n_outputs = sizes
        self.starts = np.cumsum(sizes) - sizes

    def start(self, share):
        """Outputs that say how frequent categories are."""
        return np.log(share)

    def inputs(self, v):
        """A 1 among zeros for each code; zeros for what is missing."""
        own = np.arange(self.n_inputs.sum()) - np.repeat(self.starts, self.n_inputs)
        return (np.repeat(v, self.n_inputs, axis=1) == own).astype(v.dtype)

    def value(self, inputs):
        """The codes that have the most."""
        parts = np.split(inputs, self.starts[1:], axis=1)
        codes = [part.argmax(axis=1) for part in parts]
        return np.stack(codes, axis=1).astype(inputs.dtype)

    def loss(self, out, v):
        """Surprise at rows."""
        return class_loss(out, v, self.starts)

    def log_p(self, out, v):
        """Log probability of each entry."""
        places = zeroed(v).astype(np.intp) + self.starts
        return np.take_along_axis(log_probabilities(out, self.starts), places, axis=1)

    def expected(self, out):
        """What is expected of each entry, as those after it see it: probabilities."""
        return np.exp(log_probabilities(out, self.starts))

    def mode(self, out):
        """The most probable code of each entry."""
        return self.value(out)

    def draw(self, out, rng):
        """Entries at random, with a stream for each row."""
        p = np.exp(log_probabilities(out, self.starts))
        parts = np.split(p, self.starts[1:], axis=1)
        luck = rng.uniform(len(parts), out.dtype.type)
        codes = [
            (np.cumsum(part, axis=1)[:, :-1] <= luck[:, [j]]).sum(axis=1)
            for j, part in enumerate(parts)
        ]
        return np.stack(codes, axis=1).astype(out.dtype)


class Reals:
    """Columns of standardised numbers.

    Parameters
    ----------
    sizes : ndarray of int
        A 1 for each column.
    mixture : Mixture
        What their densities are.
    """

    name = "gaussian"

    def __init__(self, sizes, mixture):
        self.mixture = mixture
        self.n_inputs, self.n_outputs = sizes, 3 * mixture.n_components * sizes

    def start(self, share):
        """Outputs that say that numbers are standardised."""
        n = self.mixture.n_components
        means = np.linspace(-_SPREAD, _SPREAD, n) if n > 1 else np.zeros(1)
        own = np.concatenate([np.zeros(n), means, np.zeros(n)])
        return np.tile(own, len(self.n_inputs))

    def inputs(self, v):
        """Values as those after them see them; zeros, their mean, for what is
        missing."""
        return zeroed(v)

    def value(self, inputs):
        """Values that inputs, or means of such, stand for."""
        return inputs

    def loss(self, out, v):
        """Surprise at rows."""
        return mixture_loss(out, v, self.mixture)

    def log_p(self, out, v):
        """Log density of each entry."""
        return self.mixture.log_density(out, v)

    def expected(self, out):
        """What is expected of each entry, as those after it see it."""
        return self.mixture.mean(out)

    def mode(self, out):
        """Where each entry is most likely to be."""
        return self.mixture.mode(out)

    def draw(self, out, rng):
        """Entries at random, with a stream for each row."""
        n, real = len(self.n_inputs), out.dtype.type
        luck, other = rng.fold(0).uniform(n, real), rng.fold(1)
        return self.mixture.draw(out, luck, self.mixture.noise(other, n, real))


def zeroed(v):
    """Values with zeros for what is missing."""
    return np.where(np.isnan(v), v.dtype.type(0), v)


def kind_of(name, sizes, mixture):
    """The kind of columns that has a name."""
    if name == Reals.name:
        return Reals(sizes, mixture)
    return {kind.name: kind for kind in (Bits, Codes)}[name](sizes)


def standard_mixture(n_components, shape, min_variance, rescaled=True):
    """Mixtures of densities of which none is narrower than the root of a variance."""
    return Mixture(n_components, shape, float(np.sqrt(min_variance)), rescaled)
