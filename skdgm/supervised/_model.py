"""Base class of estimators of rows given attributes: public methods, training."""

from functools import partial

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from skdgm.base.frames import filled_in, framed
from skdgm.data import column_types_of, columns_as_asked, has_grey
from skdgm.data.inputs import as_values, check_length
from skdgm.data.rare import Rare
from skdgm.distributions import output_as_asked
from skdgm.nets import NetEstimator
from skdgm.supervised._attributes import learned
from skdgm.supervised._density import GivenDensity, Known
from skdgm.supervised._likelihood import Likelihood, net_of
from skdgm.utils.counts import check_layer_sizes, layer_sizes

# Options that the net depends on.
_NAMES = (
    *("hidden_layer_sizes", "column_types", "activation", "architecture"),
    *("conv_layer_sizes", "upsampling", "image_shape"),
)


class AttributeModel(NetEstimator):
    """Base class of estimators of rows given attributes; a subclass has options."""

    _IMPLIED = {**Rare()._asdict(), "missing_pattern": "ignore"}

    def generate(self, y):
        r"""Expected rows given attributes, :math:`\mathbb{E}[x \mid a]`.

        Parameters
        ----------
        y : array-like of shape (n_samples,) or (n_samples, n_attributes), object or \
                dict
            Attributes of each row; a class, a dict by name or an array of one
            dimension are those of one row.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Means; of categories the most probable ones. A DataFrame if ``fit`` was
            given one.

        Raises
        ------
        ValueError
            A class is unknown, or there are other attributes than in ``fit``.
        """
        return framed(self, self.density_.expected(y))

    def encode(self, y):
        """Attributes as numbers: one-hot classes, and real attributes as they are.

        Weighted means of these, such as half one class and half another, are
        attributes for :meth:`inverse_transform`.

        Parameters
        ----------
        y : array-like of shape (n_samples,) or (n_samples, n_attributes), object or \
                dict
            As of :meth:`generate`.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_features_out)
        """
        check_is_fitted(self)
        found = self._attributes_.numbers(y, self)
        return self._attributes_.encoded(found).astype(self._dtype)

    def transform(self, X):
        r"""Expected attributes of rows, :math:`\mathbb{E}[a \mid x]`, as of
        :meth:`encode`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN is a missing value.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_features_out)
            Probabilities of classes, and means of real attributes, where each row has
            the attributes of a training row.
        """
        return self.density_.features(X)

    def inverse_transform(self, Z):
        """Expected rows given encoded attributes, or mixtures of these.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_features_out)
            As of :meth:`encode`.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            As of :meth:`generate`. A DataFrame if Z and what was fitted are.

        Raises
        ------
        ValueError
            Z does not have as many columns as attributes have inputs.
        """
        check_is_fitted(self)
        H, Z = Z, check_array(Z, dtype=np.float64, input_name="Z")
        if Z.shape[1] != self._n_features_out:
            raise ValueError(
                f"Z has {Z.shape[1]} columns, but the attributes of {self._name} have "
                f"{self._n_features_out} inputs."
            )
        found = self.density_.decode(self._attributes_.standardised(Z))
        return framed(self, found, H)

    def sample(self, n_samples=1, random_state=None, *, y=None):
        r"""Draw rows, :math:`x \sim p(x \mid a)`.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            By default NumPy's global generator: other rows at each call.
        y : object, dict or array-like, default=None
            Attributes of all rows, or of each, as of :meth:`generate`. By default those
            of training rows are drawn, by their weights.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            A DataFrame if ``fit`` was given one.

        Raises
        ------
        ValueError
            As of :meth:`generate`; or y has another number of rows.
        """
        return framed(self, self.density_.sample(n_samples, random_state, y))

    def score_samples(self, X, y=None):
        r"""Log-likelihood of each row, in nats.

        .. math:: \log p(x \mid a) \qquad \text{or, without attributes,} \qquad
            \log \sum_k w_k \, p(x \mid a_k)

        for the distinct attributes :math:`a_k` of training rows and their shares
        :math:`w_k`. Both are exact. Of grey rows, with values between 0 and 1 in
        "bernoulli" columns, the first is the mean log-likelihood of bits drawn with
        these probabilities, and the second a lower bound on it.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN is a missing value: the likelihood is that of the observed entries.
        y : array-like of shape (n_samples,) or (n_samples, n_attributes), default=None
            Attributes of the rows, if known.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,), float64
        """
        return self.density_.log_prob(X, y)

    def impute(self, X, *, method="mean", random_state=None):
        """Fill missing entries given the others, from which attributes are inferred.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        method : {"mean", "sample"}, default="mean"
            Means (of categories the most probable ones), or draws.
        random_state : int, RandomState instance or None, default=None
            For "sample".

        Returns
        -------
        X_filled : ndarray of shape (n_samples, n_features)
            Known entries are unchanged. A DataFrame if X and what was fitted are.
        """
        return filled_in(self, X, self.density_.fill(X, method, random_state))

    @property
    def column_types_(self):
        """How each column is read, by its name or number; see ``column_types``."""
        return column_types_of(self)

    @property
    def attribute_types_(self):
        """How each attribute is read, by its name or number."""
        check_is_fitted(self)
        return self._attributes_.types()

    @property
    def density_kind_(self):
        """Kind of ``score_samples``: "exact", or "lower bound" of grey rows."""
        return self.density_.kind

    @property
    def density_(self):
        """Density of rows given attributes, a :class:`GivenDensity`."""
        check_is_fitted(self)
        state, output = self._training, self._output
        params, own = state.learned
        net = self._net(self._learned)
        shared = self._name, self._reader, self._domain, self._columns, self._seed
        return GivenDensity(
            *shared,
            outputs=partial(_outputs, net, params, state.statistics),
            net=(params, own),
            output=output,
            attributes=self._attributes_,
            known=self._known,
            grey=self._grey,
            owner=self,
        )

    def _net(self, structure):
        asked = self._options
        return net_of(structure, self._output, asked.dropout, asked.init_weights)

    def _objective(self, table, before):
        attributes, dtype = self._attributes_, table.rows.dtype
        parts = self._net(self._structure), partial(attributes.inputs, dtype=dtype)
        kinds = self._domain, self._columns, self._output
        given = self._options, table.rows, self._seed, before
        return Likelihood(*parts, *kinds, *given)

    @property
    def _structure(self):
        """Options that cannot change while training continues."""
        asked = self._options
        found = {name: getattr(asked, name) for name in _NAMES}
        for name in "hidden_layer_sizes", "conv_layer_sizes":
            found[name] = layer_sizes(found[name])
        found["variance"] = asked.variance if isinstance(asked.variance, str) else "set"
        return found

    def _check_options(self):
        for name in "hidden_layer_sizes", "conv_layer_sizes":
            check_layer_sizes(getattr(self._options, name), name)
        sizes = layer_sizes(self._options.conv_layer_sizes)
        if self._options.architecture == "conv" and not sizes:
            raise ValueError("conv_layer_sizes must have a number of maps for a layer.")

    def _label(self, rows, y, fresh, _):
        """Rows with the numbers of their attributes, and a dict of what these are."""
        y = as_values(y, self) if y is None else y
        attributes = self._attributes_ if not fresh else None
        if fresh:
            attributes = learned(y, self, self._options.attribute_types)
        numbers = attributes.numbers(y, self)
        check_length(numbers, rows.shape[0])
        return rows._replace(labels=numbers), {"_attributes_": attributes}

    def _count(self, table, fresh):
        if fresh:
            self._attributes_ = self._attributes_.fitted(table)
        self._known = Known.of(table, None if fresh else self._known)
        grey = has_grey(table.rows, self._domain.bits(self._columns))
        self._grey = bool(grey or (not fresh and self._grey))

    @property
    def _domain(self):
        return columns_as_asked(self._options)

    @property
    def _output(self):
        return output_as_asked(self._options, self._columns)

    @property
    def _n_features_out(self):
        check_is_fitted(self)
        return int(self._attributes_.sizes.sum())

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        return tags


def _outputs(net, params, statistics, inputs):
    return net.apply(params, statistics, inputs)[0]
