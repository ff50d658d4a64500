"""A stack of restricted machines: how it is described, and what it is once fitted."""

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

# What may be said of all layers at once, or of each in a tuple.
OPTIONS = [
    name
    for name in Machine._parameter_constraints
    if name not in ("n_components", "resample", "init", "warm_start", "verbose")
    and name != "random_state"
]
# How many values are shown, in so many epochs at least and at most.
_SHOWN, _EPOCHS = 20_000_000, (20, 200)


class Composed(_BaseComposition):
    """Parameters of machines in ``layers``, beside one's own."""

    def get_params(self, deep=True):
        """Parameters by name, and those of machines in ``layers``.

        Parameters
        ----------
        deep : bool, default=True
            Whether to look into ``layers``.

        Returns
        -------
        params : dict
        """
        return self._get_params("layers", deep=deep)

    def set_params(self, **params):
        """Set parameters, and those of machines in ``layers``.

        Parameters
        ----------
        **params : dict
            Values by name.

        Returns
        -------
        self : estimator
        """
        return self._set_params("layers", **params)


class StackMixin:
    """Layers, described by parameters.

    Where the stack is part of another model, it may have a name there (``_title``).
    """

    _title = None

    @property
    def _called(self):
        """What messages call the stack."""
        return self._title or type(self).__name__

    @property
    def _domain(self):
        """What the visible units take."""
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
        return bottom._domain if isinstance(bottom, Machine) else BINARY

    def _machines(self):
        """Unfitted machines, from the bottom up, with valid parameters."""
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
        """Machines as the parameters say."""
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
                # Hidden units are on half of the time, which is what plain gradients
                # do not like.
                options.setdefault("centering", "data")
            if not real:
                options["resample"] = asked.resample
            options["verbose"] = self.verbose
            on_top = number == len(sizes) - 1
            machines.append(self._described_one(size, real, on_top, options))
        return machines

    def _described_one(self, size, real, on_top, options):
        """A machine as the parameters say, but for what they leave to its kind."""
        return (GaussianRBM if real else BernoulliRBM)(size, **options)

    def _settle(self, machines, table):
        """Say how many epochs there are to be, where the parameters do not."""
        if self._options.layers is None:
            each = per_layer("n_iter", self._options.n_iter, len(machines))
            for machine, said in zip(machines, each):
                if _is_auto(said):
                    size = table.n_draws * table.rows.shape[1]
                    machine.n_iter = int(np.clip(_SHOWN // size, *_EPOCHS))

    def _listed(self):
        """Machines as they are given."""
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
        """Where a layer is, in words, and which kinds of machines it may be."""
        if number:
            return "above the bottom", (BernoulliRBM,)
        return "at the bottom", (BernoulliRBM, GaussianRBM)

    def _check_unchanged(self, machines):
        """Whether what was learned is of the stack that is asked for now."""
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
        """The layers below the top machine."""
        return [self._layer(number, dtype) for number in range(len(self.layers_) - 1)]

    def _recognisers(self):
        """All layers, the top machine as one of them."""
        return [*self._directed(), self._layer(len(self.layers_) - 1)]

    def _layer(self, number, dtype=None):
        machine = self.layers_[number]
        energy, params = machine._pair(dtype)
        if number < len(self._untied):
            ways = (astype(params, dtype) for params in self._untied[number])
            return Directed(energy, *ways)
        return Directed(energy, params, params)

    def _recognition(self, number):
        """A layer's parameters on the way up."""
        if number < len(self._untied):
            return self._untied[number][0]
        return self.layers_[number]._params()

    def _attributes(self, layers, untied=(), losses=()):
        """Fitted machines, and what came of untying them, as fitted attributes."""
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
    """The biases of the units below."""
    return machine._energy().units[0].bias_of(params.units[0])


def _is_auto(value):
    return isinstance(value, str) and value == AUTO


def transposed(machine, below, rng):
    r"""Parameters of a machine that begins as the one below it, upside down.

    .. math:: W' = (W^\top, \ast), \qquad b' = c, \qquad c' = (b, 0)

    Its visible units are distributed as the hidden ones below were, but for small
    random weights of units that the one below has no counterpart of: so the bound on
    the likelihood starts no lower than the likelihood was. None where it has too few
    units, or the one below real ones.
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
