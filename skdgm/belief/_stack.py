"""Stack of restricted Boltzmann machines: its parameters and its fitted layers."""

import numpy as np
from sklearn.base import clone
from sklearn.utils.metaestimators import _BaseComposition

from skdgm.belief._directed import Directed
from skdgm.boltzmann import BernoulliRBM, GaussianRBM
from skdgm.boltzmann._machine import Machine
from skdgm.boltzmann._visible import BINARY, REAL
from skdgm.energies import Params
from skdgm.training import AUTO
from skdgm.utils.layers import check_sizes, per_layer
from skdgm.utils.tree import astype

# Options with one value for all layers, or a tuple of one for each.
OPTIONS = [
    name
    for name in Machine._parameter_constraints
    if name not in ("n_components", "resample", "init", "warm_start", "verbose")
    and name != "random_state"
]
# Number of values presented with n_iter="auto"; fewest and most epochs.
_SHOWN, _EPOCHS = 20_000_000, (20, 200)


class Composed(_BaseComposition):
    """Mixin that includes the parameters of machines in ``layers``."""

    def get_params(self, deep=True):
        """Get parameters by name, including those of machines in ``layers``.

        Parameters
        ----------
        deep : bool, default=True
            If True, include the machines in ``layers`` and their parameters.

        Returns
        -------
        params : dict
        """
        return self._get_params("layers", deep=deep)

    def set_params(self, **params):
        """Set parameters, including those of machines in ``layers``.

        Parameters
        ----------
        **params : dict
            Values by name; ``name__parameter`` is a parameter of a machine.

        Returns
        -------
        self : estimator
        """
        return self._set_params("layers", **params)


