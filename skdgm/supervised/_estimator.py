"""Base class of estimators of rows given attributes: public methods."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdgm.base.frames import framed
from skdgm.base.given import attribute_types_, count_attributes, given_attributes
from skdgm.nets import NetEstimator
from skdgm.supervised._model import AttributeModel
from skdgm.typing import ArrayOrFrame, Data, Seed, Target


class AttributeEstimator(NetEstimator):
    r"""Base class of estimators of rows given attributes; a subclass has options.

    Features are expected attributes of rows, :math:`\mathbb{E}[a \mid x]`, as of
    :meth:`encode`: probabilities of classes, and means of real attributes, where each
    row has the attributes of a training row. ``inverse_transform`` takes mixtures of
    attributes, too.
    """

    _MODEL, _KNOWN = AttributeModel(), ("_attributes_", "_known", "_grey")

    attribute_types_ = attribute_types_

    def generate(self, y: object) -> ArrayOrFrame:
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
            Means, or the most probable categories. A DataFrame if ``fit`` was given
            one.

        Raises
        ------
        ValueError
            A class is unknown, or there are other attributes than in ``fit``.
        """
        return framed(self, self.density_.expected(y))

    def encode(self, y: object) -> np.ndarray:
        """Attributes as numbers: one-hot classes, and real attributes as they are.

        Weighted means of rows, such as half one class and half another, are attributes
        for :meth:`inverse_transform`.

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
        numbers = self._attributes_.numbers(y, self._name)
        return self._attributes_.encoded(numbers).astype(self._dtype)

    def sample(
        self, n_samples: int = 1, random_state: Seed = None, *, y: object = None
    ) -> ArrayOrFrame:
        r"""Draw rows, :math:`x \sim p(x \mid a)`.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            By default NumPy's global generator: other rows at each call.
        y : object, dict or array-like, default=None
            Attributes of all rows, or of each, as of :meth:`generate`. By default
            attributes of training rows are drawn, by weight.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            A DataFrame if ``fit`` was given one.

        Raises
        ------
        ValueError
            As of :meth:`generate`; or y has another number of rows.
        """
        return framed(self, self.density_.sample(n_samples, random_state, y=y))

    def score_samples(self, X: Data, y: Target = None) -> np.ndarray:
        r"""Log-likelihood of each row, in nats.

        .. math:: \log p(x \mid a) \qquad \text{or, without attributes,} \qquad
            \log \sum_k w_k \, p(x \mid a_k)

        for the distinct attributes :math:`a_k` of training rows and their shares
        :math:`w_k`. Both are exact. For grey rows, with values between 0 and 1 in
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
        return self.density_.log_prob(X, y=y)

    def _label(self, rows, y, fresh, _):
        """Rows with the numbers of their attributes, and their learned attributes."""
        return given_attributes(self, rows, y, fresh)

    def _count(self, table, fresh):
        super()._count(table, fresh)
        count_attributes(self, table, fresh)
        self._note_grey(table, fresh)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        return tags
