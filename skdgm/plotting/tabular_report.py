"""Display of a report on synthetic rows of a table."""

import numpy as np

from skdgm.metrics import tabular_report
from skdgm.metrics.table_report.parts import listed
from skdgm.metrics.tabular import TabularReport
from skdgm.plotting._support import axes_for, check_has, check_result, pyplot
from skdgm.typing import Any, Axes, Data, Seed, Self

# Height of the line of a column, and minimum height of axes, in inches.
_LINE, _MIN_HEIGHT = 0.22, 2.6
# Maximum number of letters of a name.
_MAX_NAME_LENGTH = 18


class TabularReportDisplay:
    """Plots of the fidelity and privacy of synthetic rows of a table.

    The first panel has scores of the shapes of columns. The second has scores of the
    trends of pairs of columns, with the shapes on the diagonal. The third has quantiles
    of the distances of synthetic rows from the nearest training row and from the
    nearest held-out row, which agree if nothing is copied. The fourth, which requires
    held-out rows, has the shares of values of training rows and of held-out rows that
    can be guessed from synthetic rows, with confidence intervals.

    Parameters
    ----------
    report : TabularReport
        Result of :func:`~skdgm.metrics.tabular_report`.

    Attributes
    ----------
    shapes_ : matplotlib BarContainer
        Scores of columns.
    trends_ : matplotlib AxesImage
        Scores of pairs of columns.
    distances_ : dict of matplotlib Line2D
        Quantiles of distances, by name: "train" and, with held-out rows, "held_out".
    disclosure_ : dict of matplotlib ErrorbarContainer
        Shares of guessed values, by name; empty without held-out rows.
    axes_ : ndarray of Axes
    figure_ : matplotlib Figure

    See Also
    --------
    MarginalsDisplay : Display of the marginal distributions of columns.
    skdgm.metrics.tabular_report : Computation of the report.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from skdgm import FVBN
    >>> from skdgm.plotting import TabularReportDisplay
    >>> wine = load_wine(as_frame=True).frame.astype({"target": "category"})
    >>> train, held_out = wine[::2], wine[1::2]
    >>> model = FVBN(n_iter=10, random_state=0).fit(train)
    >>> display = TabularReportDisplay.from_estimator(
    ...     model, train, held_out, random_state=0
    ... )
    >>> [axes.get_title() for axes in display.axes_[:2]]
    ['shapes of columns', 'trends of pairs']
    """

    def __init__(self, report: TabularReport):
        self.report = report

    @classmethod
    def from_estimator(
        cls,
        estimator: object,
        real: Data,
        holdout: Data | None = None,
        *,
        n_samples: int | None = None,
        random_state: Seed = None,
        ax: Axes = None,
        **options: Any,
    ) -> Self:
        """Draw rows from an estimator, and show a report on them.

        Parameters
        ----------
        estimator : object
            Fitted estimator with ``sample``.
        real : DataFrame or array-like of shape (n_rows, n_columns)
            Training rows of the estimator.
        holdout : DataFrame or array-like, default=None
            Held-out rows.
        n_samples : int, default=None
            Number of rows to draw; by default the number of real rows.
        random_state : int, RandomState instance or None, default=None
            Seed of the rows and of the report.
        ax : array-like of matplotlib Axes, default=None
            Axes to draw on; by default new axes.
        **options
            Further arguments of :func:`~skdgm.metrics.tabular_report`.

        Returns
        -------
        display : TabularReportDisplay
        """
        check_has(cls, estimator, ("sample",), "generative models")
        n_samples = np.shape(real)[0] if n_samples is None else n_samples
        synthetic = estimator.sample(n_samples, random_state=random_state)
        options |= {"random_state": random_state, "ax": ax}
        return cls.from_frames(real, synthetic, holdout, **options)

    @classmethod
    def from_frames(
        cls,
        real: Data,
        synthetic: Data,
        holdout: Data | None = None,
        *,
        ax: Axes = None,
        **options: Any,
    ) -> Self:
        """Compute a report on synthetic rows and show it.

        Parameters
        ----------
        real, synthetic, holdout
            As for :func:`~skdgm.metrics.tabular_report`.
        ax : array-like of matplotlib Axes, default=None
            Axes to draw on; by default new axes.
        **options
            Further arguments of :func:`~skdgm.metrics.tabular_report`.

        Returns
        -------
        display : TabularReportDisplay
        """
        pyplot(cls)
        return cls(tabular_report(real, synthetic, holdout, **options)).plot(ax)

    @classmethod
    def from_report(cls, report: TabularReport, *, ax: Axes = None) -> Self:
        """Show a report.

        Parameters
        ----------
        report : TabularReport
        ax : array-like of matplotlib Axes, default=None
            Axes to draw on; by default new axes.

        Returns
        -------
        display : TabularReportDisplay
        """
        return cls(report).plot(ax)

    def plot(self, ax: Axes = None) -> Self:
        """Draw the report.

        Parameters
        ----------
        ax : array-like of matplotlib Axes, default=None
            Axes to draw on, four, or three without held-out rows; by default new axes.

        Returns
        -------
        display : TabularReportDisplay
        """
        report = self.report
        check_result(type(self), "report", report, TabularReport)
        columns = listed(report.columns)
        names = [_short(name) for name in columns["column"]]
        n_axes = 3 + (report.disclosure is not None)
        height = max(_MIN_HEIGHT, _LINE * len(names) + 0.8)
        options = {"nrows": 2, "ncols": 2, "figsize": (8.5, 2 * height)}
        self.figure_, self.axes_ = axes_for(type(self), ax, n_axes, **options)
        places = np.arange(len(names))
        self.shapes_ = self.axes_[0].barh(places, columns["score"], color="C0")
        _name(self.axes_[0], names, title="shapes of columns", xlim=(0, 1))
        self.trends_ = _matrix(self.axes_[1], columns, listed(report.pairs))
        _name(self.axes_[1], names, title="trends of pairs", xticks=[])
        bar = self.figure_.colorbar(self.trends_, ax=self.axes_[1], shrink=0.8)
        bar.outline.set_visible(False)
        self.distances_ = _curves(self.axes_[2], listed(report.distances))
        self.disclosure_ = {}
        if n_axes == 4:
            shown = listed(report.disclosure)
            self.disclosure_ = _shares(self.axes_[3], shown)
            names = [_short(name) for name in shown["column"]]
            _name(self.axes_[3], names, title="values guessed", xlim=(0, 1))
            self.axes_[3].legend(frameon=False, fontsize="small")
        return self


