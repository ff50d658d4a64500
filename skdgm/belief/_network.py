"""Base class of belief networks, with or without a label in the top-level machine."""

from types import SimpleNamespace
from typing import Any, Self

import numpy as np
from sklearn.utils.metaestimators import _BaseComposition

from skdgm.base import Estimator, forget_log_Z, lazy_log_Z, rolled_back
from skdgm.belief._density import N_DRAWS
from skdgm.belief._stack import StackModel, check_same, domain_of
from skdgm.belief._training import Layer, Refinement, Training
from skdgm.boltzmann._methods import Chained
from skdgm.typing import Data, Target, Weight
from skdgm.utils.counts import chosen, count


class BeliefNetwork(Chained, _BaseComposition, Estimator):
    """Base class of directed layers below a restricted Boltzmann machine."""

    # Updates of a layer that are enough for features of small tables; layers warn.
    _UPDATES, _SLOWED = 12_000, None
    _MODEL, _KNOWN = StackModel(), ("layers_", "_untied", "_losses")

    def get_params(self, deep: bool = True) -> dict:
        return self._get_params("layers", deep=deep)

    def set_params(self, **params: Any) -> Self:
        return self._set_params("layers", **params)

    @rolled_back
    def fit(self, X: Data, y: Target = None, sample_weight: Weight = None) -> Self:
        """Fit one layer after the other; then refine all, if an option asks for it.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            How often each row counts. Whole numbers repeat rows, exactly.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            X is empty, infinite or outside the model's domain; a weight is negative, or
            all are zero; an option given as a tuple has not one value for each layer;
            filters or blocks do not fit the images.
        DivergenceError
            Training of a layer diverged. The estimator keeps the layers below, and the
            last good parameters of this layer.
        """
        return self._fit(X, y, sample_weight)

    def partial_fit(
        self,
        X: Data,
        y: Target = None,
        sample_weight: Weight = None,
        layer: int | None = None,
    ) -> Self:
        """Continue training: one pass over the rows for each layer in turn, or for one.

        A pass is an epoch as in :meth:`fit`, and may come before or after calls of it;
        but the total number of epochs is unknown, so ``schedule="linear"`` leaves
        ``learning_rate`` as it is, and the last of several ``n_steps`` holds. If
        ``fit`` refined the layers, a pass refines all of them further.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            As in :meth:`fit`.
        layer : int, default=None
            Layer to train, 0 at the bottom: a fitted one, or the next. All layers if
            None.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError, DivergenceError
            As in :meth:`fit`; or there is no such layer, or the layers were refined and
            only learn jointly now.
        """
        return self._partial_fit(X, y, sample_weight, layer=layer)

    def _check_options(self):
        depth = len(self._machines())
        super()._check_options()
        chosen(self._options.feature_layer, depth)

    def _check_unchanged(self):
        check_same(self.layers_, self._machines())

    def _learn_columns(self, table, fresh):
        # Errors about shapes of images come before callbacks begin.
        self._MODEL.adapt(self._machines(), self._options, table, self._UPDATES)
        return None, table

    def _blank(self):
        return {"n_iter_": 0, "layers_": [], "_untied": (), "_losses": []}

    def _n_epochs(self, table):
        return self._options.refine_iter

    @property
    def _refined(self):
        """Whether layers are to learn jointly; of one there is nothing to learn."""
        return self._options.refine is not None and len(self._machines()) > 1

    def _n_parts(self, n_epochs):
        return len(self._machines()) + self._refined

    def _stages(self, table, epochs, fresh, whole, layer=None):
        """Stages of all layers, or of one, and of their refinement."""
        training, untied = Training(self, table), bool(self._untied)
        if untied and layer is not None:
            raise ValueError(
                f"layer={layer}, but the layers were refined: they learn together now."
            )
        depth = len(training.machines)
        numbers = range(depth)
        if layer is not None:
            numbers = [count(layer, "layer", 0, min(len(self.layers_), depth - 1))]
        for number in () if untied else numbers:
            yield Layer(training, number, "fit" if whole else "partial_fit")
        if self._refined if whole else untied:
            yield Refinement(self, table, len(epochs), whole)

    def _machines(self):
        """Unfitted machines that the options ask for, with valid parameters."""
        machines = self._MODEL.machines(self._facts(SimpleNamespace()))
        if self._options.layers is not None:
            self._validate_names([name for name, _ in self._options.layers])
        return machines

    def _update(self, attributes):
        """Set fitted attributes, and discard what depended on the former ones."""
        self._forget()
        vars(self).update(attributes)

    __getattr__, _forget = lazy_log_Z, forget_log_Z

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
        density = self.density_
        H = density.features(X, range(len(self.layers_)))
        return np.split(H, np.cumsum(density.widths[:-1]), axis=1)

    def likelihood_bound(
        self, X: Data, *, n_draws: int = N_DRAWS, return_se: bool = False
    ) -> Any:
        r"""Variational bound on the log-likelihood of each row, in nats.

        With 20 draws it is :meth:`score_samples`, which is the log-likelihood itself
        for a single layer, and an estimate of the bound where log Z is one.

        .. math:: \mathbb{E}_Q\Big[\sum_k \log P(h^{k-1} \mid h^k) + H(Q(h^k \mid
            h^{k-1})) + \log P^*(h^{L-1})\Big] - \log Z

        The expectation is over draws from the recognition distribution Q, the same ones
        at each call; entropies are exact. A single layer needs no draws.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        n_draws : int, default=20
            Number of draws for each row.
        return_se : bool, default=False
            If True, also return standard errors.

        Returns
        -------
        bound : ndarray of shape (n_samples,)
        se : ndarray of shape (n_samples,)
            Standard error over draws, without that of log Z; only if ``return_se`` is
            True.
        """
        bound, se = self.density_.bound(X, n_draws)
        return (bound, se) if return_se else bound

    def importance_likelihood(
        self, X: Data, *, n_draws: int = N_DRAWS, return_se: bool = False
    ) -> Any:
        r"""Log-likelihood of each row by importance sampling, in nats.

        .. math:: \log \frac1n \sum_i \frac{P(v, h_i)}{Q(h_i \mid v)}, \qquad
            h_i \sim Q

        Its expectation is below the log-likelihood, and closer to it the more draws
        there are.

        Parameters
        ----------
        X, n_draws, return_se
            As in :meth:`likelihood_bound`.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,)
        se : ndarray of shape (n_samples,)
            Standard error over draws, without that of log Z; only if ``return_se`` is
            True.
        """
        log_p, se = self.density_.importance(X, n_draws)
        return (log_p, se) if return_se else log_p

    @property
    def _domain(self):
        """Kind of the columns: of the fitted machine, or as requested."""
        layers = vars(self).get("layers_")
        return layers[0]._domain if layers else self._asked_domain

    @property
    def _asked_domain(self):
        return domain_of(self._options)

    @property
    def _dtype(self):
        return self.layers_[0]._dtype

    @property
    def _columns(self):
        return self.layers_[0]._columns
