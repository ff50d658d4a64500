"""Base of all estimators: contract, kinds of columns, training, imputation."""

from skdgm.base.code_columns import CodeColumns
from skdgm.base.columns import BinaryColumns, Columns, has_grey
from skdgm.base.filling import fill
from skdgm.base.fitting import EpochsMixin
from skdgm.base.frames import Codec, tell_unknown
from skdgm.base.learning import report
from skdgm.base.mixed_columns import MixedColumns
from skdgm.base.model import GenerativeModel, TabularModel
from skdgm.base.real_columns import RealColumns
from skdgm.base.rollback import KEPT, replacing, rolled_back
from skdgm.base.tables import for_callbacks, tabulate

__all__ = [
    "KEPT",
    "BinaryColumns",
    "CodeColumns",
    "Codec",
    "Columns",
    "EpochsMixin",
    "GenerativeModel",
    "MixedColumns",
    "RealColumns",
    "TabularModel",
    "fill",
    "for_callbacks",
    "has_grey",
    "replacing",
    "report",
    "rolled_back",
    "tabulate",
    "tell_unknown",
]
