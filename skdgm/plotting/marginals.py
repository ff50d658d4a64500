"""Display of the marginal distributions of data and samples."""

from collections import Counter
from collections.abc import Sequence, Sized
from numbers import Integral

import numpy as np
from sklearn.utils import _safe_indexing

from skdgm.metrics.table_report.columns import as_frame, read
from skdgm.plotting._support import axes_for, check_has, check_looks, taking
from skdgm.typing import Any, ArrayLike, Axes, Data, Keywords, Seed, Self
from skdgm.utils.domains import as_numbers

# Names of the two tables in messages; number of axes per row.
_WHO = "X", "samples"
_ACROSS = 4
# Default number of columns; number of bins of a histogram; maximum number of values of
# a column that is drawn as bars; maximum number of bars of categories.
_COLUMNS, _BINS, _MAX_BARS, _MAX_CATEGORY_BARS = 12, 20, 10, 12
# Total number of letters of tick labels that fit without rotation, and maximum length
# of a label.
_MAX_LABEL_LETTERS, _MAX_LABEL_LENGTH = 18, 10


class MarginalsDisplay:
    """Marginal distributions of data and of samples.

    Columns with few values or with categories are drawn as bars, and others as
    histograms. If samples are binary, data in [0, 1] are probabilities of 1.

    Parameters
    ----------
    X : array-like or DataFrame of shape (n_rows, n_columns)
        Data; NaN is missing. pandas and polars DataFrames and Arrow tables are
        accepted.
    samples : array-like or DataFrame of shape (n_samples, n_columns)
    names : list of str, default=None
        Names of the columns; by default x0, x1 and so on.

    Attributes
    ----------
    data_, samples_ : list
        For each column a ``BarContainer`` or, for histograms, a ``StepPatch``.
    axes_ : ndarray of Axes
    figure_ : matplotlib Figure

    See Also
    --------
    SamplesDisplay : Display of samples that are images.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdgm import GaussianRBM
    >>> from skdgm.plotting import MarginalsDisplay
    >>> X = load_iris(as_frame=True).data
    >>> rbm = GaussianRBM(n_components=8, n_iter=100, random_state=0).fit(X)
    >>> display = MarginalsDisplay.from_estimator(rbm, X, random_state=0)
    >>> [axes.get_title() for axes in display.axes_[:2]]
    ['sepal length (cm)', 'sepal width (cm)']
    """

    def __init__(self, X: Data, samples: Data, *, names: ArrayLike | None = None):
        self.X, self.samples, self.names = X, samples, names

    @classmethod
    def from_estimator(
        cls,
        estimator: object,
        X: Data,
        *,
        columns: int | str | Sequence | None = None,
        n_samples: int = 1000,
        random_state: Seed = None,
        data_kw: Keywords = None,
        samples_kw: Keywords = None,
        ax: Axes = None,
        **options: Any,
    ) -> Self:
        """Draw samples from an estimator, and plot marginals of data and samples.

        Parameters
        ----------
        estimator : object
            Fitted estimator with ``sample``.
        X : array-like or DataFrame of shape (n_rows, n_features)
            Data with the same columns as in ``fit``; NaN is missing.
        columns : int, str or list of these, default=None
            Columns to show, by index or name; by default the first twelve.
        n_samples : int, default=1000
        random_state : int, RandomState instance or None, default=None
            Seed of the samples.
        data_kw, samples_kw : dict, default=None
            Arguments of ``Axes.bar`` and ``Axes.stairs`` for data and for samples.
        ax : matplotlib Axes or array-like of Axes, default=None
            Axes to draw on, one for each column; by default new axes.
        **options
            Further arguments of the estimator's ``sample``.

        Returns
        -------
        display : MarginalsDisplay

        Raises
        ------
        ValueError
            ``columns`` are unknown, or X and samples differ in columns or their order.
        """
        check_has(cls, estimator, ("sample",), "generative models")
        frame = as_frame(X)
        if frame is None:
            X = as_numbers(X, "X", cls.__name__, ensure_all_finite="allow-nan")
        names = getattr(estimator, "feature_names_in_", numbered(np.shape(X)[1]))
        names = list(map(str, names if frame is None else frame.columns))
        columns = chosen(columns, names)
        samples = samples_of_columns(X, estimator, n_samples, random_state, options)
        names = [names[column] for column in columns]
        X, samples = (_safe_indexing(rows, columns, axis=1) for rows in (X, samples))
        display = cls(X, samples, names=names)
        return display.plot(ax, data_kw=data_kw, samples_kw=samples_kw)

    def plot(
        self, ax: Axes = None, *, data_kw: Keywords = None, samples_kw: Keywords = None
    ) -> Self:
        """Draw the marginals.

        Parameters
        ----------
        ax, data_kw, samples_kw
            As for :meth:`from_estimator`.

        Returns
        -------
        display : MarginalsDisplay
        """
        check_looks(type(self), data_kw=data_kw, samples_kw=samples_kw)
        table = read((self.X, self.samples), _WHO)
        names = numbered(len(table)) if self.names is None else self.names
        is_list = isinstance(names, Sized) and not isinstance(names, str)
        if not is_list or len(names) != len(table):
            raise ValueError(
                f"names must be those of all {len(table)} columns; got {names!r}."
            )
        n_columns = len(names)
        across = min(n_columns, _ACROSS)
        down = -(-n_columns // across)
        options = {"nrows": down, "ncols": across}
        options["figsize"] = 2.5 * max(across, 2), 1.9 * down + 0.4
        self.figure_, self.axes_ = axes_for(type(self), ax, n_columns, **options)
        styles = (
            {"color": "0.7", "label": "data", "fill": True, **(data_kw or {})},
            {"color": "C0", "label": "samples", **(samples_kw or {})},
        )
        with taking(type(self), data_kw=data_kw, samples_kw=samples_kw):
            artists = [
                draw(axes, known(column), _is_date(column), styles)
                for axes, column in zip(self.axes_, table)
            ]
        self.data_, self.samples_ = map(list, zip(*artists))
        for axes, name in zip(self.axes_, names):
            axes.set_title(name, fontsize="medium")
            axes.spines[["top", "right", "left"]].set_visible(False)
            axes.set_yticks([])
        if ax is None:
            handles, labels = self.axes_[0].get_legend_handles_labels()
            position = {"loc": "outside lower center", "ncols": 2}
            self.figure_.legend(handles, labels, frameon=False, **position)
        else:
            self.axes_[0].legend(frameon=False)
        return self


def chosen(columns, names):
    """Indices of columns from indices or names; by default the first twelve."""
    if columns is None:
        return list(range(len(names)))[:_COLUMNS]
    if isinstance(columns, str | Integral):
        columns = [columns]
    numbers = dict(zip(names, range(len(names))))
    numbers |= {number: number for number in range(len(names))}
    try:
        # A mask would be interpreted as the indices 0 and 1.
        has_booleans = any(isinstance(column, bool | np.bool_) for column in columns)
        indices = [] if has_booleans else [numbers[column] for column in columns]
    except (KeyError, TypeError):
        indices = []
    if not indices:
        raise ValueError(
            f"columns must be some of {names}, or their numbers; got {columns!r}."
        )
    return indices


def numbered(n_columns):
    """Default names of columns: x0, x1 and so on."""
    return [f"x{number}" for number in range(n_columns)]


def known(column):
    """Non-missing values of a column in both tables, as floats or objects. Dates are in
    days since 1970, and durations in days."""
    parts = [part[~np.isnan(part)] for part in column.parts]
    if column.kind == "categorical":
        names = np.empty(len(column.categories), object)
        names[:] = column.categories
        parts = [names[part.astype(int)] for part in parts]
    elif column.unit is not None:
        step, count = np.datetime_data(column.unit)
        days = np.timedelta64(count, step) / np.timedelta64(1, "D")
        parts = [part * days for part in parts]
    return parts


def _is_date(column):
    return column.unit is not None and column.unit.kind == "M"


def draw(axes, parts, dates, looks):
    """Draw a column of data and of samples; return the two artists."""
    if any(part.dtype == object for part in parts):
        names, shares = _of_names([part.astype(object) for part in parts])
        return _bars(axes, names, shares, looks)
    values = np.unique(np.concatenate(parts))
    if dates or (len(values) > _MAX_BARS and not _are_probabilities(parts)):
        if dates:
            axes.xaxis_date()
            axes.tick_params(axis="x", labelrotation=90, labelsize="small")
        edges = np.histogram_bin_edges(values, _BINS)
        densities = [_shares(np.histogram(x, edges)[0]) / np.diff(edges) for x in parts]
        return [axes.stairs(d, edges, **style) for d, style in zip(densities, looks)]
    if _are_probabilities(parts):
        values = np.array([0, 1])
        shares = [_shares(np.array([(1 - x).sum(), x.sum()])) for x in parts]
    else:
        shares = [_shares((part[:, None] == values).sum(axis=0)) for part in parts]
    return _bars(axes, [f"{value:g}" for value in values], shares, looks)


def _bars(axes, names, shares, looks):
    places = np.arange(len(names))
    axes.set(ylim=(0, 1))
    names = [
        n if len(n) <= _MAX_LABEL_LENGTH else n[: _MAX_LABEL_LENGTH - 1] + "…"
        for n in names
    ]
    axes.set_xticks(places, names)
    if sum(map(len, names)) > _MAX_LABEL_LETTERS:
        axes.tick_params(axis="x", labelrotation=90, labelsize="small")
    return [
        axes.bar(places + shift, share, 0.4, **look)
        for share, look, shift in zip(shares, looks, (-0.2, 0.2))
    ]


def _of_names(parts):
    """Category names and their shares in data and samples, in the order of frequency;
    the rarest are combined as "others" if there are more than twelve."""
    counts = [Counter(part) for part in parts]
    all_names = sorted({**counts[0], **counts[1]}, key=str)
    all_names.sort(key=lambda name: -max(count[name] for count in counts))
    shown = (
        all_names
        if len(all_names) <= _MAX_CATEGORY_BARS
        else all_names[: _MAX_CATEGORY_BARS - 1]
    )
    totals = [[count[name] for name in shown] for count in counts]
    names = [str(name) for name in shown]
    if len(shown) < len(all_names):
        names.append("others")
        totals = [
            [*totals_of_table, count.total() - sum(totals_of_table)]
            for totals_of_table, count in zip(totals, counts)
        ]
    return names, [_shares(np.array(totals_of_table)) for totals_of_table in totals]


def _shares(counts):
    """Counts divided by their sum; zeros if all counts are zero."""
    return counts / max(1, counts.sum())


def _are_probabilities(parts):
    """Return whether data are in [0, 1] and samples binary."""
    column, sampled = parts
    inside = len(column) and column.min() >= 0 and column.max() <= 1
    return inside and np.isin(sampled, (0, 1)).all()


def samples_of_columns(X, estimator, n_samples, random_state, options):
    """Samples of an estimator with the columns of X; ValueError if the number, names or
    order of columns differ, or if only the samples are a DataFrame."""
    samples = estimator.sample(n_samples, random_state, **options)
    if samples.shape[1] != X.shape[1]:
        raise ValueError(
            f"X has {X.shape[1]} columns, but samples have {samples.shape[1]}."
        )
    frame, samples_frame = as_frame(X), as_frame(samples)
    is_uncoded = getattr(getattr(estimator, "_columns", None), "codec", None) is None
    if samples_frame is not None and frame is None and is_uncoded:
        # All columns are numbers, in the order of the columns of X.
        samples, samples_frame = np.asarray(samples), None
    names = [] if frame is None else list(frame.columns)
    fitted = getattr(estimator, "feature_names_in_", names)
    fitted = fitted if samples_frame is None else samples_frame.columns
    if names and names != list(fitted):
        raise ValueError(
            f"X has the columns {names}, but this {type(estimator).__name__} was "
            f"fitted on {list(fitted)}: give X those columns, in that order."
        )
    if samples_frame is not None and frame is None:
        raise ValueError(
            f"Samples of this {type(estimator).__name__} are a DataFrame, but X is "
            "not: give X in the form in which the model was fitted."
        )
    return samples