class StackMixin:
    """Mixin with the layers that parameters describe.

    A stack that is part of another model may have a name there (``_title``).
    """

    _title = None

    @property
    def _called(self):
        """Name of the stack in messages."""
        return self._title or type(self).__name__

    @property
    def _domain(self):
        """Type of the visible units' values: of the fitted machine or as requested."""
        if "layers_" in vars(self):
            return self.layers_[0]._domain
        return self._asked_domain

    @property
    def _asked_domain(self):
        if self._options.layers is None:
            return REAL if self._options.visible == "gaussian" else BINARY
        try:
            bottom = self._options.layers[0][1]
        except (TypeError, IndexError):
            return BINARY
        # A clone, as a fitted machine would tell of the data that it learned.
        return clone(bottom)._domain if isinstance(bottom, Machine) else BINARY

    def _machines(self):
        """Unfitted machines, from the bottom up, with validated parameters."""
        described = self._options.layers is None
        machines = self._described() if described else self._listed()
        for number, machine in enumerate(machines):
            machine._title = f"{self._called} layer {number}"
            if number:
                machine.set_params(resample=self._options.samples)
            try:
                machine._validate_params()
                machine._check_options()
            except ValueError as error:
                raise ValueError(f"{machine._title}: {error}") from error
        return machines

    def _described(self):
        """Machines described by the parameters."""
        asked = self._options
        sizes, machines = check_sizes(asked.hidden_layer_sizes), []
        for number, size in enumerate(sizes):
            real = number == 0 and asked.visible == "gaussian"
            options = {
                name: per_layer(name, getattr(asked, name), len(sizes))[number]
                for name in OPTIONS
            }
            options = {k: v for k, v in options.items() if not _is_auto(v)}
            if number:
                # Hidden units are on about half of the time, where uncentred gradients
                # do badly.
                options.setdefault("centering", "data")
            if not real:
                options["resample"] = asked.resample
            options["verbose"] = self.verbose
            on_top = number == len(sizes) - 1
            machines.append(self._described_one(size, real, on_top, options))
        return machines

    def _described_one(self, size, real, on_top, options):
        """Machine of one layer; options that are absent keep its own defaults."""
        return (GaussianRBM if real else BernoulliRBM)(size, **options)

    def _settle(self, machines, table):
        """Set the number of epochs of machines with ``n_iter="auto"``."""
        if self._options.layers is None:
            each = per_layer("n_iter", self._options.n_iter, len(machines))
            for machine, said in zip(machines, each):
                if _is_auto(said):
                    size = table.n_draws * table.rows.shape[1]
                    machine.n_iter = int(np.clip(_SHOWN // size, *_EPOCHS))

    def _listed(self):
        """Clones of the machines given in ``layers``."""
        layers = self._options.layers
        if not layers or not all(
            isinstance(pair, tuple) and len(pair) == 2 for pair in layers
        ):
            raise ValueError(
                "layers must be a list of pairs (name, machine), at least one; got "
                f"{layers!r}."
            )
        names, machines = zip(*layers)
        self._validate_names(names)
        for number, (name, machine) in enumerate(layers):
            where, kinds = self._place(number, len(machines))
            if not isinstance(machine, kinds):
                known = " or a ".join(kind.__name__ for kind in kinds)
                raise ValueError(
                    f"layers: {name!r}, {where}, must be a {known}; got {machine!r}."
                )
        return [clone(machine) for machine in machines]

    def _place(self, number, depth):
        """Position of a layer, in words, and the machine classes allowed there."""
        if number:
            return "above the bottom", (BernoulliRBM,)
        return "at the bottom", (BernoulliRBM, GaussianRBM)

    def _check_unchanged(self, machines):
        """Raise ValueError if the fitted layers do not fit the requested stack."""
        hint = "Keep the layers, or fit with warm_start=False."
        for number, (old, new) in enumerate(zip(self.layers_, machines)):
            if type(old) is not type(new):
                raise ValueError(
                    f"Layer {number} was a {type(old).__name__} before. {hint}"
                )
            if old._n_features_out != new._options.n_components:
                raise ValueError(
                    f"Layer {number} is to have {new._options.n_components} units, but "
                    f"{old._n_features_out} were learned before. {hint}"
                )
        if len(self.layers_) > len(machines):
            raise ValueError(
                f"There are {len(self.layers_)} layers, not {len(machines)}. {hint}"
            )

    @property
    def _dtype(self):
        return self.layers_[0]._dtype

    @property
    def _columns(self):
        return self.layers_[0]._columns

    def _directed(self, dtype=None):
        """Layers below the top-level machine."""
        return [self._layer(number, dtype) for number in range(len(self.layers_) - 1)]

    def _recognisers(self):
        """All layers as directed ones, including the top-level machine."""
        return [*self._directed(), self._layer(len(self.layers_) - 1)]

    def _layer(self, number, dtype=None):
        machine = self.layers_[number]
        energy, params = machine._pair(dtype)
        if number < len(self._untied):
            ways = (astype(params, dtype) for params in self._untied[number])
            return Directed(energy, *ways)
        return Directed(energy, params, params)

    def _recognition(self, number):
        """Recognition parameters of a layer."""
        if number < len(self._untied):
            return self._untied[number][0]
        return self.layers_[number]._params()

    def _attributes(self, layers, untied=(), losses=()):
        """Fitted attributes of machines, untied parameters and losses of refinement."""
        ways = list(untied)
        for machine in layers[len(untied) :]:
            ways.append((machine._pair()[1],) * 2)
        recognition, generative = zip(*ways)
        curves = [machine.loss_curve_ for machine in layers]
        return {
            "layers_": list(layers),
            "coefs_": [params.couplings[0] for params in recognition],
            "intercepts_": [params.units[1] for params in recognition],
            "generative_coefs_": [params.couplings[0].T for params in generative],
            "generative_intercepts_": [
                _bias(machine, params) for machine, params in zip(layers, generative)
            ],
            "loss_curves_": [*curves, list(losses)] if losses else curves,
            "n_iter_": sum(machine.n_iter_ for machine in layers) + len(losses),
            "_untied": tuple(untied),
            "_losses": list(losses),
        }


def _bias(machine, params):
    """Biases of the units below."""
    return machine._energy().units[0].bias_of(params.units[0])


def _is_auto(value):
    return isinstance(value, str) and value == AUTO


def transposed(machine, below, rng):
    r"""Initial parameters of a machine: those of the layer below, transposed.

    .. math:: W' = (W^\top, \ast), \qquad b' = c, \qquad c' = (b, 0)

    Its visible units then have the distribution of the hidden units below, but for the
    small random weights of extra hidden units: so the bound on the log-likelihood
    starts no lower than the log-likelihood was.

    Parameters
    ----------
    machine : estimator
        Unfitted machine.
    below : estimator
        Fitted machine of the layer below.
    rng : Stream

    Returns
    -------
    params : Params or None
        None if ``machine`` has fewer hidden units than ``below`` has columns, or
        ``below`` is not a BernoulliRBM.
    """
    if not isinstance(below, BernoulliRBM):
        return None
    n_visible = below.n_features_in_
    if machine._options.n_components < n_visible:
        return None
    (b, c), (W,) = below._params()
    extra = machine._options.n_components - n_visible
    more = rng.generator().normal(0.0, 0.01, (len(c), extra)).astype(W.dtype)
    W = np.ascontiguousarray(np.concatenate([W.T, more], axis=1))
    b_extra = np.zeros(extra, b.dtype)
    return Params((c.copy(), np.concatenate([b, b_extra])), (W,))
