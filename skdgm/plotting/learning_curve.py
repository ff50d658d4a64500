"""What was lost in each epoch of a fit."""

from skdgm.plotting._losses import losses_of
from skdgm.plotting._support import axes_for, check_has, check_looks


class LearningCurveDisplay:
    """Losses of some training rows, and of held-out rows, epoch by epoch.

    Both are means over rows of the same quantity, in nats a row, of real columns that
    are standardised. The training rows are a sample of those that were learned from,
    the same ones in each epoch; of held-out rows all are watched. As rows differ, and
    machines look at a few columns of each, either curve may lie above the other by
    chance.

    Parameters
    ----------
    groups : list of tuple
        For each axes a title, what the loss is, and a dictionary: for each name losses
        of training rows and of held-out rows, of which there may be none.

    Attributes
    ----------
    lines_ : list of dict
        For each axes the lines of each name, two of them if rows were held out.
    axes_ : ndarray of Axes
    figure_ : matplotlib Figure

    See Also
    --------
    sklearn.model_selection.LearningCurveDisplay : Scores by the number of rows.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import DBN
    >>> from skdgm.plotting import LearningCurveDisplay
    >>> X = load_digits().data / 16
    >>> dbn = DBN((16, 8), n_iter=5, random_state=0).fit(X)
    >>> display = LearningCurveDisplay.from_estimator(dbn)
    >>> [list(lines) for lines in display.lines_]
    [['layer 0', 'layer 1']]
    """

    def __init__(self, groups):
        self.groups = groups

    @classmethod
    def from_estimator(cls, estimator, *, line_kw=None, ax=None):
        """Show what an estimator lost while it learned.

        Parameters
        ----------
        estimator : object
            Fitted, with ``loss_curve_`` or ``loss_curves_``. What is known of layers
            that learned before is shown, too.
        line_kw : dict, default=None
            Arguments of ``Axes.plot``.
        ax : matplotlib Axes or array-like of Axes, default=None
            Where to draw, one for each kind of loss; by default in a new figure.

        Returns
        -------
        display : LearningCurveDisplay
        """
        who = "all estimators of skdgm"
        check_has(cls, estimator, ("loss_curve_", "loss_curves_"), who)
        groups = [group for group in losses_of(estimator) if group.n_epochs]
        if not groups:
            raise ValueError(
                f"This {type(estimator).__name__} knows of no epoch: fit it with "
                "n_iter or max_iter above 0."
            )
        return cls(groups).plot(ax, line_kw=line_kw)

    def plot(self, ax=None, *, line_kw=None):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes or array-like of Axes, default=None
            Where to draw, as many as there are groups; by default in a new figure.
        line_kw : dict, default=None
            Arguments of ``Axes.plot``.

        Returns
        -------
        display : LearningCurveDisplay
        """
        check_looks(type(self), line_kw=line_kw)
        n_axes = len(self.groups)
        options = {"ncols": n_axes, "figsize": (4.4 * n_axes, 3.4)}
        self.figure_, self.axes_ = axes_for(type(self), ax, n_axes, **options)
        self.lines_ = [
            _draw(axes, *group, line_kw or {})
            for axes, group in zip(self.axes_, self.groups)
        ]
        return self


def _draw(axes, title, loss, curves, line_kw):
    """Lines of a group, by name."""
    lines = {}
    for number, (name, parts) in enumerate(curves.items()):
        lines[name] = []
        labels = name, f"{name}, held out"
        if len(curves) == 1:
            labels = f"some {name} rows", "held-out rows"
        for curve, style, label in zip(parts, ("-", "--"), labels):
            if len(curve):
                options = {"linestyle": style, "color": f"C{number}", "label": label}
                # One epoch is no line.
                options["marker"] = "." if len(curve) == 1 else None
                epochs = range(1, 1 + len(curve))
                lines[name] += axes.plot(epochs, curve, **{**options, **line_kw})
    axes.set(title=title, xlabel="epoch", ylabel=loss)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.spines[["top", "right"]].set_visible(False)
    if sum(map(len, lines.values())) > 1:
        axes.legend(frameon=False)
    return lines
