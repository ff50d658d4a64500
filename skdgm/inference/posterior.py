r"""The exact distribution of a label, the hidden units being summed out.

.. math:: \log \tilde p(v, y) = \log w(v) + d_y + \sum_j A(c_j + U_{yj} + (v^\top W)_j),
   \qquad p(y \mid v) \propto \tilde p(v, y)

where the label is a softmax block beside the others of the even layers, and A the log
partition of a hidden unit [1]_. Few labels, so each is tried.

References
----------
.. [1] Larochelle and Bengio (2008). Classification using discriminative restricted
   Boltzmann machines. ICML.
"""

import numpy as np
from scipy.special import softmax

from skdgm.energies import EVEN, ODD, plain
from skdgm.units import one_hot


class Posterior:
    """What the label may be, for rows of the other even blocks.

    Parameters
    ----------
    energy, params
        A machine with one hidden layer.
    x : tuple
        Values of the even blocks; that of the label is not looked at.
    target : int
        The label's block.
    """

    def __init__(self, energy, params, x, target):
        self.energy, self.params, self.x, self.target = energy, params, x, target
        n_rows = max(len(part) for part in x if part is not None)
        self.nothing = one_hot(np.zeros(n_rows, int), self.n_states, params.dtype)
        self.nothing.count[:] = 0
        alone = self._with(self.nothing)
        # What each hidden block receives from all but the label, and what from that.
        self.received = {
            block: energy.received(params, alone, block)
            for block in energy.colours[ODD]
        }
        self.sent = {
            other: np.asarray(plain(params).couplings[link])
            for link, other, _ in energy.wiring.neighbours(target)
        }

    @property
    def n_states(self):
        """How many labels there are."""
        return self.energy.units[self.target].size

    def _with(self, label):
        parts = list(self.x)
        parts[self.target] = label
        return tuple(parts)

    def field(self, block, state):
        """A hidden block's natural parameter, given a label."""
        received = self.received[block] + self.sent[block][state]
        return self.energy.field(self.params, block, received)

    def log_joint(self):
        """Log of the unnormalised probability of each row with each label, float64."""
        energy, params = self.energy, self.params
        own = energy.units[self.target].field(params.units[self.target])
        total = np.tile(own.astype(np.float64), (len(self.nothing), 1))
        for block in energy.colours[EVEN]:
            if block != self.target:
                total += energy.lone_weight(params, self.x, block)[:, None]
        for block in energy.colours[ODD]:
            unit = energy.units[block]
            for state in range(self.n_states):
                total[:, state] += unit.log_partition(self.field(block, state))
        return total

    def means(self, block, state):
        """A hidden block's means, given a label."""
        return self.energy.units[block].mean(self.field(block, state))

    def mean(self, block, log_joint):
        """A hidden block's means, the label being summed out too."""
        share = softmax(log_joint, axis=1).astype(self.params.dtype)
        return sum(
            share[:, state, None] * self.means(block, state)
            for state in range(self.n_states)
        )
