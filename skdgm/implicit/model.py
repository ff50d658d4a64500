"""Base class of estimators that learn a generator of rows: public methods."""

from functools import partial

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skdgm.base.frames import filled_in, framed
from skdgm.data import column_types_of, columns_as_asked
from skdgm.data.given import class_codes, given_classes
from skdgm.data.labels import weight_of_classes
from skdgm.data.rare import Rare
from skdgm.implicit import columns
from skdgm.implicit.density import ImplicitDensity
from skdgm.implicit.inversion import invert
from skdgm.implicit.watch import tell
from skdgm.nets import NetEstimator
from skdgm.utils.counts import count, count_rows


def _is_invertible(model):
    """Whether what ``transform`` gives, latent units, is all that a row needs."""
    asked = model._options
    return asked.features == "latent" and not asked.class_conditional


class ImplicitModel(NetEstimator):
    """Base class of estimators of rows drawn by a generator.

    A subclass has options and ``_WIRING``, a class whose instances, made of a
    structure, an Emission, a number of classes and the options, have

    - ``generator``, a :class:`~skdgm.implicit.Generator`, whose parameters are the
      first of ``learned`` of a training state,
    - ``hidden(state, x, known=None)``, features of what a discriminator sees,
    - ``game(rows, seed, before)``, the objective.

    Its ``structure(options)`` is a dict of the options that the nets depend on;
    ``check(options)`` raises ValueError for those that exclude each other.
    """

    # Advice where generated rows are all alike.
    _DIVERSIFY = (
        'Set loss="relativistic" with a gradient_penalty above 0, packing=2 or '
        "minibatch_kernels, or lower learning_rate."
    )

    def transform(self, X):
        """Features of rows, as ``features`` says.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        H : ndarray of shape (n_samples, n_features_out)
            The last hidden units of the discriminator, or latent units; see
            :meth:`invert`.
        """
        return self.density_.features(X)

    @available_if(_is_invertible)
    def inverse_transform(self, Z):
        """Rows of latent units, as of :meth:`generate`, without classes.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_components)

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
        """
        return self.generate(Z)

    _IMPLIED = {**Rare()._asdict(), "missing_pattern": "ignore"}

    @property
    def column_types_(self):
        """How each column is read, by its name or number; see ``column_types``."""
        return column_types_of(self)

    @property
    def density_kind_(self):
        """Kind of ``score_samples``: "estimate"."""
        return self.density_.kind

    def sample(self, n_samples=1, random_state=None, *, y=None):
        """Draw rows from the model: latent units, then the generator's rows.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            By default NumPy's global generator: other rows at each call.
        y : object or array-like of shape (n_samples,), default=None
            Class of all rows, or of each, of a conditional model. By default classes
            are drawn by their frequencies, each counted once more.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            A DataFrame if ``fit`` was given one.

        Raises
        ------
        ValueError
            A class is unknown, or the model is not conditional.
        """
        density = self.density_
        n_samples = count_rows(n_samples, self.n_features_in_)
        codes = self._codes_of(y, n_samples)
        return framed(self, density.sample(n_samples, random_state, codes))

    def score_samples(self, X):
        r"""Estimated log density of each row, in nats.

        .. math:: \log \frac1m \sum_{i=1}^m \prod_j k_j(x_j, s_{ij})

        around ``n_draws`` draws of the model, the same ones at each call, with kernels
        whose widths maximise the likelihood of each draw given the others; those of
        grey columns are cut off beyond [0, 1]. In many dimensions no feasible number of
        draws is enough: it says little about the model, and serves for comparison.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN is a missing value: the density is that of the observed entries.

        Returns
        -------
        log_density : ndarray of shape (n_samples,), float64
        """
        return self.density_.log_prob(X)

    def impute(self, X, *, method="mean", random_state=None):
        """Fill missing entries by draws of the model that resemble the others.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        method : {"mean", "sample"}, default="mean"
            Mean of the draws, each weighted by its kernel at the observed entries (the
            most probable category), or one of them, by weight.
        random_state : int, RandomState instance or None, default=None
            For "sample".

        Returns
        -------
        X_filled : ndarray of shape (n_samples, n_features)
            Known entries are unchanged. A DataFrame if X and what was fitted are.

        Raises
        ------
        ValueError
            ``method`` is neither of these.
        """
        return filled_in(self, X, self.density_.fill(X, method, random_state))

    def generate(self, Z, y=None):
        """Rows of the generator for given latent units.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_components)
            Latent units.
        y : object or array-like of shape (n_samples,), default=None
            Class of all rows, or of each; required by conditional models.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Bits and categories are the most probable ones.

        Raises
        ------
        ValueError
            Z does not have a column for each latent unit; y is missing, or a class is
            unknown.
        """
        density = self.density_
        H, Z = Z, check_array(Z, dtype=self._dtype, input_name="Z")
        n_latent = density.generator.n_latent
        if Z.shape[1] != n_latent:
            raise ValueError(
                f"Z has {Z.shape[1]} columns, but {self._name} has {n_latent} latent "
                "units."
            )
        codes = self._codes_of(y, len(Z))
        if codes is None and density.shares is not None:
            raise ValueError(f"{self._name} is conditional: generate needs y.")
        return framed(self, density.decode(Z, codes), H)

    def invert(self, X, y=None, *, n_steps=200):
        r"""Latent units whose generated rows are nearest to given ones.

        .. math:: \min_z \lVert x - g(z) \rVert^2 + \tfrac{1}{100} \lVert z \rVert^2

        by Adam, from the latent units of that of ``n_draws`` draws whose kernel, as in
        :meth:`score_samples`, is largest [1]_.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN is a missing value, to which no distance counts.
        y : object or array-like of shape (n_samples,), default=None
            Class of all rows, or of each, of a conditional model. By default each row
            has that of its nearest draw.
        n_steps : int, default=200
            Number of steps.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components)

        References
        ----------
        .. [1] Zhu, Krähenbühl, Shechtman and Efros (2016). Generative visual
           manipulation on the natural image manifold. ECCV.
        """
        codes = self._codes_of(y, np.shape(X)[0])
        return invert(self.density_, X, count(n_steps, "n_steps"), codes)

    @property
    def density_(self):
        """Estimated density of the rows, an :class:`ImplicitDensity`."""
        check_is_fitted(self)
        state, wiring = self._training, self._wiring(self._learned)
        latent = self._options.features == "latent"
        return ImplicitDensity(
            *(self._name, self._reader, self._domain, self._columns, self._seed),
            generator=wiring.generator,
            net=(state.learned[0], state.generator.statistics),
            n_draws=partial(self._now, "n_draws"),
            noise=getattr(self._options, "output_noise", 0.0),
            shares=self._shares,
            hidden=None if latent else partial(wiring.hidden, state),
        )

    @property
    def _structure(self):
        """Options that cannot change while training continues."""
        return self._WIRING.structure(self._options)

    def _wiring(self, structure):
        """Nets of a structure, and how they learn."""
        n_classes = len(self.classes_) if self._options.class_conditional else 0
        return self._WIRING(structure, self._emission, n_classes, self._options)

    def _check_options(self):
        self._WIRING.check(self._options)

    def _objective(self, table, before):
        return self._wiring(self._structure).game(table.rows, self._seed, before)

    @property
    def _n_features_out(self):
        check_is_fitted(self)
        if self._options.features == "latent":
            return self.density_.generator.n_latent
        return self.density_.hidden(np.zeros((1, self._emission.n_inputs))).shape[1]

    @property
    def _shares(self):
        """Frequencies of the classes, or None."""
        counts = getattr(self, "_label_counts", None)
        return None if counts is None else (counts + 1) / (counts + 1).sum()

    def _codes_of(self, y, n_rows):
        """Codes of classes that a user names, one for each row, or None."""
        check_is_fitted(self)
        if y is None:
            return None
        if self._shares is None:
            why = "depends on no classes: leave out y."
            if hasattr(self, "class_conditional"):
                why = "is not conditional: fit with class_conditional=True and y."
            raise ValueError(f"{self._name} {why}")
        return class_codes(self, y, n_rows)

    def _label(self, rows, y, fresh, _):
        """Rows with the codes of their classes, and a dict of the classes, if the model
        is conditional."""
        if not self._options.class_conditional:
            return rows, {}
        return given_classes(self, rows, y, fresh)

    def _count(self, table, fresh):
        """Count classes, and look for grey values, before training."""
        if fresh:
            vars(self).pop("_label_counts", None)
            if table.rows.given is None:
                vars(self).pop("classes_", None)
        columns.find_grey(self, table, fresh)
        if table.rows.given is not None:
            found = weight_of_classes(table, len(self.classes_))
            self._label_counts = getattr(self, "_label_counts", 0) + found

    @property
    def _emission(self):
        """Columns as functions of the generator's outputs."""
        kind = self._options.column_types
        return columns.emission(self._domain, self._columns, kind, self._grey)

    @property
    def _domain(self):
        return columns_as_asked(self._options)

    def _report(self, learned, n_epochs, watch):
        self.coverage_, fault = watch.collapse(learned.state)
        super()._report(learned, n_epochs, watch)
        if self.n_iter_:
            tell(self._name, self.n_updates_, fault, self._DIVERSIFY)

    def _attributes(self, state):
        found = super()._attributes(state)
        found["n_updates_"] = int(state.t[0])
        return found
