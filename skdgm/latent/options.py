"""Options of models with latent units."""

from typing import Annotated, Literal

from skdgm.base.common_options import ColumnTypes, TableDetails, VarianceDetails
from skdgm.base.options import (
    KW_ONLY,
    Count,
    Doc,
    Options,
    Positive,
    within,
)


class LatentDetails(VarianceDetails):
    """Details of columns: variances, and resampling of probabilities of bits in
    training."""

    resample: bool = False


KINDS = Doc("""
    Type of the columns. "auto": inferred from the data, as described on the page "How
    columns are read" of the guide. One type for all columns: "bernoulli" (0, 1 or
    probabilities of 1), "gaussian" (real numbers, standardized internally),
    "categorical" (codes, as ``OrdinalEncoder`` returns them), or "mixed", by the types
    of a DataFrame's columns. A tuple has a type for each column, and a dict has types
    for some columns by name: the first three, "numeric" or "ordinal", as in
    :class:`~skdgm.EoNADE`. In tables with several types, the decoder predicts the
    distribution of each number, normal or a mixture of normal distributions, and the
    detail ``variance`` has no effect.
""")
LatentColumns = Annotated[ColumnTypes, TableDetails, LatentDetails, KINDS]


class BitOptions(Options):
    """Options of models with layers of bits.

    Parameters
    ----------
    hidden_layer_sizes : int or tuple of int
        Numbers of bits of the hidden layers, from the data up.
    feature_layer : int, tuple of int or "all"
        Layer whose means :meth:`transform` returns: 0 next to the data, -1 at the top;
        a tuple of layers, or "all", concatenates them. It may be changed after ``fit``.

    Attributes
    ----------
    latent_variances_ : ndarray of shape (n_hidden,)
        Variance of each bit's mean over some training rows, from the data up.
    """

    hidden_layer_sizes: Count | tuple = (100, 50)
    _: KW_ONLY
    feature_layer: int | tuple | Literal["all"] = "all"
    average: bool = within("solver", True)
    learning_rate: Positive = 0.015
