"""Layers of restricted machines: visible units, perhaps a label, and hidden units."""

from skdgm.boltzmann._structure.layers import Layers
from skdgm.distributions import Bernoulli
from skdgm.energies import Params, layered, plain
from skdgm.utils.tree import astype


class Restricted(Layers):
    """One hidden layer; a label is beside the data."""

    option = "n_components"

    def sizes(self, options):
        """Sizes of the hidden layers that the options ask for."""
        return (options.n_components,)

    def learned_sizes(self, machine):
        """Sizes of the hidden layers of a fitted machine."""
        return (machine.components_.shape[0],)

    def wired(self, visible, sizes, label):
        """Energy of layers; see :class:`Layers`."""
        return layered([[visible, *label], [Bernoulli(*sizes)]])

    def pair(self, machine, dtype=None):
        """Energy and parameters of data and hidden units, without a label."""
        visible, *_, hidden = self.energy(machine).units
        own = self.visible(machine, machine.intercept_visible_)
        params = Params((own, machine.intercept_hidden_), (machine.components_.T,))
        return layered([[visible], [hidden]]), astype(params, dtype)

    def params(self, machine, dtype=None):
        """Parameters of a fitted machine; see :class:`Layers`."""
        own, weights = [self.visible(machine, machine.intercept_visible_)], []
        if hasattr(machine, "label_components_"):
            own.append(machine.intercept_label_)
            weights.append(machine.label_components_.T)
        own.append(machine.intercept_hidden_)
        return astype(Params(tuple(own), (machine.components_.T, *weights)), dtype)

    def named(self, units, couplings, visible, chains, labelled):
        """Fitted attributes of layers, by name; see :class:`Layers`."""
        found = {
            "components_": couplings[0].T,
            "intercept_visible_": visible,
            "intercept_hidden_": units[-1],
            "h_samples_": chains[-1],
        }
        if labelled:
            found["intercept_label_"] = units[1]
            found["label_components_"] = couplings[1].T
        return found

    def check_options(self, options):
        """Do nothing: the parameters' types exclude all wrong options."""

    def initial(self, machine):
        """Function that sets the parameters of data and hidden units that a model which
        the machine is part of has given it, if any."""
        if machine._given is None:
            return None

        def given(objective, params):
            (visible, hidden), (W,) = machine._given
            # Blocks beside the data start as they do without given parameters.
            units, couplings = plain(params)
            return Params((visible, *units[1:-1], hidden), (W, *couplings[1:]))

        return given


RESTRICTED = Restricted()
