"""Nets of a sigmoid belief network, made from options."""

from skdgm.data import check_pattern
from skdgm.directed._objective import Belief, draws_of
from skdgm.latent import Coins, Hierarchy
from skdgm.utils.counts import check_layer_sizes, chosen, layer_sizes

objective = Belief


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
    if asked.objective == "vimco" and draws_of(asked) < 2:
        raise ValueError('objective="vimco" compares draws: n_importance must be >= 2.')


def structure(asked):
    """Options that the nets depend on, a dict."""
    return {
        "hidden_layer_sizes": layer_sizes(asked.hidden_layer_sizes),
        "column_types": asked.column_types,
        "variance": asked.variance if isinstance(asked.variance, str) else "fixed",
    }


def hierarchy(structure, asked, output):
    """Layers of bits, each with logistic regressions on the next, up and down.

    Parameters
    ----------
    structure : dict
        From :func:`structure`.
    asked : object
        Options of the estimator.
    output : Output
        Distribution of the columns.

    Returns
    -------
    hierarchy : Hierarchy
    """
    found = structure["hidden_layer_sizes"]
    ends = output.n_inputs.sum(), output.n_outputs.sum()
    return Hierarchy(
        *ends, found, ((),) * len(found), None, asked.init_weights, Coins()
    )
