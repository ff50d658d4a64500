"""Group of options: kinds of columns, with details, for ``column_types``."""

from typing import Annotated, Literal

from sklearn.utils._param_validation import Interval, RealNotInt

from skdgm.base.groups import OptionGroup
from skdgm.base.options import (
    KW_ONLY,
    ArrayLike,
    Auto,
    Count,
    Positive,
    Probability,
)

# Least weight of rows, or share of them.
Frequency = Count | Annotated[float, Interval(RealNotInt, 0, 1, closed="neither")]
Unknown = Literal["auto", "error", "ignore", "infrequent_if_exist"]
Precision = Literal["diagonal", "scalar", "fixed"]


class Columns(OptionGroup):
    """Kinds of columns and their models.

    An estimator accepts the details of kinds that it can model; other details raise an
    error that names them. "auto" is the default of the estimator.

    Parameters
    ----------
    kinds : str, tuple of str or dict
        Kinds of the columns, as in the option ``column_types`` without details.
    min_categories : {"auto"}, int, array-like of int or None, default="auto"
        Minimum number of categories of each "categorical" column, for all columns or
        for each; the data may have more.
    min_frequency : {"auto"}, int, float or None, default="auto"
        Minimum weight of the rows of a category, or a share if it is a float, for which
        its conditional probability is learned. Rarer categories are drawn as one, and
        then distinguished by their frequencies.
    max_categories
        Maximum number of categories of a column, counting all rare categories as one.
    handle_unknown
        Treatment of a category that was not in ``fit``: an error, a missing value
        ("ignore"), or a rare category if there are any ("infrequent_if_exist"). "auto":
        names in a DataFrame have a small probability in scores and are missing in other
        methods, with a warning; codes in an array are an error.
    missing_pattern
        If "model", the pattern of missing entries is part of the model: samples have
        missing entries, and scores include the probability of the pattern. If "ignore",
        samples are complete. For columns of several kinds.
    n_mixtures
        Number of components of the density of each real column, conditional on the
        previous columns.
    component
        Family of the components.
    min_variance
        Lower limit of learned variances, as a share of the column's variance, for real
        columns. In machines, low limits can stop the mixing of chains in long fits.
    variance : {"auto", "feature", "sample"} or float, default="auto"
        Conditional variance of real columns: one for each column ("feature"), one for
        each entry of each row ("sample"), or a fixed number in units of the column's
        variance.
    precision
        Precisions of real columns conditional on the hidden units of a machine: one
        learned for each column, one learned for all standardised columns, or fixed at
        the inverse variances of the columns.
    resample
        Whether to draw the bits of grey values again at each presentation. If False,
        grey values are used without sampling.
    temperature
        Temperature of the relaxation of generated bits and categories: low temperatures
        reduce the bias and increase the variance of gradients.

    Examples
    --------
    >>> from skdgm import EoNADE
    >>> from skdgm.options import Columns
    >>> EoNADE(column_types=Columns(min_frequency=0.01, missing_pattern="model"))
    EoNADE(column_types=Columns(min_frequency=0.01, missing_pattern='model'))
    """

    VALUE, FLAT_NAMES = "kinds", {"component": "conditional"}

    kinds: Literal["auto"] | str | tuple | dict = "auto"
    _: KW_ONLY
    min_categories: Count | ArrayLike | Auto | None = "auto"
    min_frequency: Frequency | Auto | None = "auto"
    max_categories: Count | Auto | None = "auto"
    handle_unknown: Unknown = "auto"
    missing_pattern: Literal["auto", "ignore", "model"] = "auto"
    n_mixtures: Count | Auto = "auto"
    component: Literal["auto", "gaussian", "laplace"] = "auto"
    min_variance: Probability | Auto = "auto"
    variance: Positive | Literal["auto", "feature", "sample"] = "auto"
    precision: Precision | Auto = "auto"
    resample: bool | Auto = "auto"
    temperature: Positive | Auto = "auto"
