"""Tables of data: types of columns, DataFrames, labels, imputation."""

from skdgm.data.codes import CodeColumns
from skdgm.data.columns import BinaryColumns, ColumnStatistics, RealColumns, has_gray
from skdgm.data.conditions import events_of
from skdgm.data.counts import CountColumns
from skdgm.data.filling import fill
from skdgm.data.frames import Codec, warn_of_unknown
from skdgm.data.inputs import for_callbacks, tabulate
from skdgm.data.kinds import ColumnType, ColumnTypes, names_of
from skdgm.data.mixed import (
    MixedColumns,
    check_pattern,
    columns_as_asked,
    of_one_type,
)
from skdgm.data.reach import outlier_text

__all__ = [
    "BinaryColumns",
    "CodeColumns",
    "Codec",
    "ColumnStatistics",
    "ColumnType",
    "ColumnTypes",
    "CountColumns",
    "MixedColumns",
    "RealColumns",
    "check_pattern",
    "columns_as_asked",
    "events_of",
    "fill",
    "for_callbacks",
    "has_gray",
    "names_of",
    "of_one_type",
    "outlier_text",
    "tabulate",
    "warn_of_unknown",
]
