"""Public methods of models that are conditional on attributes."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdgm.base.frames import as_frame
from skdgm.base.given import attribute_types_, count_attributes, given_attributes
from skdgm.nets import NetEstimator
from skdgm.supervised._model import AttributeModel
from skdgm.typing import ArrayOrFrame, Data, Seed, Target


class AttributeEstimator(NetEstimator):
    r"""Base class of models of rows conditional on attributes; subclasses add options.

    Features are posterior means of encoded attributes, :math:`\mathbb{E}[a \mid x]`:
    probabilities of classes, and means of real attributes. The prior is the empirical
    distribution of training attributes. ``inverse_transform`` also accepts convex
    combinations of encoded attributes.
    """

    _MODEL, _MODEL_READS = AttributeModel(), ("_attributes_", "_known", "_gray")

    attribute_types_ = attribute_types_

    def generate(self, y: object) -> ArrayOrFrame:
        r"""Expected rows given attributes, :math:`\mathbb{E}[x \mid a]`.

        Parameters
        ----------
        y : array-like of shape (n_samples,) or (n_samples, n_attributes), object or \
                dict
            Attributes of each row. A class, a dict by name, or a one-dimensional array
            describes a single row.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Means, or the most probable categories. A DataFrame if the model was fitted
            to one.

        Raises
        ------
        ValueError
            A class is unknown, or the attributes differ from those in ``fit``.
        """
        return as_frame(self, self.density_.expected(y))

    def encode(self, y: object) -> np.ndarray:
        """Encode attributes as numbers: one-hot classes and unchanged real attributes.

        :meth:`inverse_transform` also accepts weighted means of encoded rows, such as
        the midpoint of two classes.

        Parameters
        ----------
        y : array-like of shape (n_samples,) or (n_samples, n_attributes), object or \
                dict
            Attributes, as in :meth:`generate`.

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
            By default NumPy's global generator, so that each call returns new rows.
        y : object, dict or array-like, default=None
            Attributes of each row, or of all rows, as in :meth:`generate`. By default,
            attributes of training rows are drawn by weight.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            A DataFrame if the model was fitted to one.

        Raises
        ------
        ValueError
            An error of :meth:`generate`, or y has another number of rows.
        """
        return as_frame(self, self.density_.sample(n_samples, random_state, y=y))

    def score_samples(self, X: Data, y: Target = None) -> np.ndarray:
        r"""Log-likelihood of each row, in nats.

        .. math:: \log p(x \mid a) \qquad \text{or, without attributes,} \qquad
            \log \sum_k w_k \, p(x \mid a_k)

        with the distinct attributes :math:`a_k` of training rows and their shares
        :math:`w_k`. Both are exact. Gray values between 0 and 1 in "bernoulli" columns
        are probabilities of bits. For gray rows, the first is the mean log-likelihood
        over these bits, and the second is a lower bound on this mean.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN marks a missing value, which is marginalized.
        y : array-like of shape (n_samples,) or (n_samples, n_attributes), default=None
            Attributes of the rows; None for the marginal likelihood.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,), float64
        """
        return self.density_.log_prob(X, y=y)

    def _label(self, rows, y, fresh, classes):
        """Attach attribute codes to rows, and learn the attributes at the first fit."""
        return given_attributes(self, rows, y, fresh)

    def _count(self, table, fresh):
        super()._count(table, fresh)
        count_attributes(self, table, fresh)
        self._note_gray(table, fresh)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        return tags
