"""Base class of estimators with latent units: public methods."""

from typing import Literal

import numpy as np

from skdgm.base.frames import as_frame, filled_in
from skdgm.base.options import KW_ONLY, Count, within
from skdgm.data import names_of
from skdgm.exceptions import CollapseWarning
from skdgm.latent.density import ACTIVE
from skdgm.latent.filling import checked_effort
from skdgm.latent.options import LatentColumns
from skdgm.nets import NetEstimator
from skdgm.nets.options import Initializer
from skdgm.typing import Any, ArrayOrFrame, Data, Filling, Seed
from skdgm.utils.threading.callers import warn
from skdgm.utils.threading.threads import DeferredInterrupt


class LatentEstimator(NetEstimator):
    r"""Base class of estimators with encoders and decoders of latent units.

    A subclass has options, a :class:`LatentModel`, and ``_REVIVE``, the advice of the
    warning about posterior collapse.

    Features are means of the latent units, :math:`\mathbb{E}_q[z \mid x]`, each layer
    given the means below. ``inverse_transform`` uses only the lowest layer of the
    features and returns means :math:`\mathbb{E}[x \mid z]`; layers below it are at
    their means. In the encoder's input, missing entries have the means of their
    columns.

    Parameters
    ----------
    n_draws
        Number of draws for each row in :meth:`score_samples`. It may be changed after
        ``fit``.
    n_iter
        Number of epochs; "auto": 4,500 updates, but between 20 and 120 epochs; smaller
        tables of a VAE or a HelmholtzMachine get 1,500 updates, but at most 360 epochs.

    Attributes
    ----------
    latent_variances_ : ndarray of shape (sum of n_components,)
        Variance of each latent unit's mean over some training rows.
    density_kind_ : str
        Kind of :meth:`score_samples`: "lower bound".
    """

    _: KW_ONLY
    column_types: LatentColumns = "auto"
    init_weights: Initializer = within("solver", "glorot_uniform")
    n_draws: Count = 100

    def transform_layers(self, X: Data) -> list[np.ndarray]:
        """Means of the latent units of every layer, each given the means below.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        Z : list of ndarray of shape (n_samples, n_units)
            From the layer next to the data up.
        """
        return self.density_.means_by_layer(X)

    def sample(
        self,
        n_samples: int = 1,
        random_state: Seed = None,
        *,
        conditions: dict | None = None,
    ) -> ArrayOrFrame:
        """Draw latent units, and rows given the latent units.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            None: NumPy's global generator, with different rows at each call.
        conditions : dict, default=None
            Conditions that all draws satisfy, by the name, or number, of a column: a
            value; a list, set or array of values; or a range, ``slice(low, high)`` with
            None for an open end, or an Interval of pandas. Not for
            column_types="gaussian".

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            See :meth:`inverse_transform` for means in place of draws. A DataFrame if
            ``fit`` was given one.

        Raises
        ------
        ValueError
            If a condition names no column or has probability zero.
        """
        drawn = self.density_.sample(
            n_samples, random_state, conditions=conditions, names=names_of(self)
        )
        return as_frame(self, drawn)

    def impute(
        self,
        X: Data,
        *,
        method: Filling = "mean",
        sampler: Literal["importance", "metropolis", "gibbs"] = "importance",
        n_draws: int | None = None,
        n_steps: int | None = None,
        random_state: Seed = None,
    ) -> ArrayOrFrame:
        """Impute missing entries conditional on the observed entries of their row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        method : {"mean", "sample"}, default="mean"
            "mean" returns deterministic means (probabilities of bits; the most probable
            codes); "sample" returns draws.
        sampler : {"importance", "metropolis", "gibbs"}, default="importance"
            "importance" weights draws of latent units. Half of them come from the
            encoder with a first guess of the missing entries, and half from the prior,
            which keeps the weights bounded where the encoder is overconfident, for
            example at rare values. If the effective number of draws is small, further
            draws come from a normal proposal (for bits, independent ones) that adapts
            to the row in up to 24 rounds. "gibbs" alternates between latent units drawn
            by the encoder and missing entries drawn by the decoder, which is exact only
            if the encoder is; "metropolis" corrects "gibbs" by accepting or rejecting
            the latent units.
        n_draws : int, default=None
            Number of draws of "importance", by default 100. It increases where the
            effective number of draws is small: up to about 20 times, and up to 128
            times for rare observed values.
        n_steps : int, default=None
            Number of steps of each chain of "metropolis" and "gibbs", by default 100. A
            mean averages ten chains, each of a fifth of the steps after a burn-in of
            equal length.
        random_state : int, RandomState instance or None, default=None
            For "sample".

        Returns
        -------
        X_filled : ndarray of shape (n_samples, n_features)
            Observed entries are unchanged. A DataFrame if X is one, and ``fit`` was
            given one.

        Raises
        ------
        ValueError
            ``method`` or ``sampler`` is unknown, a number is less than 1, or it belongs
            to another sampler.

        Warns
        -----
        FewDrawsWarning
            If "importance" has a small effective number of draws for some rows.
        """
        X_filled = self.density_.fill(
            X,
            method,
            random_state,
            sampler=sampler,
            effort=checked_effort(sampler, n_draws, n_steps),
        )
        return filled_in(self, X, X_filled)

    def importance_likelihood(
        self, X: Data, *, n_draws: int = 1000, return_se: bool = False
    ) -> Any:
        r"""Importance-weighted lower bound on the log-likelihood, in nats.

        .. math:: \log \frac1n \sum_k \frac{p(x, z_k)}{q(z_k \mid x)}, \qquad
            z_k \sim q(z \mid x)

        :meth:`score_samples` returns the same bound with ``n_draws`` draws. Its
        expectation is at most the log-likelihood, and converges to it as the number of
        draws grows. If entries of a "bernoulli" column are strictly between 0 and 1, it
        is a bound on the mean log-likelihood of binary rows drawn with these
        probabilities.

        If the encoder is overconfident, as for rows with many missing entries, large
        weights are rare, and both the bound and its standard error are too small.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN is a missing value.
        n_draws : int, default=1000
            Number of draws for each row.
        return_se : bool, default=False
            Whether to also return standard errors.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,), float64
            In nats.
        se : ndarray of shape (n_samples,), float64
            Monte Carlo standard error, by the delta method; only if ``return_se``.
        """
        bound, se = self.density_.importance_likelihood(X, n_draws)
        return (bound, se) if return_se else bound

    def elbo(self, X: Data, *, n_draws: int = 100) -> Any:
        r"""Evidence lower bound of each row and its two terms, in nats.

        .. math:: \mathbb{E}_q[\log p(x \mid z)] - \mathrm{KL}(q(z \mid x) \,\|\, p(z))

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN is a missing value.
        n_draws : int, default=100
            Number of draws for the first term, and with several latent layers also for
            the second.

        Returns
        -------
        elbo : Elbo
            Named tuple of ``bound``, ``reconstruction`` and ``kl``, each of shape
            (n_samples,), float64.
        """
        return self.density_.elbo(X, n_draws)

    def active_units(self, X: Data, *, threshold: float = ACTIVE) -> np.ndarray:
        r"""Mask of the latent units that carry information about the rows.

        .. math:: \operatorname{Var}_x(\mathbb{E}_q[z_j]) > \text{threshold}

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN is a missing value.
        threshold : float, default=0.01
            Variance of means above which a unit is active.

        Returns
        -------
        active : ndarray of bool, of shape (n_hidden,)
            From the layer next to the data up.
        """
        return self.density_.active_units(X, threshold)

    def _report(self, learned, n_epochs, watch):
        with DeferredInterrupt():
            variances, collapsed = self.density_.survey(watch.rows, watch.monitored)
            self.latent_variances_ = variances
        super()._report(learned, n_epochs, watch)
        if collapsed and self.n_iter_:
            warn(
                f"The posterior of {self._name} collapsed: its latent units carry "
                "no information, although columns depend on each other. "
                f"{self._REVIVE}",
                CollapseWarning,
            )
