"""Base class of stacks that are trained layer by layer."""

from typing import Any, Literal, Self

import numpy as np
from sklearn.utils.metaestimators import _BaseComposition

from skdgm.base import Estimator
from skdgm.base.options import KW_ONLY, RandomState, Verbose
from skdgm.base.parts import columns_of, domain_of, dtype_of
from skdgm.stacks.model import check_same, lowest_kinds, unfitted_machines
from skdgm.stacks.training import LayerStage, Training
from skdgm.typing import Data, Target, Weight
from skdgm.utils.counts import chosen, count


class StackedNetwork(_BaseComposition, Estimator):
    """Base class of stacks that are trained layer by layer.

    ``_MODEL`` is a :class:`StackModel`. The density has ``widths``, the numbers of
    features of the layers. If training of a new layer diverges, it starts
    again at half its learning rate, up to three times; the ``learning_rate`` of the
    layer is the last one. If it still diverges, the estimator keeps the layers below
    and the last good parameters of this layer.

    Parameters
    ----------
    feature_layer : int, tuple of int or "all"
        Layer whose means of hidden units :meth:`transform` returns: 0 at the bottom, -1
        at the top; or several layers, or all, concatenated. All layers together predict
        labels best. It may be changed after ``fit``.
    warm_start
        If True, ``fit`` continues from the current parameters.
    verbose
        If not 0, print a table of epochs, with at most one line a second.
    random_state : int, RandomState instance or None
        Seed of initial weights, order of rows and sampling; machines in ``layers`` may
        have their own seeds.

    Attributes
    ----------
    layers_ : list of machines
        Fitted machines from the bottom up.
    loss_curves_ : list of list of float
        Losses of each layer, one per epoch.
    n_iter_ : int
        Total number of epochs, over all layers.
    """

    _: KW_ONLY
    feature_layer: int | tuple | Literal["all"] = "all"
    warm_start: bool = False
    verbose: Verbose = 0
    random_state: RandomState = None

    # Sufficient number of updates of a layer for small tables; layers warn of outliers.
    _UPDATES, _SHORTENS_STEPS = 12_000, None
    _MODEL_READS = ("layers_",)
    _readable_kinds = lowest_kinds

    def get_params(self, deep: bool = True) -> dict:
        return self._get_params("layers", deep=deep)

    def set_params(self, **params: Any) -> Self:
        return self._set_params("layers", **params)

    def partial_fit(
        self,
        X: Data,
        y: Target = None,
        sample_weight: Weight = None,
        layer: int | None = None,
    ) -> Self:
        """Train each layer in turn, or a single layer, for one more epoch.

        The epoch is the same as in :meth:`fit`, which it can precede or follow. Because
        the total number of epochs is unknown, ``schedule="linear"`` does not change the
        learning rate, and the last value of a piecewise-constant schedule applies. If
        ``fit`` refined all layers jointly, the epoch continues the refinement.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            As in :meth:`fit`.
        layer : int, default=None
            Layer to train, 0 at the bottom: a fitted layer, or the next one. All layers
            if None.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError, DivergenceError
            As in :meth:`fit`; or there is no such layer, or the layers were refined and
            can only be trained jointly.
        """
        return self._partial_fit(X, y, sample_weight, layer=layer)

    def _check_options(self):
        depth = len(unfitted_machines(self))
        super()._check_options()
        chosen(self._options.feature_layer, depth)

    def _check_unchanged(self):
        check_same(self.layers_, unfitted_machines(self))

    def _learn_columns(self, table, fresh):
        # Raise errors about shapes of images before callbacks begin.
        machines = unfitted_machines(self)
        self._MODEL.adapt(machines, self._options, table, self._UPDATES)
        return None, table

    def _initial_attributes(self):
        return {"n_iter_": 0, "layers_": []}

    def _n_epochs(self, table):
        """Number of epochs of joint training."""
        return 0

    def _n_callback_steps(self, n_epochs, fresh):
        return len(unfitted_machines(self))

    def _stages(self, table, epochs, fresh, is_fit, layer=None):
        """Stages of all layers, or of one layer."""
        training = Training(self, table)
        numbers = range(len(training.machines))
        if layer is not None:
            highest = min(len(self.layers_), len(numbers) - 1)
            numbers = [count(layer, "layer", 0, highest)]
        for number in numbers:
            yield LayerStage(training, number, "fit" if is_fit else "partial_fit")

    def transform_layers(self, X: Data) -> list[np.ndarray]:
        """Means of hidden units in every layer.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        H : list of ndarray of shape (n_samples, n_hidden)
            From the bottom up.
        """
        density: Any = self.density_
        H = density.features(X, layers=range(len(self.layers_)))
        return np.split(H, np.cumsum(density.widths[:-1]), axis=1)

    @property
    def _domain(self):
        """Type of the columns of the lowest layer, or that the options ask for."""
        layers = vars(self).get("layers_")
        return domain_of(layers[0]) if layers else self._requested_domain

    @property
    def _dtype(self):
        return dtype_of(self.layers_[0])

    @property
    def _columns(self):
        return columns_of(self.layers_[0])
