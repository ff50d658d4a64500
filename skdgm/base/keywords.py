"""Keywords of constructors: signatures, and errors that name the option meant."""

import inspect
from difflib import get_close_matches

# Names of other packages for an option.
_KNOWN_AS = {
    "n_iter": ("max_iter", "epochs", "n_epochs", "num_epochs", "max_epochs"),
    "learning_rate": ("lr", "learning_rate_init", "eta0"),
    "hidden_layer_sizes": (
        *("n_hidden", "hidden_units", "hidden_dims", "hidden_sizes"),
        *("n_components", "layer_sizes"),
    ),
    "n_components": ("n_latent", "latent_dim", "z_dim", "n_hidden", "hidden_units"),
    "layer_type": ("layer",),
    "alpha": ("weight_decay", "l2", "l2_reg", "reg"),
    "random_state": ("seed", "random_seed"),
    "verbose": ("verbosity", "progress"),
    "batch_size": ("minibatch_size", "batch"),
}


class InitSignature:
    """Signature of a class, which is that of its ``__init__``."""

    def __get__(self, instance, owner):
        signature = inspect.signature(owner.__init__)
        return signature.replace(parameters=[*signature.parameters.values()][1:])


def check_keywords(cls, keywords):
    """Raise TypeError for a keyword that the constructor of a class does not have, with
    the name of the option or detail that is probably meant."""
    if keywords.keys() <= cls._parameter_constraints.keys():
        return
    parameters = inspect.signature(cls).parameters
    takes_all = any(one.kind is one.VAR_KEYWORD for one in parameters.values())
    for name in [] if takes_all else keywords.keys() - parameters.keys():
        raise TypeError(
            f"{cls.__name__}.__init__() got an unexpected keyword argument "
            f"{name!r}{meant_by(cls, name)}"
        )


def meant_by(cls, name):
    """End of a message with the option or detail that a keyword means, if known."""
    options, details = cls._parameter_constraints, cls._DETAILS
    others = [option for option, names in _KNOWN_AS.items() if name in names]
    close = get_close_matches(name, [*options, *details], n=1, cutoff=0.75)
    for meant in (name, *others, *close):
        if meant in options:
            return f": did you mean {meant!r}?"
        if meant in details:
            group = details[meant].group
            kinds = [kind for kind in options[group] if hasattr(kind, "by_field")]
            fields = [
                f"{group}={kind.__name__}({field}=...)"
                for kind in kinds
                for field in kind.by_field({meant: None})
            ]
            return f": it is a detail of {group!r}, {' or '.join(fields)}."
    return ""
