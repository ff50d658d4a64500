"""Display of forward and reverse annealed importance sampling."""

import numpy as np

from skdgm.metrics import partition_bracket
from skdgm.metrics.brackets import LikelihoodBracket
from skdgm.metrics.models import check_can
from skdgm.partition import Bracket
from skdgm.plotting._support import axes_for, check_result, pyplot
from skdgm.typing import Any, Axes, Self


class LikelihoodBracketDisplay:
    """Histograms of log Z over forward and reverse annealed chains, with the bracket.

    If the histograms overlap, log Z is reliable. If they do not, or if an average
    depends on few chains, more temperatures are needed.

    Parameters
    ----------
    bracket : Bracket or LikelihoodBracket
        Result of :func:`~skdgm.metrics.partition_bracket` or
        :func:`~skdgm.metrics.likelihood_bracket`.

    Attributes
    ----------
    forward_, reverse_ : matplotlib StepPatch or None
        Histograms of forward and reverse chains; None if log Z is exact.
    ends_ : matplotlib PolyCollection or Polygon
        Shaded range of the bracket.
    axes_ : ndarray of Axes, of shape (1,)
    figure_ : matplotlib Figure

    See Also
    --------
    ChainDisplay : Display of the mixing of chains.
    skdgm.metrics.partition_bracket : Computation of the bracket.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import BernoulliRBM
    >>> from skdgm.plotting import LikelihoodBracketDisplay
    >>> X = load_digits().data / 16
    >>> rbm = BernoulliRBM(24, n_iter=5, random_state=0).fit(X)
    >>> display = LikelihoodBracketDisplay.from_estimator(rbm)
    >>> display.axes_[0].get_xlabel()
    'log Z (nats)'
    """

    def __init__(self, bracket: LikelihoodBracket):
        self.bracket = bracket

    @classmethod
    def from_estimator(
        cls, estimator: object, *, ax: Axes = None, **options: Any
    ) -> Self:
        """Compute a bracket of an estimator's log Z and show it.

        Parameters
        ----------
        estimator : object
            Fitted estimator with a partition function.
        ax : matplotlib Axes, default=None
            Axes to draw on; by default new axes.
        **options
            Arguments of :func:`~skdgm.metrics.partition_bracket`.

        Returns
        -------
        display : LikelihoodBracketDisplay

        Raises
        ------
        TypeError
            The estimator has no partition function.
        """
        pyplot(cls)
        check_can("bracket", estimator, cls.__name__)
        return cls(partition_bracket(estimator, **options)).plot(ax)

    def plot(self, ax: Axes = None) -> Self:
        """Draw the histograms and the bracket.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; by default new axes.

        Returns
        -------
        display : LikelihoodBracketDisplay
        """
        bracket = self.bracket
        check_result(type(self), "bracket", bracket, Bracket, LikelihoodBracket)
        self.figure_, self.axes_ = axes_for(type(self), ax, 1, figsize=(6.0, 3.2))
        # A LikelihoodBracket contains the bracket of log Z.
        bracket = bracket.log_Z if isinstance(bracket, LikelihoodBracket) else bracket
        (axes,) = self.axes_
        self.forward_ = self.reverse_ = None
        if bracket.forward is not None:
            sides = {"forward": bracket.forward, "reverse": bracket.reverse}
            log_Z = np.concatenate([side.log_w for side in sides.values()])
            edges = np.histogram_bin_edges(log_Z, "auto")
            self.forward_, self.reverse_ = (
                _side(axes, name, side, edges, f"C{number}")
                for number, (name, side) in enumerate(sides.items())
            )
        # Covariance machines have no tempered chains.
        if (tempered := bracket.tempered) is not None:
            label = f"tempered {tempered.log_Z:.2f} ± {tempered.se:.2f}"
            axes.axvline(tempered.log_Z, color="0.3", linestyle=":", label=label)
        label = f"log Z in [{bracket.lower:.2f}, {bracket.upper:.2f}]"
        self.ends_ = axes.axvspan(
            bracket.lower, bracket.upper, color="0.5", alpha=0.3, label=label, zorder=0
        )
        axes.set(xlabel="log Z (nats)", ylabel="chains", yticks=[])
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.legend(frameon=False, fontsize="small")
        return self


def _side(axes, name, side, edges, color):
    counts, _ = np.histogram(side.log_w, edges)
    label = f"{name} {side.log_Z:.2f} ± {side.se:.2f}, ESS {side.ess:.0f}"
    axes.axvline(side.log_Z, color=color)
    return axes.stairs(counts, edges, fill=True, alpha=0.5, color=color, label=label)
