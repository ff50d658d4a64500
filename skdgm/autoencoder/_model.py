"""Base class of autoencoders: public methods, architecture, training."""

from functools import partial

from sklearn.utils.validation import check_is_fitted

from skdgm.autoencoder._bound import Bound
from skdgm.autoencoder._density import ACTIVE, LatentDensity
from skdgm.autoencoder._hierarchy import Hierarchy
from skdgm.base.frames import filled_in, framed
from skdgm.data import check_pattern, column_types_of, names_of
from skdgm.exceptions import CollapseWarning
from skdgm.nets import NetEstimator, layers
from skdgm.utils.callers import warn
from skdgm.utils.counts import check_layer_sizes
from skdgm.utils.threads import Held


class LatentModel(NetEstimator):
    """Base class of estimators with encoders and decoders of latent units.

    A subclass has options, ``_domain``, the kind of the columns, and ``_output``, their
    distribution given the decoder's outputs.
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
        Z : ndarray of shape (n_samples, n_components)
            Units of the highest layer; with several layers, given the means below.
        """
        return self.density_.features(X)

    def inverse_transform(self, Z):
        r"""Expected data given latent units, :math:`\mathbb{E}[x \mid z]`.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_components)
            Latent units of the highest layer.

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
        return framed(self, self.density_.decode(Z), Z)

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
        names = names_of(self)
        found = self.density_.sample(n_samples, random_state, conditions, names)
        return framed(self, found)

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

        As :meth:`score_samples`. Where the encoder is overconfident, as for rows with
        many missing entries, large weights are rare: bound and standard error are too
        low then.

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
        active : ndarray of bool, of shape (sum of n_components,)
            Units of the layer next to the data first.
        """
        return self.density_.active_units(X, threshold)

    @property
    def density_(self):
        """Density of the rows, a :class:`LatentDensity`."""
        check_is_fitted(self)
        return LatentDensity(
            *(self._name, self._reader, self._domain, self._columns, self._seed),
            hierarchy=self._hierarchy(self._learned),
            net=(self._training.params, self._training.statistics),
            n_draws=partial(self._now, "n_draws"),
            output=self._output,
        )

    def _objective(self, table, before):
        parts = self._hierarchy(self._structure), self._domain, self._columns
        given = self._output, self._options, table.rows, self._seed, before
        return Bound(*parts, *given)

    def _check_options(self):
        check_pattern(self._options)
        latent, hidden = self._shape
        for name, sizes in (
            ("n_components", latent),
            *(("hidden_layer_sizes", part) for part in hidden),
        ):
            check_layer_sizes(sizes, name)
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
            "column_types": asked.column_types,
            "variance": asked.variance if isinstance(asked.variance, str) else "fixed",
            "activation": asked.activation,
            "batch_norm": asked.batch_norm,
        }

    def _hierarchy(self, structure):
        """Architecture of the nets, for a structure."""
        init = self._options.init_weights

        def block(n_units):
            if structure["activation"] == "maxout":
                found = [layers.maxout(n_units, init=init)]
            elif structure["batch_norm"]:
                found = [layers.dense(n_units, init=init)]
            else:
                found = [layers.dense(n_units, structure["activation"], init)]
            if structure["batch_norm"]:
                found.append(layers.batch_norm())
                if structure["activation"] != "maxout":
                    found.append(layers.activation(structure["activation"]))
            return *found, layers.dropout(self._options.dropout)

        sizes = self._output.n_inputs.sum(), self._output.n_outputs.sum()
        shape = structure["n_components"], structure["hidden_layer_sizes"]
        # He's rule is for rectifiers; outputs are linear.
        linear = init.replace("he", "glorot")
        return Hierarchy(*sizes, *shape, block, linear)

    def _report(self, learned, n_epochs, watch):
        with Held():
            found = self.density_.survey(watch.rows, watch.probe)
            self.latent_variances_, collapsed = found
        super()._report(learned, n_epochs, watch)
        if collapsed and self.n_iter_:
            warn(
                f"The posterior of {self._name} collapsed: its latent units say "
                "nothing of rows that have something in common. Set warm_up to some "
                "epochs, lower beta, or raise learning_rate or n_iter.",
                CollapseWarning,
            )

    @property
    def _n_features_out(self):
        check_is_fitted(self)
        return self._learned["n_components"][-1]
