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
    """Kinds of columns, and how each kind is modelled.

    An estimator takes the details that concern the kinds it can model; others raise an
    error that names them. "auto" is the estimator's own default.

    Parameters
    ----------
    kinds : str, tuple of str or dict
        Kinds of the columns, as the option ``column_types`` has them without details.
    min_categories : {"auto"}, int, array-like of int or None, default="auto"
        Least number of categories of each "categorical" column, one for all or one for
        each; the data may have more.
    min_frequency : {"auto"}, int, float or None, default="auto"
        Least weight of the rows of a category, a share if it is a float, that has a
        probability of its own conditional on the other columns; rarer categories are
        drawn as one, and told apart by their frequencies.
    max_categories
        Largest number of categories of a column, of which the rare ones are one.
    handle_unknown
        Reading of a category that was not in ``fit``: an error; missing; or a rare
        category, if there are any, else missing. "auto": names in a DataFrame have a
        small probability in scores, and are missing elsewhere, with a warning; codes in
        an array are an error.
    missing_pattern
        If "model", samples have missing entries as the rows have: that an entry is
        missing is a value of its own, which is drawn, and counts in scores. If
        "ignore", samples have none. For columns of several kinds.
    n_mixtures
        Number of components of the density of each real column, conditional on the
        columns before it.
    component
        Shape of these components.
    min_variance
        Lower limit of learned variances, as a share of the column's variance, for real
        columns. In machines, the lower it is, the sooner the chains of long fits stop
        mixing.
    variance : {"auto", "feature", "sample"} or float, default="auto"
        Variance of real columns conditional on what is below them: one for each column,
        one for each entry of each row, or a number, in units of the column's variance.
    precision
        Precisions of real columns conditional on the hidden units of a machine: one
        learned for each column, one learned for all standardised columns, or fixed at
        the inverse variances of the columns.
    resample
        Whether the bits of grey values are drawn again at each presentation; if False,
        grey values are used as they are.
    temperature
        Temperature of the relaxation through which gradients pass bits and categories
        that a generator draws: the lower, the less bias and the more variance they
        have.

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
