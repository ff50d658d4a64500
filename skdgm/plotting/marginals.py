"""Display of marginal distributions of data and of samples, column by column."""

from collections import Counter
from collections.abc import Sequence, Sized
from numbers import Integral

import numpy as np
from sklearn.utils import _safe_indexing

from skdgm.metrics._tabular.columns import as_frame, read
from skdgm.plotting._support import axes_for, check_has, check_looks, taking
from skdgm.typing import Any, ArrayLike, Axes, Data, Keywords, Seed, Self
from skdgm.utils.domains import as_numbers

# Names of both tables in messages. Axes per row.
_WHO = "X", "samples"
_ACROSS = 4
# Default number of columns; bins of a histogram; most values of a column that is drawn
# as bars; most categories with a bar of their own.
_COLUMNS, _BINS, _FEW, _NAMES = 12, 20, 10, 12
# Total number of letters of tick labels that fit without rotation, and the number that
# a label is shortened to.
_WIDE, _LONG = 18, 10


class MarginalsDisplay:
    """Marginal distributions of data and of samples.

    Columns of few values or of categories are drawn as bars, others as histograms. Data
    in [0, 1] are probabilities of 1 if the samples are binary.

    Parameters
    ----------
    X : array-like or DataFrame of shape (n_rows, n_columns)
        Data; NaN is missing. DataFrames are those of pandas or polars, or Arrow tables.
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
        """Draw samples from an estimator and plot their marginals with the data.

        Parameters
        ----------
        estimator : object
            Fitted estimator with ``sample``.
        X : array-like or DataFrame of shape (n_rows, n_features)
            Data, with the columns as fitted; NaN is missing.
        columns : int, str or list of these, default=None
            Columns to show, by index or name; by default the first twelve.
        n_samples : int, default=1000
        random_state : int, RandomState instance or None, default=None
            Seed of the samples.
        data_kw, samples_kw : dict, default=None
            Arguments of ``Axes.bar`` and ``Axes.stairs`` for data and for samples.
        ax : matplotlib Axes or array-like of Axes, default=None
            Axes to draw on, one for each column; by default those of a new figure.
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
        samples = samples_beside(X, estimator, n_samples, random_state, options)
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
        found = read((self.X, self.samples), _WHO)
        names = numbered(len(found)) if self.names is None else self.names
        listed = isinstance(names, Sized) and not isinstance(names, str)
        if not listed or len(names) != len(found):
            raise ValueError(
                f"names must be those of all {len(found)} columns; got {names!r}."
            )
        n_columns = len(names)
        across = min(n_columns, _ACROSS)
        down = -(-n_columns // across)
        options = {"nrows": down, "ncols": across}
        options["figsize"] = 2.5 * max(across, 2), 1.9 * down + 0.4
        self.figure_, self.axes_ = axes_for(type(self), ax, n_columns, **options)
        looks = (
            {"color": "0.7", "label": "data", "fill": True, **(data_kw or {})},
            {"color": "C0", "label": "samples", **(samples_kw or {})},
        )
        with taking(type(self), data_kw=data_kw, samples_kw=samples_kw):
            drawn = [
                draw(axes, known(column), _is_date(column), looks)
                for axes, column in zip(self.axes_, found)
            ]
        self.data_, self.samples_ = map(list, zip(*drawn))
        for axes, name in zip(self.axes_, names):
            axes.set_title(name, fontsize="medium")
            axes.spines[["top", "right", "left"]].set_visible(False)
            axes.set_yticks([])
        if ax is None:
            handles, labels = self.axes_[0].get_legend_handles_labels()
            place = {"loc": "outside lower center", "ncols": 2}
            self.figure_.legend(handles, labels, frameon=False, **place)
        else:
            self.axes_[0].legend(frameon=False)
        return self


def chosen(columns, names):
    """Indices of columns given by index or name; by default the first twelve."""
    if columns is None:
        return list(range(len(names)))[:_COLUMNS]
    if isinstance(columns, str | Integral):
        columns = [columns]
    numbers = dict(zip(names, range(len(names))))
    numbers |= {number: number for number in range(len(names))}
    try:
        # A mask would be read as the numbers 0 and 1.
        masked = any(isinstance(column, bool | np.bool_) for column in columns)
        found = [] if masked else [numbers[column] for column in columns]
    except (KeyError, TypeError):
        found = []
    if not found:
        raise ValueError(
            f"columns must be some of {names}, or their numbers; got {columns!r}."
        )
    return found


def numbered(n_columns):
    """Default names of columns: x0, x1 and so on."""
    return [f"x{number}" for number in range(n_columns)]


def known(column):
    """Non-missing values of a column in both tables, as floats or objects; dates and
    durations are in days, dates since 1970."""
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
    """Draw one column of data and of samples, and return the artists of both."""
    if any(part.dtype == object for part in parts):
        names, shares = _of_names([part.astype(object) for part in parts])
        return _bars(axes, names, shares, looks)
    values = np.unique(np.concatenate(parts))
    if dates or (len(values) > _FEW and not _are_probabilities(parts)):
        if dates:
            axes.xaxis_date()
            axes.tick_params(axis="x", labelrotation=90, labelsize="small")
        edges = np.histogram_bin_edges(values, _BINS)
        densities = [_shares(np.histogram(p, edges)[0]) / np.diff(edges) for p in parts]
        return [axes.stairs(d, edges, **look) for d, look in zip(densities, looks)]
    if _are_probabilities(parts):
        values = np.array([0, 1])
        shares = [_shares(np.array([(1 - p).sum(), p.sum()])) for p in parts]
    else:
        shares = [_shares((part[:, None] == values).sum(axis=0)) for part in parts]
    return _bars(axes, [f"{value:g}" for value in values], shares, looks)


def _bars(axes, names, shares, looks):
    places = np.arange(len(names))
    axes.set(ylim=(0, 1))
    names = [n if len(n) <= _LONG else n[: _LONG - 1] + "…" for n in names]
    axes.set_xticks(places, names)
    if sum(map(len, names)) > _WIDE:
        axes.tick_params(axis="x", labelrotation=90, labelsize="small")
    return [
        axes.bar(places + shift, share, 0.4, **look)
        for share, look, shift in zip(shares, looks, (-0.2, 0.2))
    ]


def _of_names(parts):
    """Category names and their shares of data and samples, the most frequent first; the
    rarest are combined as "others" if there are more than twelve."""
    counts = [Counter(part) for part in parts]
    every = sorted({**counts[0], **counts[1]}, key=str)
    every.sort(key=lambda name: -max(count[name] for count in counts))
    shown = every if len(every) <= _NAMES else every[: _NAMES - 1]
    totals = [[count[name] for name in shown] for count in counts]
    names = [str(name) for name in shown]
    if len(shown) < len(every):
        names.append("others")
        totals = [
            [*own, count.total() - sum(own)] for own, count in zip(totals, counts)
        ]
    return names, [_shares(np.array(own)) for own in totals]


def _shares(counts):
    """Counts divided by their sum; zeros if all counts are zero."""
    return counts / max(1, counts.sum())


def _are_probabilities(parts):
    """Return whether data are in [0, 1] and samples binary."""
    column, sampled = parts
    inside = len(column) and column.min() >= 0 and column.max() <= 1
    return inside and np.isin(sampled, (0, 1)).all()


def samples_beside(X, estimator, n_samples, random_state, options):
    """Samples of an estimator; ValueError unless they have the columns of X, in number,
    names and order, and are no DataFrame if X is none."""
    samples = estimator.sample(n_samples, random_state, **options)
    if samples.shape[1] != X.shape[1]:
        raise ValueError(
            f"X has {X.shape[1]} columns, but samples have {samples.shape[1]}."
        )
    frame, drawn = as_frame(X), as_frame(samples)
    plain = getattr(getattr(estimator, "_columns", None), "codec", None) is None
    if drawn is not None and frame is None and plain:
        # All columns are numbers, in the order of those of X.
        samples, drawn = np.asarray(samples), None
    given = [] if frame is None else list(frame.columns)
    fitted = getattr(estimator, "feature_names_in_", given)
    fitted = fitted if drawn is None else drawn.columns
    if given and given != list(fitted):
        raise ValueError(
            f"X has the columns {given}, but this {type(estimator).__name__} was "
            f"fitted on {list(fitted)}: give X those columns, in that order."
        )
    if drawn is not None and frame is None:
        raise ValueError(
            f"Samples of this {type(estimator).__name__} are a DataFrame, but X is "
            "none: give X as it was fitted."
        )
    return samples
