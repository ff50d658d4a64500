r"""Nets initialized from stacks: pre-training, then supervised fine-tuning.

.. math:: h^k = f(c^k + h^{k-1} R^k), \qquad z = h^L W + b

The upward pass of a stack is a feed-forward net. With an output layer on top, it is
trained by back-propagation [1]_. Features and outputs are those of the net; samples and
scores are those of the pre-trained stack.

References
----------
.. [1] Hinton and Salakhutdinov (2006). Reducing the dimensionality of data with neural
   networks. Science.
"""

from abc import abstractmethod
from types import SimpleNamespace
from typing import Annotated, Any, Literal

import numpy as np
from sklearn.utils.metaestimators import _BaseComposition
from sklearn.utils.validation import check_is_fitted

from skdgm.base import Estimator, Model, by_blocks, rolled_back
from skdgm.base.common_groups import Pretraining, PretrainingDetails
from skdgm.base.options import KW_ONLY
from skdgm.base.parts import columns_of, domain_of, dtype_of, stores_lists
from skdgm.nets import (
    Layer,
    NetState,
    Tuner,
    check_dropout,
    dropped,
    forward,
    hidden,
)
from skdgm.nets.options import TuningOptions
from skdgm.stacks.model import check_same, lowest_kinds, unfitted_machines
from skdgm.stacks.model_options import TunedOptionsT
from skdgm.stacks.network import StackedNetwork
from skdgm.stacks.tuning import PreTraining, part_of, unfitted
from skdgm.training import Budget, Run, labeled, without_conditions
from skdgm.typing import ArrayLike, Data, Self, Weight
from skdgm.utils.counts import check_sizes


class TunedModel(Model[TunedOptionsT]):
    """Net that is initialized by the upward pass of a stack, which remains the density.

    Parameters
    ----------
    part : str
        Attribute for the fitted stack.
    network : type
        Class of the stack.
    stack_options : tuple of str
        Options of the net that are also options of the stack.
    pretraining_options : dict of str
        Names of the stack's training options, by the names of the net's options.
    """

    # The stack has the structure.
    STRUCTURE = ()

    def __init__(self, part, network, stack_options, pretraining_options):
        self.part, self.network = part, network
        self.stack_options = stack_options
        self.pretraining_options = pretraining_options

    def check(self, options):
        """Raise ValueError for invalid options that pass their constraints."""
        check_dropout(options.dropout)

    def depth(self, options):
        """Number of hidden layers that options ask for."""
        return len(check_sizes(options.hidden_layer_sizes))

    def resolved(self, options, network_options):
        """Options of the stack (a dict), adapted to those of the net (a namespace)."""
        return options

    def density(self, facts, state):
        """Density of the pre-trained stack."""
        return getattr(facts.known, self.part).density_

    @abstractmethod
    def activation(self, stack: Any) -> Any:
        """Activation function of the hidden layers, or one for each."""

    @abstractmethod
    def hidden(self, stack: Any, rng: np.random.Generator, dtype: type) -> tuple:
        """Hidden layers of a net before fine-tuning, given the pre-trained stack and a
        NumPy generator for weights that the stack lacks."""

    def inputs(self, stack, rows=None):
        """Function that maps values in the units of the model, NaN where missing, to
        inputs of the net; ``rows`` are the validated rows, if known."""
        return stack.density_.completed

    def objective(self, facts, table, epochs_before):
        """Loss of the outputs, for back-propagation: a :class:`~skdgm.nets.Tuner`."""
        stack, outputs = getattr(facts.known, self.part), facts.known.outputs
        rows, inputs_of = table.rows, self.inputs(stack)
        options = vars(facts.options) | {"activation": self.activation(stack)}
        options = SimpleNamespace(**options)

        def inputs(index):
            return inputs_of(rows.take(index))

        objective = Tuner(
            Run(options, None, facts.seed, epochs_before),
            inputs=inputs,
            targets=outputs.targets(rows.given.values),
            loss=outputs.loss,
            center=dropped(options.dropout, inputs, table),
        )
        objective.quantity = outputs.quantity
        return objective

    def attributes(self, facts, state):
        """Fitted attributes of a training state."""
        return {
            "coefs_": [layer.W for layer in state.learned],
            "intercepts_": [layer.b for layer in state.learned],
            "_moments": state.optimizer,
            # The current parameters, if ``coefs_`` and ``intercepts_`` are an average.
            "_averaged": (state.params, state.mean) if state.mean else (),
        }

    def state(self, facts, attributes):
        """Training state of fitted attributes."""
        net = tuple(map(Layer, attributes["coefs_"], attributes["intercepts_"]))
        params, mean = attributes["_averaged"] or (net, ())
        return NetState(params, attributes["_moments"], mean=mean)


