"""Base class of models with latent units: public methods."""

from functools import partial

from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from skdgm.base.frames import filled_in, framed
from skdgm.data import column_types_of, columns_as_asked, names_of
from skdgm.distributions import output_as_asked
from skdgm.exceptions import CollapseWarning
from skdgm.latent.density import ACTIVE, LatentDensity
from skdgm.latent.options import LatentOptions
from skdgm.nets import NetEstimator
from skdgm.utils.counts import chosen
from skdgm.utils.threading.callers import warn
from skdgm.utils.threading.threads import Held


class LatentModel(LatentOptions, NetEstimator):
    """Base class of estimators with encoders and decoders of latent units.

    A subclass has options; ``_WIRING``, a module that makes nets and objective of them
    (see :mod:`skdgm.autoencoder._nets`); ``_REVIVE``, advice where posteriors collapse.
    """

    @property
    def column_types_(self):
        """How each column is read, by its name or number; see ``column_types``."""
        return column_types_of(self)

    def transform(self, X):
        r"""Means of the latent units, :math:`\mathbb{E}_q[z \mid x]`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN is a missing value, which the encoder sees as its column's mean.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_latent)
            Units of the highest layer, or of those given by ``feature_layer``, side by
            side; those of higher layers are given the means below.
        """
        return self.density_.features(X)

    def transform_layers(self, X):
        """Means of the latent units in every layer, each given the means below.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        Z : list of ndarray of shape (n_samples, n_units)
            The layer next to the data first.
        """
        return self.density_.means_by_layer(X)

    def inverse_transform(self, Z):
        r"""Expected data given latent units, :math:`\mathbb{E}[x \mid z]`.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_latent)
            Latent units, as :meth:`transform` returns them. Of several layers, only the
            lowest is used; layers below it are at their means.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Means; of "categorical" columns the most probable codes. A DataFrame if Z
            and what was fitted are; for "mixed" columns also if Z is an array.

        Raises
        ------
        ValueError
            Z does not have a column for each latent unit.
        """
        density, given = self.density_, Z
        Z = check_array(Z, dtype=self._dtype, input_name="Z")
        if Z.shape[1] != self._n_features_out:
            raise ValueError(
                f"Z has {Z.shape[1]} columns, but {self._name} has "
                f"{self._n_features_out} latent units."
            )
        numbers, widths = self._layers, self._widths
        lowest = min(numbers)
        start = sum(widths[number] for number in numbers[: numbers.index(lowest)])
        Z = Z[:, start : start + widths[lowest]]
        return framed(self, density.decode(Z, lowest), given)

    def sample(self, n_samples=1, random_state=None, *, conditions=None):
        """Draw rows from the model: latent units, then data given these.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            By default NumPy's global generator: other rows at each call.
        conditions : dict, default=None
            Conditions by the name, or number, of a column, which all draws keep to: a
            value; a list, set or array of values; or a range, ``slice(low, high)``
            with None for an open end, or an Interval of pandas. Not for "gaussian".

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            See :meth:`inverse_transform` for means in place of draws. A DataFrame if
            ``fit`` was given one.

        Raises
        ------
        ValueError
            A condition names no column, or has no probability.
        """
        how = random_state, conditions, names_of(self)
        return framed(self, self.density_.sample(n_samples, *how))

    def impute(
        self, X, *, method="mean", sampler="importance", n_steps=100, random_state=None
    ):
        r"""Fill missing entries, given the others of their row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        method : {"mean", "sample"}, default="mean"
            "mean" returns means (probabilities of bits; the most probable codes), the
            same at each call; "sample" returns draws.
        sampler : {"importance", "metropolis", "gibbs"}, default="importance"
            "importance" weights ``n_steps`` draws of latent units, given a first guess
            of the missing entries, by :math:`p(x_\text{seen}, z) / q(z \mid x)`.
            "gibbs" alternates draws of latent units by the encoder and of missing
            entries by the decoder, which is exact only if the encoder is; "metropolis"
            corrects this by accepting or rejecting the draws of latent units.
        n_steps : int, default=100
            Number of draws, or of steps of the chain.
        random_state : int, RandomState instance or None, default=None
            For "sample".

        Returns
        -------
        X_filled : ndarray of shape (n_samples, n_features)
            Known entries are unchanged. A DataFrame if X and what was fitted are.
        """
        how = {"sampler": sampler, "n_steps": n_steps}
        return filled_in(self, X, self.density_.fill(X, method, random_state, **how))

    @property
    def density_kind_(self):
        """Density kind of ``score_samples``: "lower bound"."""
        return self.density_.kind

    def score_samples(self, X):
        r"""Importance weighted lower bound on the log-likelihood of each row, in nats.

        .. math:: \log \frac1n \sum_k \frac{p(x, z_k)}{q(z_k \mid x)}, \qquad
            z_k \sim q(z \mid x)

        with ``n_draws`` draws, the same ones at each call. Its expectation is below the
        log-likelihood, and approaches it with more draws. For grey values, strictly
        between 0 and 1, of the "bernoulli" decoder it is a bound on the mean
        log-likelihood of binary rows drawn with these probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN is a missing value: the likelihood is that of the observed entries.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,), float64
        """
        return self.density_.log_prob(X)

    def importance_likelihood(self, X, *, n_draws=1000, return_se=False):
        """Importance weighted lower bound, with a given number of draws.

        Where the encoder is overconfident, as for rows with many missing entries, large
        weights are rare: bound and standard error are too low then.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN is a missing value.
        n_draws : int, default=1000
            Draws for each row.
        return_se : bool, default=False
            Whether to return standard errors, too.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,), float64
            In nats.
        se : ndarray of shape (n_samples,), float64
            Monte Carlo standard error, by the delta method; only if ``return_se``.
        """
        found, se = self.density_.importance_likelihood(X, n_draws)
        return (found, se) if return_se else found

    def elbo(self, X, *, n_draws=100):
        r"""Evidence lower bound of each row and its parts, in nats.

        .. math:: \mathbb{E}_q[\log p(x \mid z)] - \mathrm{KL}(q(z \mid x) \,\|\, p(z))

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN is a missing value.
        n_draws : int, default=100
            Draws to average the first term over; with several latent layers the second,
            too.

        Returns
        -------
        elbo : Elbo
            A named tuple of ``bound``, ``reconstruction`` and ``kl``, each of shape
            (n_samples,), float64.
        """
        return self.density_.elbo(X, n_draws)

    def active_units(self, X, *, threshold=ACTIVE):
        r"""Return a mask of the latent units that carry information on the rows.

        .. math:: \operatorname{Var}_x(\mathbb{E}_q[z_j]) > \text{threshold}

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN is a missing value.
        threshold : float, default=0.01
            Least variance of an active unit's means.

        Returns
        -------
        active : ndarray of bool, of shape (n_hidden,)
            Units of the layer next to the data first.
        """
        return self.density_.active_units(X, threshold)

    @property
    def density_(self):
        """Density of the rows, a :class:`LatentDensity`."""
        return self._density(LatentDensity)

    def _density(self, density, **more):
        """Density of what was learned, of some class."""
        check_is_fitted(self)
        more |= {"hierarchy": self._hierarchy(self._learned), "net": self._net}
        more |= {"output": self._output, "layers": self._layers}
        own = self._name, self._reader, self._domain, self._columns, self._seed
        return density(*own, n_draws=partial(self._now, "n_draws"), **more)

    @property
    def _net(self):
        """Parameters and statistics of a :class:`Hierarchy`."""
        state, model = self._training, self._WIRING.model
        return model(state.learned), model(state.statistics)

    @property
    def _structure(self):
        """Options that cannot change while training continues."""
        return self._WIRING.structure(self._options)

    def _check_options(self):
        self._WIRING.check(self._options)

    def _hierarchy(self, structure):
        return self._WIRING.hierarchy(structure, self._options, self._output)

    def _objective(self, table, before):
        parts = self._hierarchy(self._structure), self._domain, self._columns
        given = self._output, self._options, table.rows, self._seed, before
        return self._WIRING.objective(*parts, *given)

    def _attributes(self, state):
        model = self._WIRING.model(state.learned)
        found = super()._attributes(state._replace(params=model, mean=()))
        return found | {"_training": state}

    @property
    def _widths(self):
        return self._WIRING.widths(self._learned)

    @property
    def _domain(self):
        return columns_as_asked(self._options)

    @property
    def _output(self):
        """Distribution of the columns given the outputs of the decoder."""
        return output_as_asked(self._options, self._columns)

    @property
    def _layers(self):
        """Numbers of the layers whose means are features: by default the highest."""
        several = hasattr(self._options, "feature_layer")
        return chosen(self._now("feature_layer") if several else -1, len(self._widths))

    def _report(self, learned, n_epochs, watch):
        with Held():
            found = self.density_.survey(watch.rows, watch.probe)
            self.latent_variances_, collapsed = found
        super()._report(learned, n_epochs, watch)
        if collapsed and self.n_iter_:
            warn(
                f"The posterior of {self._name} collapsed: its latent units say "
                f"nothing of rows that have something in common. {self._REVIVE}",
                CollapseWarning,
            )

    @property
    def _n_features_out(self):
        check_is_fitted(self)
        return sum(self._widths[number] for number in self._layers)
