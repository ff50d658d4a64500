"""Base class of tuned belief networks: a density, and a net that was part of it.

Features and outputs are those of the net; samples and likelihoods are those of the
pre-trained network.
"""

from types import SimpleNamespace

import numpy as np
from sklearn.utils.metaestimators import _BaseComposition
from sklearn.utils.validation import check_is_fitted

from skdgm.base import Estimator, Model, by_blocks, rollback, rolled_back
from skdgm.belief._fine_tuning import ACTIVATION, Tuning
from skdgm.belief._network import BeliefNetwork
from skdgm.belief.dbn import DBN
from skdgm.boltzmann._methods import Chained
from skdgm.nets import (
    Layer,
    NetState,
    Tuner,
    check_dropout,
    dropped,
    forward,
    hidden,
)
from skdgm.training import Budget
from skdgm.typing import ArrayLike, Data, Self, Weight
from skdgm.utils.counts import check_sizes


class TunedModel(Model):
    """Net that begins as the recognition of a network, which remains the density."""

    def check(self, options):
        """Raise ValueError for options that their constraints do not exclude."""
        check_dropout(options.dropout)

    def structure(self, facts):
        """Nothing: the network has it."""
        return SimpleNamespace()

    def density(self, facts, state):
        """Density of the pre-trained network."""
        return facts.known.dbn_.density_

    def activation(self, dbn):
        """Activation function of the hidden layers, or a function for each."""
        return ACTIVATION

    def objective(self, facts, table, before):
        """Loss of the outputs, by back-propagation: a :class:`~skdgm.nets.Tuner`."""
        dbn, outputs, rows = facts.known.dbn_, facts.known._outputs, table.rows
        options = SimpleNamespace(
            **vars(facts.options), activation=self.activation(dbn)
        )
        density = dbn.density_

        def inputs(index):
            return density.completed(rows.take(index))

        objective = Tuner(
            options,
            inputs,
            outputs.targets(rows.given.values),
            outputs.loss,
            facts.seed,
            epochs_before=before,
            center=dropped(options.dropout, inputs, table),
        )
        objective.quantity = outputs.quantity
        return objective

    def attributes(self, facts, state):
        """Fitted attributes of a training state."""
        return {
            "coefs_": [layer.W for layer in state.params],
            "intercepts_": [layer.b for layer in state.params],
            "_moments": state.optimiser,
        }

    def state(self, facts, attributes):
        """Training state of fitted attributes."""
        net = map(Layer, attributes["coefs_"], attributes["intercepts_"])
        return NetState(tuple(net), attributes["_moments"])


class TunedNetwork(Chained, _BaseComposition, Estimator):
    """Base class of belief networks with outputs; fitted ones have ``dbn_``.

    A subclass has ``_label(rows, y, fresh, classes)``, which reads the targets, and
    ``_outputs``, an object of :mod:`skdgm.belief._outputs`.
    """

    _BUDGET, _SINGLE, _SLOWED = Budget(5_000, 20, 100), False, None
    # Network to pre-train, and options that say what it is made of.
    _NETWORK, _STRUCTURE = DBN, ("hidden_layer_sizes", "column_types", "layers")
    _MODEL, _KNOWN = TunedModel(), ("dbn_", "_outputs")
    get_params, set_params = BeliefNetwork.get_params, BeliefNetwork.set_params
    _asked_domain = BeliefNetwork._asked_domain

    def _depth(self, options):
        """Number of hidden layers that options ask for."""
        return len(check_sizes(options.hidden_layer_sizes))

    @rolled_back
    def fit(self, X: Data, y: ArrayLike, sample_weight: Weight = None) -> Self:
        """Pre-train layer by layer on all rows, then tune on rows with a target.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets; see the class for the mark of a missing target.
        sample_weight : array-like of shape (n_samples,), default=None
            How often each row counts. Whole numbers repeat rows, exactly.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            X is empty, infinite or outside the model's domain; no row has a target; a
            weight is negative, or all are zero.
        DivergenceError
            Pre-training diverged, and the estimator is unchanged; or fine-tuning
            diverged, and the net keeps its last good weights.
        """
        # Until pre-training ends, every error restores the former attributes.
        with rollback(self, kept=()) as before:
            Tuning(self, before).fit(X, y, sample_weight)
        return self

    # Under another name than partial_fit, so that options are validated at each call.
    @rolled_back
    def _partial_fit(self, X, y, sample_weight, classes=None):
        with rollback(self, kept=()) as before:
            Tuning(self, before).partial_fit(X, y, sample_weight, classes)
        return self

    def _n_epochs(self, table):
        asked = self._options
        return self._BUDGET.epochs(asked.n_iter, table, asked.batch_size)

    def _remedy(self):
        return f"Lower learning_rate (now {self._options.learning_rate:g})."

    def transform(self, X: Data) -> np.ndarray:
        """Compute the last hidden layer of the net.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing; see :meth:`transform_layers`.

        Returns
        -------
        H : ndarray of shape (n_samples, n_hidden)
        """
        return self._of_rows(X, lambda net, x: hidden(net[:-1], x, self._activation))

    def transform_layers(self, X: Data) -> list[np.ndarray]:
        """Compute every hidden layer of the net.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Missing entries (NaN) are replaced by their means given the rest of the row,
            inferred by mean field in the pre-trained first layer.

        Returns
        -------
        H : list of ndarray of shape (n_samples, n_hidden)
            From the bottom up.
        """

        def layers(net, x):
            found, own = [], self._activation
            for number, layer in enumerate(net[:-1]):
                of = own if isinstance(own, str) else own[number : number + 1]
                x = hidden((layer,), x, of)
                found.append(x)
            return np.concatenate(found, axis=1)

        H = self._of_rows(X, layers)
        return np.split(H, np.cumsum(self.density_.widths[:-1]), axis=1)

    def __getattr__(self, name):
        # Not properties: see BeliefNetwork.
        if name in ("log_Z_", "log_Z_se_", "density_"):
            check_is_fitted(self)
            return getattr(self.dbn_, name)
        kind = type(self).__name__
        raise AttributeError(f"{kind!r} object has no attribute {name!r}")

    @property
    def _activation(self):
        return self._MODEL.activation(self.dbn_)

    def _pre_activations(self, X):
        """Pre-activations of the output layer, of shape (n_rows, n_outputs)."""
        return self._of_rows(X, lambda net, x: forward(net, x, self._activation))

    def _of_rows(self, X, function):
        """Apply a function of the net and its inputs, a block of rows at a time."""
        check_is_fitted(self)
        rows, net = self._rows(X), self._state().params
        # Only missing entries need the density, which takes as long as a small net.
        completed = np.asarray if rows.complete else self.density_.completed
        return by_blocks(lambda v: function(net, completed(v)), rows)

    @property
    def _domain(self):
        return self.dbn_._domain if "dbn_" in vars(self) else self._asked_domain

    @property
    def _dtype(self):
        return self.dbn_._dtype

    @property
    def _columns(self):
        return self.dbn_._columns

    @property
    def _n_features_out(self):
        return len(self.coefs_[-1])
