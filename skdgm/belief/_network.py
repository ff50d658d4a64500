"""Base class of belief networks, with or without a label in the top-level machine."""

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils.metaestimators import _BaseComposition
from sklearn.utils.validation import check_array, check_is_fitted

from skdgm.base import Estimator, forget_log_Z, lazy_log_Z, rollback, rolled_back
from skdgm.base.frames import filled_in, framed
from skdgm.belief._density import N_DRAWS, BeliefDensity
from skdgm.belief._stack import domain_of, given, specified
from skdgm.belief._training import Training
from skdgm.utils.counts import chosen


class BeliefNetwork(_BaseComposition, Estimator):
    """Base class of directed layers below a restricted Boltzmann machine."""

    # True if the top-level machine has a label.
    _LABELLED = False
    # Updates of a layer that are enough for features of small tables.
    _UPDATES = 12_000
    # Unfitted machines: those that options describe, or clones of ``layers``.
    _specified, _cloned = specified, given

    def get_params(self, deep=True):
        return self._get_params("layers", deep=deep)

    def set_params(self, **params):
        return self._set_params("layers", **params)

    def _fit(self, X, y, sample_weight):
        # Until a layer is learned, every error restores the former attributes.
        with rollback(self, kept=()) as before:
            Training(self, before).fit(X, y, sample_weight)
        return self

    # Under another name than partial_fit, so that options are validated at each call.
    @rolled_back
    @_fit_context(prefer_skip_nested_validation=True)
    def _partial_fit(self, X, y, sample_weight, classes=None, layer=None):
        with rollback(self, kept=()) as before:
            Training(self, before).partial_fit(X, y, sample_weight, classes, layer)
        return self

    def _adapt(self, machines, n_features):
        """Set options of unfitted machines that depend on the columns: there are none,
        or ValueError is raised."""

    def _update(self, attributes):
        """Set fitted attributes, and discard what depended on the former ones."""
        self._forget()
        vars(self).update(attributes)

    @property
    def density_(self):
        """The fitted density, a :class:`~skdgm.belief._density.BeliefDensity`."""
        check_is_fitted(self)
        name, fitted = type(self).__name__, (self.layers_, self._untied)
        return BeliefDensity(name, self._reader, self._seed, *fitted)

    @property
    def density_kind_(self):
        """Meaning of ``score_samples``: "exact", "lower bound" or "estimate"."""
        return self.density_.kind

    __getattr__, _forget = lazy_log_Z, forget_log_Z

    def transform(self, X):
        r"""Means of hidden units, computed layer by layer upwards.

        .. math:: m^{(0)} = x, \qquad m^{(k)} = \sigma(c^{(k)} + m^{(k-1)} R^{(k)})

        of the layers given by ``feature_layer``. Missing entries are inferred by mean
        field, together with the first hidden layer.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        H : ndarray of shape (n_samples, n_hidden)
            Layers side by side, in the order of ``feature_layer``.
        """
        return self.density_.features(X, self._feature_layers)

    def transform_layers(self, X):
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
        H = density.features(X)
        return np.split(H, np.cumsum(density.widths[:-1]), axis=1)

    def inverse_transform(self, H):
        """Means of visible units, computed layer by layer downwards.

        Parameters
        ----------
        H : array-like of shape (n_samples, n_hidden)
            Values or means of the hidden units of the layers given by
            ``feature_layer``, side by side. Only the lowest of these layers is used.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            In the scale of the columns. A DataFrame if H and what the model was fitted
            to are such.

        Raises
        ------
        ValueError
            H has another number of columns than ``transform`` returns.
        """
        density, given = self.density_, H
        H = check_array(H, dtype=self._dtype)
        if H.shape[1] != self._n_features_out:
            raise ValueError(
                f"H has {H.shape[1]} columns, but {type(self).__name__} has "
                f"{self._n_features_out} hidden units."
            )
        numbers, widths = self._feature_layers, density.widths
        lowest = min(numbers)
        start = sum(widths[n] for n in numbers[: numbers.index(lowest)])
        means = density.visible_means(H[:, start : start + widths[lowest]], lowest)
        return framed(self, means, given)

    def sample(
        self,
        n_samples=1,
        random_state=None,
        *,
        init="chains",
        n_steps=100,
        burn_in=0,
        thin=None,
    ):
        r"""Draw rows from the model.

        Gibbs steps in the top-level machine, then one downward pass through the
        directed layers.

        Parameters
        ----------
        n_samples : int, default=1
        random_state : int, RandomState instance or None, default=None
            By default NumPy's global generator: other rows at each call.
        init : {"chains", "noise"} or array-like of shape (n, n_features), \
                default="chains"
            Start of the top-level machine's chains. "chains": the states of the
            training chains. "noise": independent random values (fair bits; standard
            normal numbers if a single layer has real columns). Rows: draws of its
            visible units from the recognition distribution, given these rows. With more
            chains than starts, starts are reused in turn.
        n_steps : int, default=100
            Number of Gibbs steps of each chain after ``burn_in``.
        burn_in : int, default=0
            Number of Gibbs steps before these.
        thin : int, default=None
            Keep every ``thin``-th state of a chain; there are then as many chains as
            needed. By default a chain gives one row, from its last state.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Chain after chain, each in order of time. A DataFrame if ``fit`` was given
            one.

        Raises
        ------
        ValueError
            A number is too low, ``thin`` is more than ``n_steps``, or ``init`` is
            unknown or not as wide as the model.
        """
        steps = {"n_steps": n_steps, "burn_in": burn_in, "thin": thin}
        found = self.density_.sample(n_samples, random_state, init=init, **steps)
        return framed(self, found)

    def impute(self, X, *, method="mean", n_steps=100, random_state=None):
        """Fill missing entries, given the others of their row.

        A step is an upward pass, a Gibbs step in the top-level machine and a downward
        pass, with the observed entries clamped. It starts at the mean-field solution of
        the first layer.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        method : {"mean", "sample"}, default="mean"
            "mean" fills in means (probabilities, where units are binary), averaged over
            the steps, the same at each call; "sample" fills in the last draws.
        n_steps : int, default=100
            Number of steps, of at least 1.
        random_state : int, RandomState instance or None, default=None
            For "sample".

        Returns
        -------
        X_filled : ndarray of shape (n_samples, n_features)
            Observed entries are unchanged. A DataFrame with its index if X
            and what the model was fitted to are such.
        """
        filled = self.density_.fill(X, method, random_state, n_steps=n_steps)
        return filled_in(self, X, filled)

    def score_samples(self, X):
        """Lower bound on the log-likelihood of each row, in nats.

        The result of :meth:`likelihood_bound` with 20 draws; for a single layer the
        log-likelihood itself. If log Z of the top-level machine is not exact but
        estimated by annealed importance sampling, the result is an estimate of the
        bound. For grey values in [0, 1] it is a lower bound on the mean log-likelihood
        of binary rows drawn with these probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN marks a missing value: the likelihood is that of the observed entries.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,)
        """
        return self.density_.log_prob(X)

    def likelihood_bound(self, X, *, n_draws=N_DRAWS, return_se=False):
        r"""Variational bound on the log-likelihood of each row, in nats.

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

    def importance_likelihood(self, X, *, n_draws=N_DRAWS, return_se=False):
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

    @property
    def _feature_layers(self):
        """Numbers of the layers whose hidden units are features."""
        return chosen(self._now("feature_layer"), len(self.layers_))

    @property
    def _n_features_out(self):
        widths = self.density_.widths
        return sum(widths[number] for number in self._feature_layers)
