"""Models of restricted machines: visible units, an optional label, and hidden units."""

from functools import lru_cache

from skdgm.boltzmann.model_options import RealOptions, RestrictedOptionsT
from skdgm.boltzmann.structure.model import EnergyModel, n_classes
from skdgm.distributions import Bernoulli, Softmax
from skdgm.energies import Params, layered, plain


class Restricted(EnergyModel[RestrictedOptionsT]):
    """One hidden layer above the data and an optional label."""

    def energy(self, facts):
        visible, size = self.visible(facts), facts.structure.n_components
        return _energy(visible, size, n_classes(facts))

    def params(self, facts, attributes):
        units = [self.bottom(facts, attributes, attributes["intercept_visible_"])]
        weights = [attributes["components_"].T]
        if "label_components_" in attributes:
            units.append(attributes["intercept_label_"])
            weights.append(attributes["label_components_"].T)
        units.append(attributes["intercept_hidden_"])
        return Params(tuple(units), tuple(weights))

    def named(self, facts, params, visible, chains):
        named = {
            "components_": params.couplings[0].T,
            "intercept_visible_": visible,
            "intercept_hidden_": params.units[-1],
            "h_samples_": chains[-1],
        }
        if n_classes(facts):
            named["intercept_label_"] = params.units[1]
            named["label_components_"] = params.couplings[1].T
        return named

    def initial(self, facts):
        """Function that initializes data and hidden units from ``facts.known.given``,
        the parameters that a model of several machines provides, or None."""
        if facts.known.given is None:
            return None

        def given(objective, params):
            (visible, hidden), (W,) = facts.known.given
            # The label has its usual initial parameters.
            units, couplings = plain(params)
            return Params((visible, *units[1:-1], hidden), (W, *couplings[1:]))

        return given


class RealRestricted(Restricted[RealOptions]):
    """One hidden layer above real columns."""


RESTRICTED, REAL = Restricted(), RealRestricted()


# Typed, since blocks of different types and the same size are equal as tuples.
@lru_cache(maxsize=128, typed=True)
def _energy(visible, size, n_labels):
    """Cached energy of the layers."""
    label = [Softmax(n_labels)] if n_labels else []
    return layered([[visible, *label], [Bernoulli(size)]])
