"""Models of sigmoid belief networks: nets made of options."""

from functools import partial
from types import SimpleNamespace

from skdgm.directed._geometric import GeometricObjective
from skdgm.directed._geometric_density import GeometricDensity
from skdgm.directed._objective import OBJECTIVES, DirectedObjective
from skdgm.latent import Coins, DataLayer, Hierarchy, LatentModel, LinkedCoins
from skdgm.utils.counts import check_layer_sizes, chosen, layer_sizes
from skdgm.utils.orders import check_ordering, orders

# Objectives that are defined for bits that depend on each other in the inference net,
# and in the model; those that have gradients of missing columns, and whether these are
# score functions.
_OF_Q = "rws", "vimco", "nvil", "reinforce", "wake-sleep"
_OF_P = {True: (*_OF_Q, "disarm", "concrete", "straight-through")}
_OF_P["nade"] = *_OF_Q, "disarm"
_LINKED = "autoregressive", "recognition_autoregressive", "ordering"
_SCORED = {"rws": False, "wake-sleep": False}
_SCORED |= {"vimco": True, "nvil": True, "reinforce": True}


# What the models read of options of a :class:`~skdgm.SigmoidBeliefNetwork` that the
# other machines of bits lack.
PLAIN = {
    **{"autoregressive": False, "recognition_autoregressive": False},
    **{"ordering": "given", "n_importance": None, "gradient_draws": None},
}


class BeliefModel(LatentModel):
    """Layers of bits, each with logistic regressions on the next, up and down."""

    objective_class = DirectedObjective

    def check(self, options):
        """Raise ValueError for options that are not what their types allow."""
        super().check(options)
        found = layer_sizes(options.hidden_layer_sizes)
        check_layer_sizes(found, "hidden_layer_sizes")
        if not found:
            raise ValueError(
                "hidden_layer_sizes must have at least one number of units."
            )
        chosen(options.feature_layer, len(found))
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
        """Options that the nets depend on."""
        asked = facts.options
        linked = {name: getattr(asked, name) for name in _LINKED}
        if not asked.autoregressive:
            # Nothing depends on it.
            linked["ordering"] = "given"
        return SimpleNamespace(
            hidden_layer_sizes=layer_sizes(asked.hidden_layer_sizes),
            column_types=asked.column_types,
            variance=asked.variance if isinstance(asked.variance, str) else "fixed",
            **linked,
        )

    def hierarchy(self, facts):
        """Architecture of the nets, a :class:`Hierarchy`."""
        own, options, output = facts.structure, facts.options, self.output(facts)
        of_p, of_q, ordering = (getattr(own, name) for name in _LINKED)
        coins, data = Coins(), None
        below, above = (LinkedCoins(kind) if kind else coins for kind in (of_p, of_q))
        if of_p:
            (order,) = orders(ordering, 1, len(output.n_inputs), facts.seed)
            data = DataLayer(output, of_p, order, _SCORED.get(options.objective))
        ends = output.n_inputs.sum(), output.n_outputs.sum()
        sizes = own.hidden_layer_sizes, ((),) * len(own.hidden_layer_sizes)
        return Hierarchy(*ends, *sizes, None, options.init_weights, above, below, data)

    def of_hierarchy(self, tree):
        """The hierarchy's part of parameters or statistics."""
        return tree.model

    def attributes(self, facts, state):
        """Fitted attributes of a training state, a dict by name."""
        prior = self.of_hierarchy(state.learned).prior
        return super().attributes(facts, state) | {"prior_intercept_": prior}


class HelmholtzModel(BeliefModel):
    """The same, whose estimator presents parameters by directions."""

    attributes = LatentModel.attributes


class GeometricModel(BeliefModel):
    """The same, of which the geometric mean of both directions is learned."""

    objective_class = GeometricObjective

    def density(self, facts, state):
        """Density of the fitted parameters, a :class:`GeometricDensity`."""
        known = partial(facts.known.log_Z_of, state)
        return super().density(facts, state, GeometricDensity, log_Z=known)


def link_weights(density):
    """Weights of links within layers of the inference net, and of the model, with the
    columns first: two lists, without layers that have none."""
    hierarchy, links = density.hierarchy, density.net[0].links
    of_q, (of_data, *of_p) = links or ((), ((),))
    found = []
    for units, layers in (hierarchy.units, of_q), (hierarchy.generative, of_p):
        found.append([units.weights(own) for own in layers if len(own)])
    if len(of_data):
        found[1].insert(0, hierarchy.data.link.weights(of_data))
    return found
