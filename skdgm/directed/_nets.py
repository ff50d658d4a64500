"""Nets of a sigmoid belief network, made from options."""

from sklearn.utils.validation import check_is_fitted

from skdgm.data import check_pattern
from skdgm.directed._objective import OBJECTIVES, Belief
from skdgm.latent import Coins, DataLayer, Hierarchy, LinkedCoins
from skdgm.utils.counts import check_layer_sizes, chosen, layer_sizes
from skdgm.utils.orders import check_ordering, orders

objective = Belief
# Objectives that are defined for bits that depend on each other in the inference net,
# and in the model; those that have gradients of missing columns, and whether these are
# score functions.
_OF_Q = "rws", "vimco", "nvil", "reinforce", "wake-sleep"
_OF_P = {True: (*_OF_Q, "disarm", "concrete", "straight-through")}
_OF_P["nade"] = *_OF_Q, "disarm"
_LINKED = "autoregressive", "recognition_autoregressive", "ordering"
_SCORED = {"rws": False, "wake-sleep": False}
_SCORED |= {"vimco": True, "nvil": True, "reinforce": True}


def model(tree):
    """The hierarchy's part of parameters or statistics."""
    return tree.model


def widths(structure):
    """Numbers of hidden units, by layers."""
    return structure["hidden_layer_sizes"]


def check(asked):
    """Raise ValueError for options that are not what their types allow."""
    check_pattern(asked)
    found = layer_sizes(asked.hidden_layer_sizes)
    check_layer_sizes(found, "hidden_layer_sizes")
    if not found:
        raise ValueError("hidden_layer_sizes must have at least one number of units.")
    chosen(asked.feature_layer, len(found))
    OBJECTIVES[asked.objective].check(asked)
    if not hasattr(asked, "autoregressive"):
        return
    check_ordering(asked.ordering)
    of_p, of_q = asked.autoregressive, asked.recognition_autoregressive
    if of_q and asked.objective not in _OF_Q:
        raise ValueError(
            f'objective="{asked.objective}" needs independent bits in the inference '
            f"net: recognition_autoregressive must be False, not {of_q!r}."
        )
    if of_p and asked.objective not in _OF_P[of_p]:
        raise ValueError(
            f'objective="{asked.objective}" does not support autoregressive={of_p!r}.'
        )


def structure(asked):
    """Options that the nets depend on, a dict."""
    linked = {name: getattr(asked, name) for name in _LINKED if hasattr(asked, name)}
    if linked and not linked["autoregressive"]:
        # Nothing depends on it.
        linked["ordering"] = "given"
    return {
        "hidden_layer_sizes": layer_sizes(asked.hidden_layer_sizes),
        "column_types": asked.column_types,
        "variance": asked.variance if isinstance(asked.variance, str) else "fixed",
        **linked,
    }


def hierarchy(structure, asked, output, seed=0):
    """Layers of bits, each with logistic regressions on the next, up and down.

    Parameters
    ----------
    structure : dict
        From :func:`structure`.
    asked : object
        Options of the estimator.
    output : Output
        Distribution of the columns.
    seed : int, default=0
        Of a random order of the columns.

    Returns
    -------
    hierarchy : Hierarchy
    """
    found = structure["hidden_layer_sizes"]
    of_p, of_q, ordering = (structure.get(name) for name in _LINKED)
    coins, data = Coins(), None
    below, above = (LinkedCoins(kind) if kind else coins for kind in (of_p, of_q))
    if of_p:
        (order,) = orders(ordering, 1, len(output.n_inputs), seed)
        data = DataLayer(output, of_p, order, _SCORED.get(asked.objective))
    ends = output.n_inputs.sum(), output.n_outputs.sum()
    parts = found, ((),) * len(found), None, asked.init_weights
    return Hierarchy(*ends, *parts, above, below, data)


def link_weights(model):
    """Weights of links within layers of the inference net, and of the model, with the
    columns first: two lists, without layers that have none."""
    check_is_fitted(model)
    hierarchy = model._hierarchy(model._learned)
    of_q, (of_data, *of_p) = model._training.learned.model.links or ((), ((),))
    found = []
    for units, layers in (hierarchy.units, of_q), (hierarchy.generative, of_p):
        found.append([units.weights(own) for own in layers if len(own)])
    if len(of_data):
        found[1].insert(0, hierarchy.data.link.weights(of_data))
    return found
