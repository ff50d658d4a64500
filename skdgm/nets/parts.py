r"""Training states of several nets, each with its own optimizer.

.. math:: \theta \leftarrow \theta + \epsilon \, \Bigl(\nabla_\theta \mathcal{L}
   - \frac{\alpha}{n} W - 2 \beta (\theta - \bar\theta)\Bigr)

with the steps of an optimizer, for each net separately. Weights W decay. Historical
averaging pulls parameters toward the mean :math:`\bar\theta` of all past parameters
[1]_.

References
----------
.. [1] Salimans, Goodfellow, Zaremba, Cheung, Radford and Chen (2016). Improved
   techniques for training GANs. NeurIPS.
"""

from typing import NamedTuple

from skdgm.optim import (
    FlatParameters,
    adam,
    clip_norm,
    learning_rate,
    piecewise,
    rmsprop,
    sgd,
)
from skdgm.utils.tree import copy, leaves, tree_map

SOLVERS = {"adam": adam, "sgd": sgd, "rmsprop": rmsprop}


class Part(NamedTuple):
    """Training state of a net, or of nets that are trained together. It has parameters,
    running statistics, optimizer state, and for historical averaging the mean of all
    past parameters."""

    params: tuple
    statistics: tuple
    optimizer: tuple = ()
    past: tuple = ()


class Parts:
    """Optimizer steps of several parts. Options are ``solver``, ``learning_rate``,
    ``schedule``, ``power_t``, ``momentum``, ``beta_2``, ``alpha``, ``clip_norm`` and
    ``historical_averaging``."""

    def __init__(self, options):
        self.options, self._flat = options, {}
        self.pull = options.historical_averaging

    def ready(self, part):
        """Part from which to continue training, or (); the optimizer state is kept if
        the solver is the same."""
        if not part:
            return part
        fresh = SOLVERS[self.options.solver].init(part.params)
        if not part.optimizer or type(part.optimizer) is not type(fresh):
            part = part._replace(optimizer=fresh)
        past = part.past if self.pull else ()
        if self.pull and not past:
            past = copy(part.params)
        return part._replace(past=past)

    def ascend(self, name, part, grads, clock, n_rows, *, rate=None, n_before=0):
        """Take an optimizer step along the gradient of a batch of ``n_rows``; return
        the part. ``name`` identifies the part. ``rate``, the initial learning rate, is
        by default that of the options. ``n_before`` is the number of previous updates,
        for historical averaging."""
        flat = self._flat.get(name)
        if flat is None or part.params is not flat.params:
            flat = self._flat[name] = FlatParameters(part.params, part.optimizer)
            part = part._replace(params=flat.params, optimizer=flat.optimizer)
        if part.past:
            pull = -2 * self.pull
            grads = tree_map(
                lambda g, p, m: g + p.dtype.type(pull) * (p - m),
                grads,
                part.params,
                part.past,
            )
        ascend(flat, self.options, grads, clock, n_rows, rate)
        if part.past:
            follow(part.past, part.params, 1 / (n_before + 2))
        return part


def ascend(flat, options, grads, clock, n_rows, rate=None, exempt_from_decay=None):
    """Take an optimizer step in place; options are those of :class:`Parts`.
    ``exempt_from_decay(grads, l2)`` exempts some weights from decay."""
    rate = options.learning_rate if rate is None else rate
    grads = clip_norm(grads, options.clip_norm)
    l2 = piecewise(options.alpha, clock) / n_rows
    if exempt_from_decay is not None and l2:
        exempt_from_decay(grads, l2)
    details = {"beta_2": options.beta_2} if options.solver == "adam" else {}
    flat.step(
        SOLVERS[options.solver],
        grads,
        rate=learning_rate(rate, options.schedule, clock, options.power_t),
        momentum=options.momentum,
        l2=l2,
        **details,
    )


def follow(mean, params, weight):
    """Move an average toward parameters, a tree of the same structure, in place; weight
    1 replaces the average."""
    for average, leaf in zip(leaves(mean), leaves(params), strict=True):
        average += average.dtype.type(weight) * (leaf - average)
