"""Columns of a table, and the same columns of samples."""

import numpy as np
from sklearn.utils.validation import check_array

from skdgm.plotting._columns import chosen, draw, numbered
from skdgm.plotting._support import axes_for, check_has

# Axes side by side.
_ACROSS = 4


class MarginalsDisplay:
    """Marginal distributions of data beside those of samples.

    Columns of few values are bars, all others are histograms. Where samples are bits
    and data in [0, 1], these are probabilities of 1.

    Parameters
    ----------
    X : array-like of shape (n_rows, n_columns)
        Data; NaN where missing.
    samples : array-like of shape (n_samples, n_columns)
    names : list of str, default=None
        Of the columns; x0, x1 and so on by default.

    Attributes
    ----------
    data_ : list
        For each column a ``BarContainer`` or, of histograms, a ``StepPatch``.
    samples_ : list
        The same of samples.
    axes_ : ndarray of Axes
    figure_ : matplotlib Figure

    See Also
    --------
    SamplesDisplay : Samples of images.

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
            Fitted, with ``sample``.
        X : array-like of shape (n_rows, n_features)
            NaN where missing.
        columns : list of int or str, default=None
            Which columns, by number or by name; by default the first twelve.
        n_samples : int, default=1000
        random_state : int, RandomState instance or None, default=None
            For sampling.
        data_kw, samples_kw : dict, default=None
            Arguments of ``Axes.bar`` and ``Axes.stairs``, of data and of samples.
        ax : matplotlib Axes or array-like of Axes, default=None
            Where to draw, one for each column; by default in a new figure.
        **options
            Further arguments of the estimator's ``sample``.

        Returns
        -------
        display : MarginalsDisplay
        """
        check_has(cls, estimator, ("sample",), "generative models")
        names = getattr(estimator, "feature_names_in_", numbered(np.shape(X)[1]))
        names = [str(name) for name in getattr(X, "columns", names)]
        X = check_array(X, ensure_all_finite="allow-nan")
        columns = chosen(columns, names)
        samples = estimator.sample(n_samples, random_state, **options)
        if samples.shape[1] != len(names):
            raise ValueError(
                f"X has {len(names)} columns, but samples have {samples.shape[1]}."
            )
        names = [names[column] for column in columns]
        display = cls(X[:, columns], samples[:, columns], names=names)
        return display.plot(ax, data_kw=data_kw, samples_kw=samples_kw)

    def plot(self, ax=None, *, data_kw=None, samples_kw=None):
        """Draw the marginals.

        Parameters
        ----------
        ax : matplotlib Axes or array-like of Axes, default=None
            Where to draw, as many as there are columns; by default in a new figure.
        data_kw, samples_kw : dict, default=None
            As of :meth:`from_estimator`.

        Returns
        -------
        display : MarginalsDisplay
        """
        X, samples = np.asarray(self.X), np.asarray(self.samples)
        n_columns = X.shape[1]
        names = self.names or numbered(n_columns)
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
            draw(axes, column[~np.isnan(column)], sampled, looks)
            for axes, column, sampled in zip(self.axes_, X.T, samples.T)
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
