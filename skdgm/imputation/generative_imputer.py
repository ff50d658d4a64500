r"""Imputation of a table by any model that fills missing entries.

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
from skdgm.base import steady
from skdgm.base.attributes import shallow
from skdgm.base.options import KW_ONLY, RandomState
from skdgm.exceptions import MissingDataWarning
from skdgm.imputation._imputer import Imputer
from skdgm.imputation._tables import take
from skdgm.typing import ArrayOrFrame, Data, Seed, Target
from skdgm.utils.counts import count
from skdgm.utils.domains import checked_weights, is_frame
from skdgm.utils.random import MAX_SEED
from skdgm.utils.threading.callers import warn
from skdgm.utils.wrapped import density_of, seed


@steady
class GenerativeImputer(Imputer):
    r"""Imputer that fills a table with what a model expects, or draws, given the rest.

    .. math::

        \hat x_\text{missing} = \mathbb{E}[x_\text{missing} \mid x_\text{seen}], \quad
        \arg\max_{x_\text{missing}} p(x_\text{missing} \mid x_\text{seen})
        \quad \text{or} \quad x_\text{missing} \sim p(x_\text{missing} \mid
        x_\text{seen})

    A transformer in the place of scikit-learn's ``SimpleImputer`` and
    ``IterativeImputer``: one model learns the joint distribution of all columns from
    the rows as they are, with their missing entries, and fills these in rows that it
    has not seen. NaN, None and NA are missing. Tables may be DataFrames (of pandas,
    polars or Arrow) of numbers, dates, categories, strings and bools, and remain so.
    Known entries are never changed, nor is the index.

    Parameters
    ----------
    estimator
        Model with ``fit`` and ``impute``: any of skdgm's, or a fitted one wrapped in
        scikit-learn's ``FrozenEstimator``. If None, an :class:`~skdgm.EoNADE` that
        reads the kinds of columns from the data.
    method
        What :meth:`transform` fills in: "mean" the means (of categories, and of bits in
        a DataFrame, the most probable value), "mode" the most probable values, which
        autoregressive models have, "sample" one draw. May be changed after ``fit``.
    random_state : int, RandomState instance or None
        Seed of draws, the same ones at each call; and of the model, where its own
        ``random_state`` is None and this is not.

    Attributes
    ----------
    estimator_ : object
        The fitted model, of the columns that had any value.

    See Also
    --------
    skdgm.metrics.pool_estimates : Pooling of estimates from several filled tables.

    Notes
    -----
    Several imputations [1]_ are a method, :meth:`draw`, and no parameter: ``transform``
    has one row for each row of X, so there it could do nothing; and the tables are a
    list, as an analysis is to be done for each, not once for all in one.

    All draws come from one fitted model. Where rows are few and much is missing, its
    own uncertainty matters too: fit an imputer for each table to a bootstrap sample of
    the rows, by ``sample_weight`` [2]_.

    References
    ----------
    .. [1] Rubin (1987). Multiple Imputation for Nonresponse in Surveys. Wiley.
    .. [2] van Buuren (2018). Flexible Imputation of Missing Data, second edition.
       Chapman and Hall.

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
            routing enabled, those that it requests.

        Returns
        -------
        self : GenerativeImputer

        Raises
        ------
        ValueError
            No column has a value; or as by the model's ``fit``.

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
        table, lacks = self._read(X, reset=True)
        counted = lacks
        if fit_params.get("sample_weight") is not None:
            # A row of no weight is no row.
            counted = lacks[checked_weights(fit_params["sample_weight"], X) > 0]
        model = clone(self._model())
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
        """Fill missing entries, by ``method``.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)

        Returns
        -------
        X_filled : ndarray or DataFrame of shape (n_samples, n_features_out)
            Entries that are not missing are unchanged. A DataFrame, with the index of
            X, if the model was fitted to one with ``column_types="mixed"``, or by
            ``set_output``.

        Raises
        ------
        ValueError
            The model has no such method; or as by its ``impute``.
        """
        check_is_fitted(self)
        rng = check_random_state(self._seed)
        # Arrays of numbers stay arrays, as in scikit-learn; impute gives DataFrames.
        density = density_of(self.estimator_)
        fill = self.estimator_.impute if density is None else density.fill
        how = {"method": self.method, "random_state": rng}
        return self._filled(X, lambda seen: fill(seen, **how))

    def draw(self, X: Data, n_draws: int = 5, *, random_state: Seed = None) -> list:
        """Fill missing entries several times, by draws: multiple imputation.

        Analyse each table as if nothing had been missing, then pool the estimates by
        :func:`~skdgm.metrics.pool_estimates`. Draws are independent given the
        model; tables of fewer draws are the first of those of more.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        n_draws : int, default=5
            Number of tables.
        random_state : int, RandomState instance or None, default=None
            Source of the draws. None: the imputer's, the same at each call, and the
            first table as :meth:`transform` returns with ``method="sample"``.

        Returns
        -------
        tables : list of ndarray or DataFrame of shape (n_samples, n_features_out)
            Each as :meth:`transform` returns, ``set_output`` and indicators included.
        """
        check_is_fitted(self)
        count(n_draws, "n_draws")
        drawing = shallow(self)
        drawing.method = "sample"
        source = self._seed if random_state is None else random_state
        drawing._seed = check_random_state(source)
        return [drawing.transform(X) for _ in range(n_draws)]

    def _default(self):
        return EoNADE()

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        inner = get_tags(self._model()).transformer_tags
        if inner is not None:
            tags.transformer_tags.preserves_dtype = inner.preserves_dtype
        return tags