class TunedNetwork(TuningOptions, _BaseComposition, Estimator):
    """Base class of stacks that are fine-tuned with an output layer.

    A subclass has ``_label(rows, y, fresh, classes)``, which reads the targets, and
    ``_outputs``, an object of :mod:`skdgm.stacks.outputs`.

    Parameters
    ----------
    pretrain
        Layer-wise training before the net is fine-tuned.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_below, n_above)
        Weights of the net, from the bottom to the output layer, for standardized real
        columns.
    intercepts_ : list of ndarray of shape (n_above,)
        Biases of the net.
    n_outputs_ : int
        Number of output units.
    n_iter_ : int
        Number of epochs of fine-tuning.
    """

    _: KW_ONLY
    pretrain: Annotated[Literal["layerwise"] | Pretraining, PretrainingDetails] = (
        "layerwise"
    )

    _BUDGET, _STORES_LISTS, _ONE_OBJECTIVE = Budget(5_000, 20, 100), False, False
    get_params, set_params = StackedNetwork.get_params, StackedNetwork.set_params
    _readable_kinds = lowest_kinds

    @property
    def _MODEL_READS(self):
        return self._MODEL.part, "_outputs"

    @rolled_back
    def fit(self, X: Data, y: ArrayLike, sample_weight: Weight = None) -> Self:
        """Pre-train layer by layer on all rows, then fine-tune on the rows with a
        target.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets; the class documents the marker of an unknown target.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row. Integer weights are exactly equivalent to repetitions.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            X is empty, infinite or outside the model's domain; no row has a target; a
            weight is negative, or all weights are zero.
        DivergenceError
            Pre-training diverged, and the estimator is unchanged; or fine-tuning
            diverged, and the net keeps its last good weights.
        """
        return self._fit(X, y, sample_weight)

    def _check_options(self):
        super()._check_options()
        unfitted(self)

    def _check_unchanged(self):
        check_same(part_of(self).layers_, unfitted_machines(unfitted(self)))

    def _learn_columns(self, table, fresh):
        return None, table

    def _n_epochs(self, table):
        # A table from workers only has weights of rows with a target.
        known = table if table.rows is None else labeled(table)
        options = self._options
        if not len(known.weight):
            raise ValueError(
                f"{self._name} has nothing to learn: no row with a target has a weight "
                "above zero."
            )
        return self._BUDGET.epochs(options.n_iter, known, options.batch_size)

    def _n_callback_steps(self, n_epochs, fresh):
        return 1 + fresh

    def _stages(self, table, epochs, fresh, is_fit):
        """Pre-training on all rows in a fresh fit, and back-propagation."""
        if fresh:
            stack = unfitted(self)
            known = without_conditions(table, stores_lists(stack))
            yield PreTraining(self, stack, known)
        with_targets = labeled(table)
        if len(with_targets.index):
            rows = self._domain.in_units(with_targets.rows, self._columns)
            with_targets = with_targets._replace(rows=rows)
            for stage in super()._stages(with_targets, epochs, False, is_fit):
                stage.task = "fine-tuning"
                yield stage

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
            Means replace missing entries (NaN). In a belief network, they are
            conditional on the rest of the row, by mean field in the pre-trained first
            layer.

        Returns
        -------
        H : list of ndarray of shape (n_samples, n_hidden)
            From the bottom up.
        """

        def layers(net, x):
            features, names = [], self._activation
            for number, layer in enumerate(net[:-1]):
                name = names if isinstance(names, str) else names[number : number + 1]
                x = hidden((layer,), x, name)
                features.append(x)
            return np.concatenate(features, axis=1)

        H = self._of_rows(X, layers)
        return np.split(H, np.cumsum(self.density_.widths[:-1]), axis=1)

    @property
    def _activation(self):
        return self._MODEL.activation(part_of(self))

    def _pre_activations(self, X):
        """Pre-activations of the output layer, of shape (n_rows, n_outputs)."""
        return self._of_rows(X, lambda net, x: forward(net, x, self._activation))

    def _of_rows(self, X, function):
        """Apply a function of the net and its inputs, a block of rows at a time."""
        check_is_fitted(self)
        rows, net = self._rows(X), self._state().learned
        inputs = self._MODEL.inputs(part_of(self), rows)
        lists = None if inputs is np.asarray else False
        return by_blocks(lambda v: function(net, inputs(v)), rows, lists=lists)

    @property
    def _domain(self):
        part = vars(self).get(self._MODEL.part)
        return self._requested_domain if part is None else domain_of(part)

    @property
    def _dtype(self):
        return dtype_of(part_of(self))

    @property
    def _columns(self):
        return columns_of(part_of(self))

    @property
    def _n_features_out(self):
        return len(self.coefs_[-1])
