"""``fit`` and ``partial_fit`` of autoencoders."""

from numbers import Integral

from skdgm.autoencoder._collapse import survey
from skdgm.autoencoder._hierarchy import Hierarchy
from skdgm.autoencoder._monitor import Monitor
from skdgm.autoencoder._trainer import Trainer
from skdgm.base import EpochsMixin
from skdgm.exceptions import CollapseWarning
from skdgm.nets import NetsMixin, layers
from skdgm.utils.counts import is_a
from skdgm.utils.interrupts import Held
from skdgm.utils.tree import astype
from skdgm.utils.warn import warn


class FittingMixin(NetsMixin, EpochsMixin):
    """Training, for an estimator with encoders and decoders."""

    _WATCHED = "bound"

    def _check_options(self):
        latent, hidden = self._shape
        for name, sizes in (
            ("n_components", latent),
            *(("hidden_layer_sizes", part) for part in hidden),
        ):
            if not all(is_a(Integral, n) and n > 0 for n in sizes):
                raise ValueError(f"{name} must be positive integers; got {sizes}.")
        if not latent:
            raise ValueError("n_components must have at least one number of units.")
        if len(hidden) != len(latent):
            raise ValueError(
                f"hidden_layer_sizes must have one tuple for each of the {len(latent)} "
                f"layers of n_components; got {self._options.hidden_layer_sizes}."
            )

    @property
    def _shape(self):
        """Numbers of latent units, and of hidden units of each encoder."""
        latent, hidden = self._options.n_components, self._options.hidden_layer_sizes
        latent = latent if isinstance(latent, tuple) else (latent,)
        hidden = hidden if isinstance(hidden, tuple) else (hidden,)
        if not any(isinstance(part, tuple) for part in hidden):
            hidden = (hidden,) if len(latent) == 1 else tuple((n,) for n in hidden)
        return latent, hidden

    @property
    def _structure(self):
        """Options that cannot change while training continues."""
        latent, hidden = self._shape
        asked = self._options
        return {
            "n_components": latent,
            "hidden_layer_sizes": hidden,
            "decoder": asked.decoder,
            "variance": asked.variance if isinstance(asked.variance, str) else "fixed",
            "activation": asked.activation,
            "batch_norm": asked.batch_norm,
        }

    def _hierarchy(self, structure=None):
        """Architecture of the nets, for some options or as fitted."""
        known, init = structure or self._learned, self._options.init

        def block(n_units):
            if known["activation"] == "maxout":
                found = [layers.maxout(n_units, init=init)]
            elif known["batch_norm"]:
                found = [layers.dense(n_units, init=init)]
            else:
                found = [layers.dense(n_units, known["activation"], init)]
            if known["batch_norm"]:
                found.append(layers.batch_norm())
                if known["activation"] != "maxout":
                    found.append(layers.activation(known["activation"]))
            return *found, layers.dropout(self._options.dropout)

        sizes = self._domain.sizes(self._columns)
        shape = known["n_components"], known["hidden_layer_sizes"]
        # He's rule is for rectifiers; outputs are linear.
        linear = init.replace("he", "glorot")
        return Hierarchy(*sizes, *shape, block, linear)

    def _trainer(self, table, epochs_before):
        hierarchy = self._hierarchy(self._structure)
        given = table.rows, self._columns, self._seed, epochs_before
        return Trainer(hierarchy, self._domain, self._options, *given)

    def _monitor(self, *arguments):
        return Monitor(*arguments)

    def _report(self, learned, n_epochs, monitor):
        with Held():
            self.latent_variances_, silent = survey(self, monitor)
        super()._report(learned, n_epochs, monitor)
        if silent and self.n_iter_:
            warn(
                f"The posterior of {self._name} collapsed: its latent units say "
                "nothing of rows that have something in common. Set warm_up to some "
                "epochs, lower beta, or raise learning_rate_init or max_iter.",
                CollapseWarning,
            )

    def _net(self, dtype=None):
        """Parameters and state of the nets, as ``dtype``."""
        state = self._training
        net = state.params, state.memory
        return astype(net, dtype)
