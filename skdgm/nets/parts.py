r"""Training states of several nets, each of which learns by an optimiser of its own.

.. math:: \theta \leftarrow \theta + \epsilon \, \Bigl(\nabla_\theta \mathcal{L}
   - \frac{\alpha}{n} W - 2 \beta (\theta - \bar\theta)\Bigr)

with the steps of the optimiser, for each net by itself. Weights W decay, and parameters
may be drawn to the mean :math:`\bar\theta` of all former ones [1]_.

References
----------
.. [1] Salimans, Goodfellow, Zaremba, Cheung, Radford and Chen (2016). Improved
   techniques for training GANs. NeurIPS.
"""

from typing import NamedTuple

from skdgm.optim import Joined, adam, clip_norm, learning_rate, piecewise, rmsprop, sgd
from skdgm.utils.tree import copy, leaves, tree_map

SOLVERS = {"adam": adam, "sgd": sgd, "rmsprop": rmsprop}


class Part(NamedTuple):
    """Training state of one net, or of some that learn together: parameters, running
    statistics, optimiser state, and the mean of all former parameters, for historical
    averaging, or ()."""

    params: tuple
    statistics: tuple
    optimiser: tuple = ()
    past: tuple = ()


class Parts:
    """Optimisers' steps of several parts, by ``solver``, ``learning_rate``,
    ``schedule``, ``power_t``, ``momentum``, ``beta_2``, ``alpha`` and ``clip_norm`` of
    options, and ``historical_averaging`` if they have it."""

    def __init__(self, options):
        self.options, self._joined = options, {}
        self.pull = getattr(options, "historical_averaging", 0.0)

    def ready(self, part):
        """Part to continue from, or (); the optimiser is kept if the solver is the
        same."""
        if not part:
            return part
        fresh = SOLVERS[self.options.solver].init(part.params)
        if not part.optimiser or type(part.optimiser) is not type(fresh):
            part = part._replace(optimiser=fresh)
        past = part.past if self.pull else ()
        if self.pull and not past:
            past = copy(part.params)
        return part._replace(past=past)

    def ascend(self, name, part, grads, clock, n_rows, *, rate=None, n_before=0):
        """Take an optimiser's step along a gradient of a batch of ``n_rows``; the part.

        ``name`` is the same one for each update of a part; ``rate``, the initial
        learning rate, is by default that of the options; ``n_before`` is the number of
        updates before, for historical averaging.
        """
        joined = self._joined.get(name)
        if joined is None or part.params is not joined.params:
            joined = self._joined[name] = Joined(part.params, part.optimiser)
            part = part._replace(params=joined.params, optimiser=joined.optimiser)
        if part.past:
            pull = -2 * self.pull
            grads = tree_map(
                lambda g, p, m: g + p.dtype.type(pull) * (p - m),
                grads,
                part.params,
                part.past,
            )
        ascend(joined, self.options, grads, clock, n_rows, rate)
        if part.past:
            follow(part.past, part.params, 1 / (n_before + 2))
        return part


def ascend(joined, options, grads, clock, n_rows, rate=None, spare=None):
    """Take an optimiser's step by options, as of :class:`Parts`, in place;
    ``spare(grads, l2)`` adds the part that weight decay spares to clipped gradients."""
    rate = options.learning_rate if rate is None else rate
    grads = clip_norm(grads, options.clip_norm)
    l2 = piecewise(options.alpha, clock) / n_rows
    if spare is not None and l2:
        spare(grads, l2)
    own = {"beta_2": options.beta_2} if options.solver == "adam" else {}
    joined.step(
        SOLVERS[options.solver],
        grads,
        rate=learning_rate(rate, options.schedule, clock, options.power_t),
        momentum=options.momentum,
        l2=l2,
        **own,
    )


def follow(mean, params, weight):
    """Move an average towards parameters, a tree like it, in place: to them by weight
    1."""
    for average, leaf in zip(leaves(mean), leaves(params), strict=True):
        average += average.dtype.type(weight) * (leaf - average)
