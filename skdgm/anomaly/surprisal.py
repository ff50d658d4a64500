r"""Weighted mean of the standardized surprisals of small densities.

.. math:: s(x) = -\sum_m \frac{w_m}{\sigma_m}
    \sum_j \bigl(e_{mj}(x) - \bar e_{mj}\bigr)
"""

from typing import NamedTuple

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from skdgm.anomaly._densities import Histogram, JointNormal, MixtureOfColumns
from skdgm.base.frames import in_format_of
from skdgm.data.coded import CodedEstimator, category_sizes, distinct_rows
from skdgm.data.foreign import as_pandas
from skdgm.data.frames import Codec
from skdgm.data.input_scales import InputScales
from skdgm.data.text import warn_of_text
from skdgm.typing import ArrayOrFrame, Data, Self, Target, Weight
from skdgm.utils.domains import checked_weights, is_frame
from skdgm.utils.threading.threads import one_blas_thread

# Weights of the surprisals: of histograms, of a normal distribution, of its
# conditional distributions, and of a mixture.
_WEIGHTS = 0.4, 0.2, 0.2, 0.2
# Maximum number of distinct rows of a fit.
_ROWS = 20_000


class Surprise(NamedTuple):
    """Surprisals of entries by one density: their means, (n_features,), and the
    standard deviation of their sum over a row."""

    usual: np.ndarray
    spread: float

    @classmethod
    def of(cls, entries, known, weight):
        """Statistics of the entries of weighted rows."""
        seen = np.maximum(weight @ known, np.finfo(float).tiny)
        usual = weight @ entries / seen
        sums = np.where(known, entries - usual, 0.0).sum(axis=1)
        share = weight / weight.sum()
        spread = np.sqrt(share @ (sums - share @ sums) ** 2)
        size = np.abs(entries).max(initial=0.0)
        return cls(usual, float(spread) if spread > 1e-9 * size else 1.0)


class FittedSurprisal(NamedTuple):
    """Fitted state of :class:`Surprisal`: the codec of the columns of a DataFrame, or
    None; their scales; the densities, and statistics of their surprisals."""

    codec: object
    scales: InputScales
    densities: tuple
    surprises: tuple


class Surprisal(CodedEstimator):
    """Default model of :class:`~skdgm.DensityOutlierDetector`; see its docstring.

    Attributes
    ----------
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
    """

    _name = "DensityOutlierDetector"

    def fit(self, X: Data, y: Target = None, sample_weight: Weight = None) -> Self:
        """Fit histograms, a normal distribution and a mixture to weighted rows."""
        X, codec = as_pandas(X), None
        if is_frame(X) and not all(
            getattr(dtype, "kind", "O") in "biuf" for dtype in X.dtypes
        ):
            codec = Codec.of(X)
            warn_of_text(X, codec)
        x = self._read(X, codec, reset=True)
        weight = checked_weights(sample_weight, x, ensure_non_negative=True)
        validate_data(self, X, reset=True, skip_check_array=True)
        x, weight = distinct_rows(x, weight, _ROWS)
        n_categories = category_sizes(codec, x.shape[1])
        with one_blas_thread():
            scales = InputScales.of(x, weight, n_categories)
            inputs = x, scales.bent(x), scales.standard(x)
            densities = (
                Histogram.of(x, weight, n_categories),
                JointNormal.of(inputs[1], weight),
                MixtureOfColumns.of(inputs[2], weight),
            )
            known = ~np.isnan(x)
            surprises = tuple(
                Surprise.of(entries, known, weight)
                for entries in _entries(inputs, scales, densities)
            )
        self._columns = FittedSurprisal(codec, scales, densities, surprises)
        return self

    def score_samples(self, X: Data) -> np.ndarray:
        """Sum of the scores of the entries of each row."""
        return self._scores(X).sum(axis=1)

    def score_features(self, X: Data) -> ArrayOrFrame:
        """Scores of the entries of each row, (n_samples, n_features), 0 where missing,
        in standard deviations; low for unusual entries."""
        return in_format_of(self, X, self._scores(X))

    def _scores(self, X):
        check_is_fitted(self)
        x = self._read(as_pandas(X), self._columns.codec)
        _, scales, densities, surprises = self._columns
        scores, known = np.zeros(x.shape), ~np.isnan(x)
        with one_blas_thread():
            inputs = x, scales.bent(x), scales.standard(x)
            parts = _entries(inputs, scales, densities)
            for weight, entries, (usual, spread) in zip(_WEIGHTS, parts, surprises):
                scores -= np.where(known, entries - usual, 0.0) * (weight / spread)
        return scores


def _entries(inputs, scales, densities):
    """Yield surprisals of entries, (n_rows, n_features), one array for each weight.
    Each density has its ``inputs``: rows, and both kinds of standardized rows."""
    (x, bent, standard), (histogram, normal, mixture) = inputs, densities
    yield histogram.entries(x)
    yield scales.by_column(normal.joint(bent), x.shape[1])
    yield scales.by_column(normal.conditional(bent), x.shape[1])
    yield scales.by_column(mixture.entries(standard), x.shape[1])
