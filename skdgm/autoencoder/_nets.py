"""Nets and objective of a variational autoencoder, made from options.

A wiring has ``check(options)``, ``structure(options)``, a dict of what nets depend on,
``hierarchy(structure, options, output)``, the :class:`~skdgm.latent.Hierarchy`,
``widths(structure)``, sizes of its latent layers, ``objective``, a class, and
``model(tree)``, the hierarchy's part of the objective's parameters or statistics.
"""

from skdgm.autoencoder._bound import Bound
from skdgm.data import check_pattern
from skdgm.latent import Hierarchy, NormalUnits
from skdgm.nets import layers
from skdgm.utils.counts import check_layer_sizes

objective = Bound


def model(tree):
    """The hierarchy's part of parameters or statistics: all of it."""
    return tree


def widths(structure):
    """Numbers of latent units, by layers."""
    return structure["n_components"]


def shape(asked):
    """Numbers of latent units, and of hidden units of each encoder."""
    latent, hidden = asked.n_components, asked.hidden_layer_sizes
    latent = latent if isinstance(latent, tuple) else (latent,)
    hidden = hidden if isinstance(hidden, tuple) else (hidden,)
    if not any(isinstance(part, tuple) for part in hidden):
        hidden = (hidden,) if len(latent) == 1 else tuple((n,) for n in hidden)
    return latent, hidden


def check(asked):
    """Raise ValueError for sizes that are not what their types allow."""
    check_pattern(asked)
    latent, hidden = shape(asked)
    for name, sizes in (
        ("n_components", latent),
        *(("hidden_layer_sizes", part) for part in hidden),
    ):
        check_layer_sizes(sizes, name)
    if not latent:
        raise ValueError("n_components must have at least one number of units.")
    if len(hidden) != len(latent):
        raise ValueError(
            f"hidden_layer_sizes must have one tuple for each of the {len(latent)} "
            f"layers of n_components; got {asked.hidden_layer_sizes}."
        )


def structure(asked):
    """Options that the nets depend on, a dict."""
    latent, hidden = shape(asked)
    return {
        "n_components": latent,
        "hidden_layer_sizes": hidden,
        "column_types": asked.column_types,
        "variance": asked.variance if isinstance(asked.variance, str) else "fixed",
        "activation": asked.activation,
        "batch_norm": asked.batch_norm,
    }


def hierarchy(structure, asked, output):
    """Architecture of the nets.

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
    init = asked.init_weights

    def block(n_units):
        if structure["activation"] == "maxout":
            found = [layers.maxout(n_units, init=init)]
        elif structure["batch_norm"]:
            found = [layers.dense(n_units, init=init)]
        else:
            found = [layers.dense(n_units, structure["activation"], init)]
        if structure["batch_norm"]:
            found.append(layers.batch_norm())
            if structure["activation"] != "maxout":
                found.append(layers.activation(structure["activation"]))
        return *found, layers.dropout(asked.dropout)

    sizes = output.n_inputs.sum(), output.n_outputs.sum()
    parts = structure["n_components"], structure["hidden_layer_sizes"]
    # He's rule is for rectifiers; outputs are linear.
    linear = init.replace("he", "glorot")
    return Hierarchy(*sizes, *parts, block, linear, NormalUnits())
