"""Display of the mixing of Markov chains."""

import numpy as np

from skdgm.metrics import chain_diagnostics
from skdgm.metrics.chains import ChainDiagnostics
from skdgm.metrics.models import check_can
from skdgm.plotting._support import (
    axes_for,
    check_looks,
    check_result,
    pyplot,
    taking,
)
from skdgm.typing import Any, Axes, Keywords, Seed, Self

# Maximum number of chains that are drawn. The range of lags is twice the first lag at
# which the autocorrelation is below the second number.
_MAX_CHAINS, _SMALL = 8, 0.02


class ChainDisplay:
    """Traces of the free energy along Markov chains, and their autocorrelation.

    Parameters
    ----------
    diagnostics : ChainDiagnostics
        Result of :func:`~skdgm.metrics.chain_diagnostics`.

    Attributes
    ----------
    traces_ : list of matplotlib Line2D
        Traces of the first eight chains.
    autocorrelation_ : matplotlib Line2D
    axes_ : ndarray of Axes, of shape (2,)
        Axes of the traces, and of the autocorrelation.
    figure_ : matplotlib Figure

    See Also
    --------
    SamplesDisplay : Display of the samples.
    skdgm.metrics.chain_diagnostics : Diagnostics of chains.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import BernoulliRBM
    >>> from skdgm.plotting import ChainDisplay
    >>> X = load_digits().data / 16
    >>> rbm = BernoulliRBM(16, n_iter=5, random_state=0).fit(X)
    >>> display = ChainDisplay.from_estimator(rbm, random_state=0)
    >>> len(display.traces_)
    8
    """

    def __init__(self, diagnostics: ChainDiagnostics):
        self.diagnostics = diagnostics

    @classmethod
    def from_estimator(
        cls,
        estimator: object,
        *,
        random_state: Seed = None,
        ax: Axes = None,
        trace_kw: Keywords = None,
        **options: Any,
    ) -> Self:
        """Run an estimator's Markov chains and show their mixing.

        Parameters
        ----------
        estimator : object
            Fitted estimator that samples by Markov chains.
        random_state : int, RandomState instance or None, default=None
            Seed of the chains.
        ax : array-like of two matplotlib Axes, default=None
            Axes to draw on; by default new axes.
        trace_kw : dict, default=None
            Arguments of ``Axes.plot`` for the traces.
        **options
            Further arguments of :func:`~skdgm.metrics.chain_diagnostics`.

        Returns
        -------
        display : ChainDisplay

        Raises
        ------
        TypeError
            The estimator has no chains, or ``trace_kw`` is not a dict.
        """
        pyplot(cls)
        check_can("trace", estimator, cls.__name__)
        diagnostics = chain_diagnostics(estimator, random_state=random_state, **options)
        return cls(diagnostics).plot(ax, trace_kw=trace_kw)

    def plot(self, ax: Axes = None, *, trace_kw: Keywords = None) -> Self:
        """Draw the traces and the autocorrelation.

        Parameters
        ----------
        ax : array-like of two matplotlib Axes, default=None
            Axes to draw on; by default new axes.
        trace_kw : dict, default=None
            As for :meth:`from_estimator`.

        Returns
        -------
        display : ChainDisplay
        """
        check_result(type(self), "diagnostics", self.diagnostics, ChainDiagnostics)
        check_looks(type(self), trace_kw=trace_kw)
        options = {"ncols": 2, "figsize": (9.0, 3.2), "width_ratios": (3, 2)}
        self.figure_, self.axes_ = axes_for(type(self), ax, 2, **options)
        diagnostics, (trace_axes, rho_axes) = self.diagnostics, self.axes_
        steps = diagnostics.thin * np.arange(1, diagnostics.trace.shape[1] + 1)
        style = {"linewidth": 0.8, "alpha": 0.8, **(trace_kw or {})}
        with taking(type(self), trace_kw=trace_kw):
            self.traces_ = trace_axes.plot(
                steps, diagnostics.trace[:_MAX_CHAINS].T, **style
            )
        trace_axes.set(xlabel="steps", ylabel="trace (nats)")
        trace_axes.set_title(
            f"R-hat {diagnostics.r_hat:.3f}, ESS {diagnostics.ess:.0f}",
            fontsize="medium",
        )
        rho = diagnostics.autocorrelation
        small_lags = np.flatnonzero(rho < _SMALL)
        n_lags = max(10, 2 * small_lags[0]) if len(small_lags) else len(rho)
        n_lags = min(n_lags, len(rho))
        lags = diagnostics.thin * np.arange(n_lags)
        (self.autocorrelation_,) = rho_axes.plot(lags, rho[:n_lags], marker=".")
        rho_axes.axhline(0.0, color="0.7", linewidth=0.8, zorder=0)
        rho_axes.set(xlabel="lag (steps)", ylabel="autocorrelation")
        rho_axes.set_title(_memory(diagnostics), fontsize="medium")
        for axes in self.axes_:
            axes.spines[["top", "right"]].set_visible(False)
        return self


def _memory(found):
    """Title with the number of steps per independent draw."""
    if np.isnan(found.r_hat):
        return "nothing moves"
    steps = f"{max(found.time, found.thin):.0f} steps for an independent draw"
    # Autocorrelation at lags below ``thin`` is not observed.
    return steps if found.time > found.thin else f"at most {steps}"
