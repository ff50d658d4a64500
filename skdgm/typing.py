"""Type hints of public functions.

Type checkers see the types. At run time, these are only names, for readable signatures.
"""

from typing import TYPE_CHECKING, NewType
from typing import Any as Any
from typing import Self as Self

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from typing import Literal, TypeAlias

    import matplotlib.axes
    import numpy as np
    import pandas as pd
    from numpy.typing import ArrayLike
    from scipy.sparse import sparray, spmatrix

    # Rows. DataFrames, and most tables that are read in blocks, are array-like.
    Data: TypeAlias = ArrayLike | sparray | spmatrix
    # An array, or a DataFrame if the model was fitted to one.
    ArrayOrFrame: TypeAlias = Any
    DataFrame: TypeAlias = pd.DataFrame
    Target: TypeAlias = ArrayLike | None
    Weight: TypeAlias = ArrayLike | None
    Seed: TypeAlias = int | np.random.RandomState | None
    Filling: TypeAlias = Literal["mean", "sample"]
    # An array, or a tuple of trees.
    Tree: TypeAlias = "np.ndarray | tuple[Tree, ...]"
    PathLike: TypeAlias = str | os.PathLike[str]
    # Keyword arguments of matplotlib's functions.
    Keywords: TypeAlias = dict | None
    Axes: TypeAlias = matplotlib.axes.Axes | Sequence | np.ndarray | None
else:
    _NAMES = "ArrayLike ArrayOrFrame Axes Data DataFrame Filling Keywords PathLike Seed"
    for _name in [*_NAMES.split(), "Target", "Tree", "Weight"]:
        globals()[_name] = NewType(_name, object)
