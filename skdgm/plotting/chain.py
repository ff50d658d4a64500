"""How chains move."""

import numpy as np

from skdgm.metrics import chain_diagnostics
from skdgm.metrics._models import check_energy
from skdgm.plotting._support import axes_for, check_looks, pyplot

# Chains that are drawn, and autocorrelation below which lags are left out.
_MOST, _SMALL = 8, 0.02


class ChainDisplay:
    """Free energies along Markov chains, and how long these remember.

    Parameters
    ----------
    diagnostics : ChainDiagnostics
        As :func:`~skdgm.metrics.chain_diagnostics` gives it.

    Attributes
    ----------
    traces_ : list of matplotlib Line2D
        One for each of the first eight chains.
    autocorrelation_ : matplotlib Line2D
    axes_ : ndarray of Axes
        For traces, and for the autocorrelation.
    figure_ : matplotlib Figure

    See Also
    --------
    SamplesDisplay : The samples themselves.
    skdgm.metrics.chain_diagnostics : The figures behind it.

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

    def __init__(self, diagnostics):
        self.diagnostics = diagnostics

    @classmethod
    def from_estimator(
        cls,
        estimator,
        *,
        random_state=None,
        ax=None,
        trace_kw=None,
        **options,
    ):
        """Run an estimator's chains and show how they move.

        Parameters
        ----------
        estimator : object
            Fitted, with chains.
        random_state : int, RandomState instance or None, default=None
            For sampling.
        ax : array-like of two matplotlib Axes, default=None
            Where to draw; by default in a new figure.
        trace_kw : dict, default=None
            Arguments of ``Axes.plot``, of all traces.
        **options
            Further arguments of :func:`~skdgm.metrics.chain_diagnostics`.

        Returns
        -------
        display : ChainDisplay
        """
        pyplot(cls)
        check_energy(estimator, cls.__name__)
        found = chain_diagnostics(estimator, random_state=random_state, **options)
        return cls(found).plot(ax, trace_kw=trace_kw)

    def plot(self, ax=None, *, trace_kw=None):
        """Draw traces and the autocorrelation.

        Parameters
        ----------
        ax : array-like of two matplotlib Axes, default=None
            Where to draw; by default in a new figure.
        trace_kw : dict, default=None
            As of :meth:`from_estimator`.

        Returns
        -------
        display : ChainDisplay
        """
        check_looks(type(self), trace_kw=trace_kw)
        options = {"ncols": 2, "figsize": (9.0, 3.2), "width_ratios": (3, 2)}
        self.figure_, self.axes_ = axes_for(type(self), ax, 2, **options)
        found, (left, right) = self.diagnostics, self.axes_
        steps = found.thin * np.arange(1, found.trace.shape[1] + 1)
        look = {"linewidth": 0.8, "alpha": 0.8, **(trace_kw or {})}
        self.traces_ = left.plot(steps, found.trace[:_MOST].T, **look)
        left.set(xlabel="Gibbs steps", ylabel="free energy (nats)")
        left.set_title(
            f"R-hat {found.r_hat:.3f}, ESS {found.ess:.0f}", fontsize="medium"
        )
        rho = found.autocorrelation
        small = np.flatnonzero(rho < _SMALL)
        n_lags = max(10, 2 * small[0]) if len(small) else len(rho)
        n_lags = min(n_lags, len(rho))
        lags = found.thin * np.arange(n_lags)
        (self.autocorrelation_,) = right.plot(lags, rho[:n_lags], marker=".")
        right.axhline(0.0, color="0.7", linewidth=0.8, zorder=0)
        right.set(xlabel="lag (Gibbs steps)", ylabel="autocorrelation")
        right.set_title(_memory(found), fontsize="medium")
        for axes in self.axes_:
            axes.spines[["top", "right"]].set_visible(False)
        return self


def _memory(found):
    """How long chains remember, in words."""
    if np.isnan(found.r_hat):
        return "nothing moves"
    steps = f"{max(found.time, found.thin):.0f} steps for an independent draw"
    # What is forgotten between two draws is not seen.
    return steps if found.time > found.thin else f"at most {steps}"
