r"""Imputation of small tables by the mean of several mixtures of normal distributions.

.. math:: \hat x_m = \sum_j w_j \, \mathbb{E}_j[x_m \mid x_o]
"""

from functools import partial
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import issparse
from scipy.special import ndtr, ndtri
from sklearn.utils import TransformerTags, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from skdgm.data.auto import bit_columns
from skdgm.data.coded import CodedEstimator, category_sizes, distinct_rows
from skdgm.data.filling import completed
from skdgm.data.foreign import as_pandas
from skdgm.data.frames import Codec, warn_of_values
from skdgm.data.input_scales import InputScales
from skdgm.data.text import warn_of_text
from skdgm.imputation._mixture import draw, family, spreads
from skdgm.typing import ArrayOrFrame, Data, Seed, Self, Target, Weight
from skdgm.utils.counts import check_choice
from skdgm.utils.domains import checked_weights, is_frame
from skdgm.utils.math import distinct
from skdgm.utils.random import MAX_SEED
from skdgm.utils.threading.threads import one_blas_thread

# Maximum numbers of rows, and of columns with one for each category.
_ROWS, _WIDTH, _CATEGORIES = 5_000, 60, 30
# Maximum share of distinct values of columns whose draws are rounded to values.
_REPEATED = 0.5
# Numbers are clipped to this multiple of the 90th percentile of distances from the
# median: a single outlier would otherwise determine moments of all rows.
_OUTLYING, _DISTANT = 10.0, 0.9
# Probability of a range of numbers below which its nearest end is drawn.
_TINY = 1e-9
# Maximum number of entries of conditional means in memory.
_BLOCK = 2**22


class FittedMixtures(NamedTuple):
    """Fitted state of :class:`NormalMixtures`.

    ``codec`` encodes the columns of a DataFrame, or is None. Numbers are clipped to
    ``limits``, (2, n_features). ``sizes`` are numbers of categories, 0 for numbers;
    ``bits`` is a mask of columns of 0 and 1. ``values`` has an array for each column:
    its categories in the order of the inputs, the category without an input last; or
    the sorted values of numbers. Draws of numbers are rounded to these values if
    ``repeated``. ``scales`` has the inputs, and ``kept`` is the mask of the inputs of
    the ``mixtures``, whose weights are ``weight``.
    """

    codec: Any
    limits: np.ndarray
    sizes: np.ndarray
    bits: np.ndarray
    values: tuple
    repeated: np.ndarray
    scales: InputScales
    kept: np.ndarray
    mixtures: tuple
    weight: np.ndarray


