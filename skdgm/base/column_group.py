"""Group of options: types of columns, with details, for ``column_types``."""

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

# Minimum weight of the rows of a category, or minimum share of all rows.
Frequency = Count | Annotated[float, Interval(RealNotInt, 0, 1, closed="neither")]
Unknown = Literal["auto", "error", "ignore", "infrequent_if_exist"]
Precision = Literal["diagonal", "scalar", "fixed"]


class Columns(OptionGroup):
    """Types of columns, and details of their models.

    "auto" stands for the default of the estimator. A detail that does not apply to the
    estimator raises an error.

    Parameters
    ----------
    kinds : str, tuple of str or dict
        Types of the columns: a value that the option ``column_types`` takes directly.
    min_categories : {"auto"}, int, array-like of int or None, default="auto"
        Minimum number of categories of "categorical" columns, one number for all
        columns or one for each. The data may have more categories.
    min_frequency : {"auto"}, int, float or None, default="auto"
        Minimum total weight of the rows of a category, or minimum share of the rows if
        it is a float. Rarer categories are merged into one category, whose conditional
        probability is learned. Its members are drawn in proportion to their
        frequencies.
    max_categories
        Maximum number of categories of a column, where all rare categories count as
        one.
    handle_unknown
        Treatment of a category that did not occur in ``fit``: raise an error ("error"),
        treat it as missing ("ignore"), or treat it as a rare category if there are any
        ("infrequent_if_exist"). "auto" raises an error for codes in an array. For names
        in a DataFrame, it warns, gives them a small probability in scores, and treats
        them as missing in other methods.
    missing_pattern
        If "model", the pattern of missing entries is part of the model: samples have
        missing entries, and scores include the probability of the pattern. If "ignore",
        samples are complete. For tables with several types of columns.
    n_mixtures
        Number of mixture components of the density of each real column given the net's
        inputs.
    component
        Family of the mixture components.
    min_variance
        Lower limit of learned variances of real columns, as a fraction of the column's
        variance. In machines, chains may stop mixing in long fits if the limit is low.
    variance : {"auto", "feature", "sample"} or float, default="auto"
        Conditional variance of real columns: one for each column ("feature"), one for
        each entry of each row ("sample"), or a fixed number in units of the column's
        variance.
    precision
        Precisions of real columns given the hidden units of a machine: one learned
        precision for each column ("diagonal"), one for all standardized columns
        ("scalar"), or the inverse variances of the columns ("fixed").
    resample
        Whether to draw the bits of gray values again at each presentation of a row. If
        False, the gray values themselves are used.
    temperature
        Temperature of the continuous relaxation of generated bits and categories. Low
        temperatures reduce the bias and increase the variance of gradients.

    See Also
    --------
    skdgm.EoNADE : Model of mixed tables.

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
