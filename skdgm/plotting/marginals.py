"""Display of marginal distributions of data and of samples."""

import numpy as np
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import check_array

from skdgm.plotting._columns import chosen, draw, known, numbered
from skdgm.plotting._draws import samples_beside
from skdgm.plotting._support import axes_for, check_has, check_looks

_ACROSS = 4  # Axes per row.


class MarginalsDisplay:
    """Marginal distributions of data beside those of samples.

    Columns of few values or of categories are drawn as bars, others as histograms. Data
    in [0, 1] beside binary samples are taken as probabilities of 1.

    Parameters
    ----------
    X : array-like or DataFrame of shape (n_rows, n_columns)
        Data; NaN is missing.
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

    def __init__(self, X, samples, *, names=None):
        self.X = X
        self.samples = samples
        self.names = names

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        *,
        columns=None,
        n_samples=1000,
        random_state=None,
        data_kw=None,
        samples_kw=None,
        ax=None,
        **options,
    ):
        """Draw samples from an estimator and show them beside data.

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
        names = getattr(estimator, "feature_names_in_", numbered(np.shape(X)[1]))
        names = [str(name) for name in getattr(X, "columns", names)]
        if not hasattr(X, "iloc"):
            X = check_array(X, ensure_all_finite="allow-nan")
        columns = chosen(columns, names)
        samples = samples_beside(X, estimator, n_samples, random_state, options)
        names = [names[column] for column in columns]
        parts = (_safe_indexing(part, columns, axis=1) for part in (X, samples))
        display = cls(*parts, names=names)
        return display.plot(ax, data_kw=data_kw, samples_kw=samples_kw)

    def plot(self, ax=None, *, data_kw=None, samples_kw=None):
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
        names = self.names or numbered(np.shape(self.X)[1])
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
        drawn = [
            draw(axes, *pair, looks)
            for axes, *pair in zip(self.axes_, known(self.X), known(self.samples))
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
