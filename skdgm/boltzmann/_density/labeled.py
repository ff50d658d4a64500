"""Densities of restricted machines with a label."""

import numpy as np
from scipy.special import log_softmax, logsumexp

from skdgm.boltzmann._density.layered import EnergyDensity
from skdgm.boltzmann.structure.labels import drawn, label_of, log_joint, with_label
from skdgm.energies import Params, layered
from skdgm.inference import LabelPosterior
from skdgm.utils.tree import astype


class LabeledMachineDensity(EnergyDensity):
    """Density of rows, with the label of a restricted machine marginalized."""

    _from_products = False

    @property
    def capabilities(self):
        kinds = super().capabilities
        del kinds["pseudo_likelihood"]
        return kinds | {"log_joint_of": kinds["numerator"]}

    def pair(self, dtype=None):
        (visible, _, hidden), (below, _, above) = self.energy.units, self.params.units
        params = Params((below, above), self.params.couplings[:1])
        return layered([[visible], [hidden]]), astype(params, dtype)

    def hidden_means(self, params, x, clamp):
        if clamp[0] is not True:
            return super().hidden_means(params, x, clamp)
        posterior = LabelPosterior(self.energy, params, x, label_of(self.energy))
        return posterior.mean(len(self.energy.units) - 1, posterior.log_joint())

    def log_joint(self, params, x, clamp):
        return log_joint(self.energy, params, x, clamp)

    def log_weight(self, params, x, clamp):
        return logsumexp(self.log_joint(params, x, clamp), axis=1)

    def drawn_even(self, params, x, clamp, rng):
        """Rows with labels drawn given the rows, and the log probabilities of the
        labels."""
        label = label_of(self.energy)
        posterior = LabelPosterior(self.energy, params, x, label)
        y = drawn(rng.fold(label), posterior)
        log_q = (log_softmax(posterior.log_joint(), axis=1) * np.asarray(y)).sum(axis=1)
        return with_label(x, label, y), log_q

    def clamp_rows(self, v):
        """Clamp the machine to rows; the label starts from its frequencies."""
        (v, *_), (clamped, *_) = super().clamp_rows(v)
        frequencies = self.moments[label_of(self.energy)].astype(self.params.dtype)
        return (v, np.tile(frequencies, (len(v), 1)), None), (clamped, None, None)
