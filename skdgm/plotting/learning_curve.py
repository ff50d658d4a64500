"""Display of the losses by epoch, grouped by the kind of loss."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

from skdgm.plotting._support import axes_for, check_has, check_looks, taking
from skdgm.typing import Axes, Keywords

# Axis labels of losses by the quantity that an estimator monitors.
_LOSSES = {
    "log-likelihood": "minus log-likelihood\n(nats a row)",
    "bound": "minus lower bound on\nlog-likelihood (nats a row)",
    "pseudo-likelihood": "minus pseudo-likelihood\n(nats a row)",
    "log probability of labels": "minus log probability\nof labels (nats a row)",
    "minus half the squared error": "half the squared error\nof standardized targets",
}
_PAIRS = "minus log-likelihood given\nthe layer above (nats a row)"
_BOUND = "minus bound (nats a row)"


class LearningCurveDisplay:
    """Losses of training rows and of held-out rows by epoch.

    Both are means over rows of the same quantity, in nats per row, with real columns
    standardized. The training rows are a random subset, the same in each epoch; all
    held-out rows are used. Either curve may be above the other by chance, since rows
    differ and machines evaluate only a few columns of each row.

    Parameters
    ----------
    groups : list of tuple
        For each Axes a tuple of a title, the label of the loss, and a dictionary that
        maps names to pairs of sequences: losses of training rows, and of held-out rows
        or (). An optional fourth entry is a sequence of variances of the gradient,
        which are drawn on a logarithmic axis on the right.

    Attributes
    ----------
    lines_ : list of dict
        For each Axes the lines by name, two lines if rows were held out. The line of
        the variances of the gradient has the name "gradient".
    axes_ : ndarray of Axes
    figure_ : matplotlib Figure

    See Also
    --------
    sklearn.model_selection.LearningCurveDisplay : Scores by number of training rows.

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

    def __init__(self, groups: Sequence):
        self.groups = groups

    @classmethod
    def from_estimator(
        cls, estimator: object, *, line_kw: Keywords = None, ax: Axes = None
    ) -> Self:
        """Show the losses of an estimator during its fit.

        Parameters
        ----------
        estimator : object
            Fitted estimator with ``loss_curve_`` or ``loss_curves_``. Losses of
            pre-training and a recorded ``gradient_variance_curve_`` are also shown.
        line_kw : dict, default=None
            Arguments of ``Axes.plot``.
        ax : matplotlib Axes or array-like of Axes, default=None
            Axes to draw on, one for each kind of loss; by default new axes.

        Returns
        -------
        display : LearningCurveDisplay

        Raises
        ------
        TypeError
            The estimator has no loss curve, or ``line_kw`` is not a dict.
        ValueError
            The estimator was fitted for zero epochs, or the number of axes is wrong.
        """
        subject = "all estimators of skdgm"
        check_has(cls, estimator, ("loss_curve_", "loss_curves_"), subject)
        groups = [group for group in losses_of(estimator) if group.n_epochs]
        if not groups:
            raise ValueError(
                f"This {type(estimator).__name__} was fitted for no epoch: fit it with "
                "n_iter above 0."
            )
        return cls(groups).plot(ax, line_kw=line_kw)

    def plot(self, ax: Axes = None, *, line_kw: Keywords = None) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes or array-like of Axes, default=None
            Axes to draw on, one for each group; by default new axes.
        line_kw : dict, default=None
            Arguments of ``Axes.plot``.

        Returns
        -------
        display : LearningCurveDisplay
        """
        check_looks(type(self), line_kw=line_kw)
        _check_groups(self.groups)
        n_axes = len(self.groups)
        options = {"ncols": n_axes, "figsize": (4.4 * n_axes, 3.4)}
        self.figure_, self.axes_ = axes_for(type(self), ax, n_axes, **options)
        with taking(type(self), line_kw=line_kw):
            self.lines_ = [
                _draw(axes, group, line_kw or {})
                for axes, group in zip(self.axes_, self.groups)
            ]
        return self


def _check_groups(groups):
    """Raise TypeError unless groups are a list of (title, label, curves) tuples."""
    if not isinstance(groups, list | tuple) or not groups:
        raise TypeError(
            "groups of LearningCurveDisplay must be a list of one tuple or more; got "
            f"{groups!r}."
        )
    for group in groups:
        if not (
            isinstance(group, list | tuple)
            and len(group) in (3, 4)
            and isinstance(group[2], Mapping)
            and all(isinstance(pair, list | tuple) for pair in group[2].values())
        ):
            raise TypeError(
                "Each of groups of LearningCurveDisplay must be a tuple of a title, "
                "the label of the loss, and a dict of pairs of sequences; got "
                f"{group!r}."
            )


def _draw(axes, group, line_kw):
    """Draw a group of curves and return their lines by name."""
    title, loss, curves, *variances = group
    lines = {}
    for number, (name, parts) in enumerate(curves.items()):
        lines[name] = []
        labels = name, f"{name}, held out"
        if name == "training":
            labels = "some training rows", "held-out rows"
        for curve, style, label in zip(parts, ("-", "--"), labels):
            if len(curve):
                options = {"linestyle": style, "color": f"C{number}", "label": label}
                # A single epoch is drawn as a point.
                options["marker"] = "." if len(curve) == 1 else None
                epochs = range(1, 1 + len(curve))
                lines[name] += axes.plot(epochs, curve, **{**options, **line_kw})
    axes.set(title=title, xlabel="epoch", ylabel=loss)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.spines[["top", "right"]].set_visible(False)
    if sum(map(len, lines.values())) > 1:
        axes.legend(frameon=False)
    if variances and len(variances[0]):
        variance_axes, color = axes.twinx(), f"C{len(curves)}"
        options = {"color": color, "linewidth": 1, "label": "gradient", **line_kw}
        epochs = range(1, 1 + len(variances[0]))
        lines["gradient"] = variance_axes.semilogy(epochs, variances[0], **options)
        variance_axes.set_ylabel("variance of the gradient", color=color)
        variance_axes.spines["top"].set_visible(False)
    return lines


class Curves(NamedTuple):
    """Loss curves of one kind: a title, the label of the loss axis, losses by epoch,
    and variances of the gradient by epoch. ``curves`` maps names to pairs of losses, of
    training rows and of held-out rows or ()."""

    title: str
    loss: str
    curves: dict
    variances: tuple = ()

    @property
    def n_epochs(self):
        """Number of epochs of the longest curve."""
        losses = [loss for pair in self.curves.values() for loss in pair]
        return max(map(len, losses), default=0)


def losses_of(estimator):
    """Curves of an estimator's losses in the order of training, a list."""
    name, groups = type(estimator).__name__, []
    for attribute in "dbn_", "stack_":
        if hasattr(estimator, attribute):
            groups += losses_of(getattr(estimator, attribute))
    if hasattr(estimator, "loss_curves_"):
        groups += _of_stack(name, estimator)
    pairs = enumerate(getattr(estimator, "pretrain_loss_curves_", ()))
    pairs = {f"layer {number}": (curve, ()) for number, curve in pairs}
    groups.append(Curves(f"{name}, pre-trained", _PAIRS, pairs))
    for title, prefix in (name, ""), (f"{name}, net", "net_"):
        curves = [
            getattr(estimator, f"{prefix}{kind}_curve_", ())
            for kind in ("loss", "validation")
        ]
        variances = () if prefix else getattr(estimator, "gradient_variance_curve_", ())
        loss = _loss_of(estimator)
        groups.append(Curves(title, loss, {"training": curves}, variances))
    return groups


def _of_stack(name, stack):
    """Curves of the layers of a stack, and of their joint refinement."""
    kinds, machines = {}, stack.layers_
    for number, machine in enumerate(machines):
        # A top-level machine with a label has a different loss than other layers.
        layers = kinds.setdefault(_loss_of(machine), {})
        layers[f"layer {number}"] = machine.loss_curve_, machine.validation_curve_
    refined = [(curve, ()) for curve in stack.loss_curves_[len(machines) :]]
    return [
        *(
            Curves(f"{name}, layer by layer", loss, layers)
            for loss, layers in kinds.items()
        ),
        Curves(f"{name}, refined", _BOUND, dict(zip(["training"], refined))),
    ]


def _loss_of(estimator):
    """Axis label of an estimator's loss."""
    quantity: Any = getattr(estimator, "loss_quantity_", None)
    return _LOSSES.get(quantity, "loss")
