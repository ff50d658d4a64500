r"""Imputation of a table by any model with ``impute``.

.. math:: \hat x_\text{missing} = \mathbb{E}[x_\text{missing} \mid x_\text{seen}]
   \quad \text{or} \quad x_\text{missing} \sim p(x_\text{missing} \mid x_\text{seen})
"""

from typing import Annotated, Any, Literal, Self

from sklearn.base import _fit_context, clone
from sklearn.utils import check_random_state, get_tags
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.validation import (
    _check_feature_names_in,
    check_is_fitted,
)

from skdgm.autoregressive import EoNADE
from skdgm.base import reads_one_fit
from skdgm.base.attributes import shallow
from skdgm.base.options import KW_ONLY, RandomState
from skdgm.exceptions import MissingDataWarning
from skdgm.imputation._imputer import Imputer
from skdgm.imputation._tables import take
from skdgm.imputation.normal_mixtures import NormalMixtures, is_large
from skdgm.typing import ArrayOrFrame, Data, Seed, Target
from skdgm.utils.counts import count
from skdgm.utils.domains import checked_weights, is_frame
from skdgm.utils.random import MAX_SEED
from skdgm.utils.threading.callers import warn
from skdgm.utils.wrapped import density_of, seed


@reads_one_fit
class GenerativeImputer(Imputer):
    r"""Imputer that fills in expectations or draws of a model given the known entries.

    .. math::

        \hat x_\text{missing} = \mathbb{E}[x_\text{missing} \mid x_\text{seen}], \quad
        \arg\max_{x_\text{missing}} p(x_\text{missing} \mid x_\text{seen})
        \quad \text{or} \quad x_\text{missing} \sim p(x_\text{missing} \mid
        x_\text{seen})

    The transformer replaces scikit-learn's ``SimpleImputer`` and ``IterativeImputer``:
    one model learns the joint distribution of all columns from incomplete rows, and
    imputes new rows. NaN, None and NA are missing values. Tables can be DataFrames (of
    pandas, polars or Arrow) of numbers, dates, categories, strings and bools, whose
    types are preserved. Known entries and the index never change.

    Parameters
    ----------
    estimator
        Model with ``fit`` and ``impute``: any model of skdgm, or a fitted model in
        scikit-learn's ``FrozenEstimator``. If None, the mean of several mixtures of
        normal distributions (see Notes); in tables with more than 5,000 rows or 60
        columns, to which categories are added, an :class:`~skdgm.EoNADE` that infers
        the types of columns from the data.
    method
        Result of :meth:`transform`: "mean" imputes means (for categories, and for bits
        in a DataFrame, the most probable value), "mode" the most probable values, which
        autoregressive models support, and "sample" one draw. May be changed after
        ``fit``.
    random_state : int, RandomState instance or None
        Seed of draws, which are the same in each call; also the seed of the model if
        its own ``random_state`` is None.

    Attributes
    ----------
    estimator_ : object
        The fitted model of all columns with at least one value.

    See Also
    --------
    skdgm.metrics.pool_estimates : Pooling of estimates from several filled tables.

    Notes
    -----
    The default model of small tables is an average of a normal distribution, fitted by
    expectation maximization [3]_ with cross-validated shrinkage of covariances, and of
    mixtures of 2, 4 and 8 normal distributions, which are fitted four times each. A
    mixture needs two rows for each column of a component. All numbers of components
    have equal weight. Categories are columns of zeros and ones, of which the largest
    conditional mean is imputed. To the model, numbers are at most ten times as far from
    the median as 90 % of the numbers of the column, such that outliers do not distort
    other rows. Imputed numbers are within the range of the training rows; means are not
    rounded. Draws of columns with repeated values are among these values.

    Multiple imputation [1]_ is a method, :meth:`draw`, and not a parameter, because
    ``transform`` returns one row for each row of X. The tables are a list, as each of
    them needs a separate analysis.

    All draws come from one fitted model. With few rows and many missing values, the
    uncertainty of the model matters, too: for each table, fit an imputer to a bootstrap
    sample of the rows, expressed by ``sample_weight`` [2]_.

    References
    ----------
    .. [1] Rubin (1987). Multiple Imputation for Nonresponse in Surveys. Wiley.
    .. [2] van Buuren (2018). Flexible Imputation of Missing Data, second edition.
       Chapman and Hall.
    .. [3] Ghahramani and Jordan (1994). Supervised learning from incomplete data via an
       EM approach. NIPS.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skdgm import EoNADE, GenerativeImputer
    >>> rng = np.random.default_rng(0)
    >>> size = rng.normal(size=300)
    >>> X = pd.DataFrame({"size": size, "name": np.where(size > 0, "large", "small")})
    >>> X.loc[:9, "name"] = None
    >>> model = EoNADE((16,), n_iter=30)
    >>> imputer = GenerativeImputer(model, random_state=0)
    >>> bool((imputer.fit_transform(X)["name"] == np.where(size > 0, "large", "small"))
    ...      .mean() > 0.99)
    True
    >>> tables = imputer.draw(X, 5)
    >>> [len(table) for table in tables]
    [300, 300, 300, 300, 300]
    """

    estimator: Annotated[object, HasMethods(["fit", "impute"])] | None = None
    _: KW_ONLY
    method: Literal["mean", "mode", "sample"] = "mean"
    random_state: RandomState = None

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Data, y: Target = None, **fit_params: Any) -> Self:
        """Fit the model to a table with missing values.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), default=None
            Passed on to the model's ``fit``: most ignore it.
        **fit_params
            Arguments of the model's ``fit``, such as ``sample_weight``; with metadata
            routing enabled, the arguments that it requests.

        Returns
        -------
        self : GenerativeImputer

        Raises
        ------
        ValueError
            No column has a value; or an error of the model's ``fit``.

        Warns
        -----
        MissingDataWarning
            Columns have no value, and will be dropped.
        """
        self._fit(X, y, fit_params)
        dropped = ~self._kept
        if dropped.any():
            names = X.columns if is_frame(X) else _check_feature_names_in(self)
            warn(
                f"Columns {names[dropped].tolist()} have no observed value: "
                f"{type(self).__name__} drops them, or with keep_empty_features=True "
                "fills them with 0.",
                MissingDataWarning,
            )
        return self

    def _learn(self, X, y, fit_params):
        table, missing = self._read(X, reset=True)
        if not len(missing):
            raise ValueError(
                f"Found array with 0 sample(s) (shape={missing.shape}) while a minimum "
                f"of 1 is required by {type(self).__name__}."
            )
        counted = missing
        if fit_params.get("sample_weight") is not None:
            # Rows of weight 0 do not count.
            counted = missing[checked_weights(fit_params["sample_weight"], X) > 0]
        model = clone(self._model())
        if self.estimator is None and is_large(table):
            model = EoNADE()
        # A FrozenEstimator is its own clone.
        frozen = model is self.estimator
        self._known, self._lacked = ~counted.all(axis=0) | frozen, counted.any(axis=0)
        if not self._known.any():
            raise ValueError("X has no value: all of its entries are missing.")
        rng = check_random_state(self.random_state)
        self._seed = rng.randint(MAX_SEED)
        if self.random_state is not None and not frozen:
            seed(model, rng)
        self.estimator_ = model.fit(take(table, self._known), y, **fit_params)

    def transform(self, X: Data) -> ArrayOrFrame:
        """Impute missing entries by ``method``.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)

        Returns
        -------
        X_filled : ndarray or DataFrame of shape (n_samples, n_features_out)
            Known entries are unchanged. A DataFrame with the index of X if the model
            was fitted to a DataFrame with ``column_types="mixed"``, or if
            ``set_output`` asks for one.

        Raises
        ------
        ValueError
            The model does not support ``method``; or an error of its ``impute``.
        """
        check_is_fitted(self)
        rng = check_random_state(self._seed)
        # Arrays remain arrays, as in scikit-learn; impute would return DataFrames.
        density = density_of(self.estimator_)
        fill = self.estimator_.impute if density is None else density.fill
        options = {"method": self.method, "random_state": rng}
        return self._filled(X, lambda seen: fill(seen, **options))

    def draw(self, X: Data, n_draws: int = 5, *, random_state: Seed = None) -> list:
        """Impute a table several times by draws (multiple imputation).

        Analyze each table as a complete table, then pool the estimates by
        :func:`~skdgm.metrics.pool_estimates`. Draws are independent given the model. A
        larger ``n_draws`` adds tables without changing the first ones.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        n_draws : int, default=5
            Number of tables.
        random_state : int, RandomState instance or None, default=None
            Source of the draws. By default the imputer's ``random_state``: tables are
            the same in each call, and the first table is the result of
            :meth:`transform` with ``method="sample"``.

        Returns
        -------
        tables : list of ndarray or DataFrame of shape (n_samples, n_features_out)
            Tables in the format of :meth:`transform`, with ``set_output`` and
            indicators.
        """
        check_is_fitted(self)
        count(n_draws, "n_draws")
        source = self._seed if random_state is None else random_state
        drawing = shallow(self)
        vars(drawing).update(method="sample", _seed=check_random_state(source))
        return [drawing.transform(X) for _ in range(n_draws)]

    def _default(self):
        return NormalMixtures()

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        inner = get_tags(self._model()).transformer_tags
        if inner is not None:
            tags.transformer_tags.preserves_dtype = inner.preserves_dtype
        return tags
