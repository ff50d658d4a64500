"""Models of sigmoid belief networks: nets built from options."""

from types import SimpleNamespace

from skdgm.directed._geometric import GeometricObjective
from skdgm.directed._geometric_density import GeometricDensity
from skdgm.directed._model_options import (
    BitLayersOptionsT,
    GeometricOptions,
    HelmholtzOptions,
    SigmoidBeliefOptions,
)
from skdgm.directed._objective import OBJECTIVES, DirectedObjective
from skdgm.latent import (
    AutoregressiveBernoulliUnits,
    BernoulliUnits,
    DataLayer,
    Hierarchy,
    LatentModel,
)
from skdgm.latent.hierarchy import DataEnd
from skdgm.utils.counts import check_layer_sizes, chosen, layer_sizes
from skdgm.utils.orders import check_ordering, orders

# Objectives that support autoregressive bits in the inference net, and in the model;
# objectives with gradients of missing columns, and whether these are score functions.
_OF_Q = "rws", "vimco", "nvil", "reinforce", "wake-sleep"
_OF_P = {
    True: (*_OF_Q, "disarm", "concrete", "straight-through"),
    "nade": (*_OF_Q, "disarm"),
}
_SCORED = {"rws": False, "wake-sleep": False}
_SCORED |= {"vimco": True, "nvil": True, "reinforce": True}


class BitLayersModel(LatentModel[BitLayersOptionsT]):
    """Layers of bits, connected by logistic regressions in both directions."""

    objective_class = DirectedObjective

    def check(self, options):
        super().check(options)
        sizes = layer_sizes(options.hidden_layer_sizes)
        check_layer_sizes(sizes, "hidden_layer_sizes")
        if not sizes:
            raise ValueError(
                "hidden_layer_sizes must have at least one number of units."
            )
        chosen(options.feature_layer, len(sizes))
        OBJECTIVES[options.objective].check(options)
        check_ordering(options.ordering)
        of_p, of_q = options.autoregressive, options.recognition_autoregressive
        if of_q and options.objective not in _OF_Q:
            raise ValueError(
                f'objective="{options.objective}" needs independent bits in the '
                "inference net: recognition_autoregressive must be False, not "
                f"{of_q!r}."
            )
        if of_p and options.objective not in _OF_P[of_p]:
            raise ValueError(
                f'objective="{options.objective}" does not support '
                f"autoregressive={of_p!r}."
            )

    def structure(self, facts):
        options = facts.options
        variance = options.variance if isinstance(options.variance, str) else "fixed"
        return SimpleNamespace(
            hidden_layer_sizes=layer_sizes(options.hidden_layer_sizes),
            column_types=options.column_types,
            variance=variance,
            autoregressive=options.autoregressive,
            recognition_autoregressive=options.recognition_autoregressive,
            # Without links, the order has no effect.
            ordering=options.ordering if options.autoregressive else "given",
        )

    def hierarchy(self, facts):
        structure, options, output = facts.structure, facts.options, self.output(facts)
        of_p, of_q = structure.autoregressive, structure.recognition_autoregressive
        bernoulli, links, sizes = BernoulliUnits(), None, structure.hidden_layer_sizes
        if of_p:
            n_columns = len(output.n_inputs)
            (order,) = orders(structure.ordering, 1, n_columns, facts.seed)
            links = DataLayer(output, of_p, order, _SCORED.get(options.objective))
        return Hierarchy(
            DataEnd(output.n_inputs.sum(), output.n_outputs.sum(), links),
            sizes,
            n_hidden=((),) * len(sizes),
            block=None,
            init=options.init_weights,
            units=AutoregressiveBernoulliUnits(of_q) if of_q else bernoulli,
            generative=AutoregressiveBernoulliUnits(of_p) if of_p else bernoulli,
        )

    def of_hierarchy(self, tree):
        """Parameters or statistics of the hierarchy."""
        return tree.model

    def attributes(self, facts, state):
        prior = self.of_hierarchy(state.learned).prior
        return super().attributes(facts, state) | {"prior_intercept_": prior}


class SigmoidBeliefModel(BitLayersModel[SigmoidBeliefOptions]):
    """Layers of bits, with all objectives."""


class HelmholtzModel(BitLayersModel[HelmholtzOptions]):
    """Layers of bits for an estimator that separates parameters by direction."""

    attributes = LatentModel.attributes


class GeometricModel(BitLayersModel[GeometricOptions]):
    """Layers of bits with the geometric mean of both directions."""

    objective_class, density_class = GeometricObjective, GeometricDensity

    def density(self, facts, state):
        density = super().density(facts, state)
        density.known_log_Z = facts.known.log_Z_
        return density


def link_weights(density):
    """Link weights within layers of the inference net, and of the model starting at the
    columns: two lists, without layers that have no links."""
    hierarchy, links = density.hierarchy, density.net.params.links
    of_q, (data_link, *of_p) = links or ((), ((),))
    recognition = [hierarchy.units.weights(link) for link in of_q if len(link)]
    weights = [hierarchy.generative.weights(link) for link in of_p if len(link)]
    if len(data_link):
        weights.insert(0, hierarchy.data.link.weights(data_link))
    return recognition, weights