class NormalMixtures(CodedEstimator):
    """Default model of :class:`~skdgm.GenerativeImputer`, which describes it.

    Attributes
    ----------
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
    """

    _name = "GenerativeImputer"

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X: Data, y: Target = None, sample_weight: Weight = None) -> Self:
        """Fit normal distributions and their mixtures to weighted rows."""
        X = as_pandas(X)
        codec = Codec.of(X) if is_frame(X) else None
        if codec is not None:
            warn_of_text(X, codec)
        x = self._read(X, codec, reset=True)
        weight = checked_weights(sample_weight, x, ensure_non_negative=True)
        validate_data(self, X, reset=True, skip_check_array=True)
        rng = _generator(self.random_state)
        x, weight = distinct_rows(x, weight, len(x))
        bits, sizes = bit_columns(x), category_sizes(codec, x.shape[1])
        bits &= sizes == 0
        sizes = np.where(bits, 2, sizes)
        limits = _limits(x, weight, sizes)
        plausible = np.where((x >= limits[0]) & (x <= limits[1]), x, np.nan)
        x = x.clip(limits[0], limits[1])
        with one_blas_thread():
            scales = InputScales.of(x, weight, sizes)
            kept, values = _kept(scales, plausible, sizes)
            known = weight @ ~np.isnan(x)
            repeated = np.array([len(v) for v in values]) <= _REPEATED * known
            mixtures, share = (), np.ones(0)
            if kept.any():
                z, of_input = scales.standard(x)[:, kept], scales.column[kept]
                groups = [
                    (np.flatnonzero(of_input == j), len(values[j]))
                    for j in np.flatnonzero(sizes)
                ]
                snap = partial(_snapped, groups=groups, moments=scales.plain[:, kept])
                mixtures, share = family(z, weight, rng, snap)
        self._columns = FittedMixtures(
            codec, limits, sizes, bits, values, repeated, scales, kept, mixtures, share
        )
        return self

    def impute(
        self, X: Data, method: str = "mean", random_state: Seed = None
    ) -> ArrayOrFrame:
        """Impute missing entries by "mean", "mode" or "sample"."""
        check_is_fitted(self)
        check_choice("method", method, ("mean", "mode", "sample"))
        original, X = X, as_pandas(X)
        codec = self._columns.codec
        x = self._read(X, codec)
        if codec is not None and is_frame(X):
            # Unknown categories are imputed for other columns, and remain.
            unknown = (x < 0) & (self._columns.sizes > 0)
            warn_of_values(self._name, X, unknown, codec.names.__getitem__)
            x[unknown] = np.nan
        rng = _generator(random_state) if method == "sample" else None
        filled, holes = x.copy(), np.flatnonzero(np.isnan(x).any(axis=1))
        n_means = sum(len(m.log_weight) for m in self._columns.mixtures) * x.shape[1]
        size = max(1, _BLOCK // max(1, n_means))
        with one_blas_thread():
            for start in range(0, len(holes), size):
                rows = holes[start : start + size]
                filled[rows] = self._filled(x[rows], method, rng)
        if codec is not None:
            found = codec.decode(filled)
            return completed(X, found) if is_frame(X) else found
        dtype = getattr(original, "dtype", np.dtype(float))
        if not holes.size and getattr(dtype, "kind", "O") in "biu":
            return original.toarray() if issparse(original) else np.asarray(original)
        is_number = getattr(dtype, "kind", "O") in "biuf"
        dtype = np.result_type(dtype, np.float32) if is_number else np.float64
        return filled.astype(dtype, copy=False)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags = TransformerTags(preserves_dtype=["float64", "float32"])
        return tags

    def _filled(self, x, method, rng):
        """Rows of numbers and codes with their missing entries imputed."""
        columns, scales = self._columns, self._columns.scales
        kept, missing = columns.kept, np.isnan(x)
        out, spread, inputs = x.copy(), 1.0, np.zeros((len(x), 0))
        if kept.any():
            low, high = columns.limits
            z = scales.standard(x.clip(low, high))[:, kept]
            parts = [mixture.given(z) for mixture in columns.mixtures]
            share = np.hstack([w * own for w, (own, _) in zip(columns.weight, parts)])
            means = np.concatenate([own for _, own in parts])
            if method == "sample":
                covariances = [m.covariance for m in columns.mixtures]
                covariances = np.concatenate(covariances)
                inputs, chosen, rest = draw(z, share, means, covariances, rng)
                center = means[chosen, np.arange(len(z))]
                spread = spreads(z, chosen, covariances)
                spread = np.where(spread > 0, spread, 1.0)
                below = ndtr(rest / spread)
            elif method == "mode":
                inputs = center = means[share.argmax(axis=1), np.arange(len(z))]
            else:
                inputs = center = np.einsum("nk,knp->np", share, means)
            location, scale = scales.plain[:, kept]
            inputs, center = inputs * scale + location, center * scale + location
            spread = spread * scale
        of_column = scales.column[kept]
        for j in np.flatnonzero(missing.any(axis=0)):
            rows, own = np.flatnonzero(missing[:, j]), np.flatnonzero(of_column == j)
            values = columns.values[j]
            if not len(own) or len(values) == 1:
                out[rows, j] = values[0] if len(values) else 0.0
            elif not columns.sizes[j]:
                place = rows, own[0]
                v = inputs[place]
                if method == "sample":
                    v = _truncated(below[place], center[place], spread[place], values)
                v = v.clip(values[0], values[-1])
                snapped = method == "sample" and columns.repeated[j]
                out[rows, j] = _nearest(v, values) if snapped else v
            else:
                shares = _shares(center[np.ix_(rows, own)], len(values))
                if method == "sample":
                    # The first category is for large values of its input.
                    sums = np.cumsum(shares[:, :0:-1], axis=1)
                    above = below[rows, own[0]][:, None] >= sums
                    places = len(values) - 1 - above.sum(axis=1)
                    out[rows, j] = values[places]
                elif columns.bits[j] and method == "mean":
                    out[rows, j] = shares @ values
                else:
                    out[rows, j] = values[shares.argmax(axis=1)]
        return out


def is_large(X):
    """Return whether a table has too many rows or columns for :class:`NormalMixtures`;
    categories count as columns."""
    width = X.shape[1]
    if is_frame(X):
        coded = [not hasattr(dtype, "kind") or dtype.kind == "O" for dtype in X.dtypes]
        counts = [X.iloc[:, j].nunique() for j in np.flatnonzero(coded)]
        width += sum(min(max(count - 2, 0), _CATEGORIES) for count in counts)
    return X.shape[0] > _ROWS or width > _WIDTH


def _generator(random_state):
    """Generator of NumPy, by a seed drawn from a random state."""
    return np.random.default_rng(check_random_state(random_state).randint(MAX_SEED))


def _limits(x, weight, sizes):
    """Smallest and largest plausible value of each column, (2, n_features); infinite
    for categories."""
    limits = np.full((2, x.shape[1]), np.inf)
    limits[0] *= -1
    for j in np.flatnonzero(sizes == 0):
        known = ~np.isnan(x[:, j]) & (weight > 0)
        v, weight_of_v = x[known, j], weight[known]
        if not len(v):
            continue
        median = _quantile(v, weight_of_v, 0.5)
        distance = np.abs(v - median)
        # The scale of a sparse column is that of values that differ from the median.
        differs = distance > 0
        if differs.any():
            scale = _quantile(distance[differs], weight_of_v[differs], _DISTANT)
            limits[:, j] = median + _OUTLYING * scale * np.array([-1.0, 1.0])
    return limits


def _quantile(v, weight, share):
    """Weighted quantile."""
    return np.quantile(v, share, method="inverted_cdf", weights=weight)


def _kept(scales, x, sizes):
    """Mask of the inputs without one category of each column, and the values of
    columns: categories with an input, or sorted numbers."""
    kept, values = np.ones(len(scales.column), bool), []
    for j, size in enumerate(sizes):
        own = np.flatnonzero(scales.column == j)
        found = distinct(x[~np.isnan(x[:, j])][:, [j]])[0][:, 0]
        if size and len(own):
            if len(own) == len(found[found >= 0]):
                kept[own[-1]] = False
            found = scales.category[own].astype(float)
        values.append(found)
    return kept, tuple(values)


def _shares(inputs, n_categories):
    """Probabilities of categories, (n_rows, n_categories), given expected inputs, of
    which the last may be dropped."""
    if inputs.shape[1] < n_categories:
        inputs = np.hstack([inputs, 1 - inputs.sum(axis=1, keepdims=True)])
    inputs = np.maximum(inputs, 1e-12)
    return inputs / inputs.sum(axis=1, keepdims=True)


def _snapped(z, groups, moments):
    """Rows whose inputs of categories are those of the most probable category, given
    pairs of inputs and numbers of categories, and means and scales of inputs."""
    z, (location, scale) = z.copy(), moments
    for own, n_categories in groups:
        if len(own):
            share = _shares(z[:, own] * scale[own] + location[own], n_categories)
            first = share.argmax(axis=1)[:, None] == np.arange(len(own))
            z[:, own] = (first - location[own]) / scale[own]
    return z


def _truncated(below, center, spread, values):
    """Quantiles of normal distributions truncated to the range of sorted values, at
    probabilities ``below``. Clipped draws would accumulate at both ends."""
    low, high = ndtr((values[[0, -1], None] - center) / spread)
    drawn = center + spread * ndtri(low + below * (high - low))
    return np.where(high - low > _TINY, drawn, center)


def _nearest(v, values):
    """The nearest of sorted values to each number."""
    place = np.searchsorted(values, v).clip(1, len(values) - 1)
    low, high = values[place - 1], values[place]
    return np.where(v - low <= high - v, low, high)