def _matrix(axes, columns, pairs):
    """Image of the scores of pairs, and of columns on the diagonal."""
    number = {name: place for place, name in enumerate(columns["column"])}
    scores = np.diag(np.asarray(columns["score"], float))
    ends = zip(pairs["column_1"], pairs["column_2"])
    for (first, second), score in zip(ends, pairs["score"]):
        i, j = number[first], number[second]
        scores[i, j] = scores[j, i] = score
    return axes.imshow(scores, vmin=0, vmax=1, cmap="viridis", aspect="auto")


def _curves(axes, quantiles):
    """Lines of the quantiles of distances, by name."""
    lines = {}
    for name, style in (("train", "-"), ("held_out", "--")):
        if name in quantiles:
            options = {"linestyle": style, "marker": ".", "color": "C0"}
            options |= {} if name == "train" else {"color": "0.4"}
            label = name.replace("_", " ")
            distances, level = quantiles[name], quantiles["level"]
            (lines[name],) = axes.plot(distances, level, label=label, **options)
    axes.set(title="distance to the closest row", ylabel="share of synthetic rows")
    axes.set(xlim=(0, None), ylim=(0, 1.02))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize="small")
    return lines


def _shares(axes, shown):
    """Shares of guessed values with their intervals, by name."""
    artists, places = {}, np.arange(len(shown["column"]))
    for name, color, shift in (("train", "C0", -0.15), ("held_out", "0.4", 0.15)):
        share, low, high = (
            np.array(shown[f"{name}{end}"]) for end in ("", "_lower", "_upper")
        )
        artists[name] = axes.errorbar(
            share,
            places + shift,
            xerr=np.maximum(0, [share - low, high - share]),
            fmt=".",
            color=color,
            label=name.replace("_", " "),
        )
    return artists


def _name(axes, names, **options):
    """Write the names of columns on the left, from the top."""
    axes.set_yticks(np.arange(len(names)), names, fontsize="small")
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set(**options)
    axes.spines[["top", "right", "left"]].set_visible(False)


def _short(name):
    name = str(name)
    return name if len(name) <= _MAX_NAME_LENGTH else name[: _MAX_NAME_LENGTH - 1] + "…"
