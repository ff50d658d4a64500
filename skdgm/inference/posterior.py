r"""Exact posterior of a label, with the hidden units summed out.

.. math:: \log \tilde p(v, y) = \log w(v) + d_y + \sum_j A(c_j + U_{yj} + (v^\top W)_j),
   \qquad p(y \mid v) \propto \tilde p(v, y)

where the label is a softmax block of the first color, and A is the log partition
function of a hidden unit in the last color [1]_. The sum is evaluated for each label.

References
----------
.. [1] Larochelle and Bengio (2008). Classification using discriminative restricted
   Boltzmann machines. ICML.
"""

import numpy as np
from scipy.special import softmax

from skdgm.distributions import one_hot
from skdgm.energies import n_rows
from skdgm.utils.rows import slices

# Maximum number of natural parameters in memory.
_ENTRIES = 2**22


class LabelPosterior:
    """Posterior of the label of each row in a machine of two colors, given the values
    of the other blocks of the label's color. ``target`` is the number of the label's
    block, a Softmax."""

    def __init__(self, energy, params, x, target):
        if len(energy.colors) != 2:
            raise ValueError("The posterior of a label needs a model of two colors.")
        self.energy, self.params, self.x, self.target = energy, params, x, target
        codes = np.zeros(n_rows(x), int)
        self.nothing = one_hot(codes, self.n_states, params.dtype)
        self.nothing.count[:] = 0
        without_label = self._with(self.nothing)
        # Input of each hidden block from all blocks but the label, and from each label.
        self.received = {
            block: energy.received(params, without_label, block)
            for block in energy.colors[-1]
        }
        self.sent = {}
        for number, other, is_upper in energy.neighbors(target):
            W = energy.couplings[number].matrix(params.couplings[number])
            self.sent[other] = W.T if is_upper else W

    @property
    def n_states(self):
        """Number of labels."""
        return self.energy.units[self.target].size

    def _with(self, label):
        values = list(self.x)
        values[self.target] = label
        return tuple(values)

    def fields(self, block):
        """Iterate over groups of labels; yield a slice of label numbers and a hidden
        block's natural parameters given these labels, (n_labels * n_rows, size), in the
        order of labels."""
        max_labels = _ENTRIES // self.received[block].size
        for states in slices(self.n_states, max_labels):
            received = self.sent[block][states, None] + self.received[block]
            received = received.reshape(-1, received.shape[-1])
            yield states, self.energy.field(self.params, block, received)

    def log_joint(self):
        r"""Unnormalized :math:`\log \tilde p(v, y)`, (n_rows, n_states), float64."""
        energy, params = self.energy, self.params
        label_field = energy.units[self.target].field(params.units[self.target])
        total = np.tile(label_field.astype(np.float64), (len(self.nothing), 1))
        for block in energy.rest():
            if block != self.target:
                total += energy.unit_log_weight(params, self.x, block)[:, None]
        for block in energy.colors[-1]:
            for states, field in self.fields(block):
                log_sums = energy.units[block].log_partition(field)
                total[:, states] += log_sums.reshape(-1, len(total)).T
        return total

    def means(self, block):
        """Iterate over groups of labels; yield a slice of label numbers and a hidden
        block's means given these labels, (n_labels, n_rows, size)."""
        for states, field in self.fields(block):
            mean = self.energy.units[block].mean(field)
            yield states, mean.reshape((-1, *self.received[block].shape))

    def mean(self, block, log_joint):
        r"""Means of a hidden block with the label summed out, (n_rows, size).

        .. math:: \mathbb{E}[h \mid v] = \sum_y p(y \mid v) \, \mathbb{E}[h \mid v, y]
        """
        probabilities = softmax(log_joint, axis=1).astype(self.params.dtype)
        return sum(
            np.einsum("rk,krj->rj", probabilities[:, states], block_means)
            for states, block_means in self.means(block)
        )
