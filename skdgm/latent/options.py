"""Options that models with latent units share."""

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
    """The same, and how grey values are presented."""

    resample: bool = False


KINDS = Doc("""
    Kind of the columns. "auto": read from the data, as the guide's page "How columns
    are read" says. One kind for all: "bernoulli" (0, 1 or probabilities of 1),
    "gaussian" (real numbers, standardised internally), "categorical" (codes, as
    ``OrdinalEncoder`` returns), or "mixed", by the types of a DataFrame's columns. A
    tuple has a kind for each column, a dict kinds for some columns by name, of the
    first three, "numeric" and "ordinal", as of :class:`~skdgm.EoNADE`. Numbers of
    tables of several kinds have a mean and a variance for each row, whatever the detail
    ``variance`` says.
""")
LatentColumns = Annotated[ColumnTypes, TableDetails, LatentDetails, KINDS]


class BitOptions(Options):
    r"""Options of models with layers of bits.

    Parameters
    ----------
    hidden_layer_sizes : int or tuple of int
        Numbers of bits of the hidden layers, from the data up.
    feature_layer : int, tuple of int or "all"
        Layer whose means :meth:`transform` returns: 0 next to the data, -1 at the top;
        or several or all layers side by side. It may be changed after ``fit``.

    Attributes
    ----------
    latent_variances_ : ndarray of shape (n_hidden,)
        Variance of each bit's mean over some training rows, by layers.
    """

    hidden_layer_sizes: Count | tuple = (100, 50)
    _: KW_ONLY
    feature_layer: int | tuple | Literal["all"] = "all"
    average: bool = within("solver", True)
    learning_rate: Positive = 0.015
