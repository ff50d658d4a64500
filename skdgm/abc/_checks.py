"""Checks of the options of :class:`skdgm.ABC` before a fit, and of its particles."""

import warnings

from skdgm.abc._priors import Priors
from skdgm.exceptions import FewDrawsWarning

# Methods that fit a flow.
FLOWS = "flow", "likelihood"
# Effective share of the particles that causes a warning.
_MIN_ESS_SHARE = 0.05


def check_options(abc):
    """Return the priors of an estimator; ValueError if options contradict each
    other."""
    if abc.simulator is None or abc.priors is None:
        raise ValueError("ABC(simulator, priors) needs both of them.")
    priors, is_flow = Priors(abc.priors), abc.method in FLOWS
    if abc.method != "rejection":
        priors.check_density()
    if is_flow:
        _check_flow(abc)
        return priors
    if abc.n_simulations < abc.n_particles:
        raise ValueError(
            f"n_simulations={abc.n_simulations} must be at least n_particles="
            f"{abc.n_particles}."
        )
    if abc.n_rounds > 1:
        raise ValueError(
            f"n_rounds={abc.n_rounds} is for flows, and method={abc.method!r}: leave "
            "it at 1."
        )
    if abc.method == "smc" and abc.quantile == 1:
        raise ValueError('quantile=1 is for method="flow": take a smaller share.')
    if callable(abc.distance) and abc.adjustment == "linear":
        raise ValueError('adjustment="linear" needs summaries, and a distance by name.')
    return priors


def _check_flow(abc):
    """Raise ValueError for options that contradict a flow."""
    option = f'method="{abc.method}"'
    if abc.tolerance or abc.adjustment == "linear":
        name = "tolerance" if abc.tolerance else "adjustment"
        raise ValueError(
            f"{option} has no {name}, and {name}={getattr(abc, name)!r}: "
            "leave it at its default."
        )
    if callable(abc.distance):
        raise ValueError(f"{option} needs summaries, and a distance by name.")
    if abc.n_rounds > abc.n_simulations:
        raise ValueError(
            f"n_rounds={abc.n_rounds} must not exceed n_simulations="
            f"{abc.n_simulations}."
        )
    if getattr(abc.estimator, "attribute_conditional", True) is False:
        raise ValueError(
            f"{option} needs an estimator with attribute_conditional=True."
        )
    if abc.method == "flow":
        return
    if abc.quantile not in ("auto", 1):
        raise ValueError(
            f"{option} learns from all simulations, and quantile={abc.quantile!r}: "
            "leave it at its default."
        )
    if abc.estimator is not None and not hasattr(abc.estimator, "score_samples"):
        raise ValueError(f"{option} needs an estimator with score_samples.")


def warn_of_few(abc):
    """Warn if the particles of a fit are few, or far from the data."""
    message, n = None, len(abc.weights_)
    tolerances = getattr(abc, "tolerances_", [0])
    if n < abc.n_particles:
        message = (
            f"Only {n} of n_particles={abc.n_particles} have simulations that gave"
            " numbers: raise n_simulations, or take priors of possible parameters."
        )
    elif abc.n_effective_ < _MIN_ESS_SHARE * n:
        message = (
            f"{abc.n_effective_:.1f} of {n} particles count, as their weights are "
            "so unequal: raise n_particles and n_simulations, or take a narrower "
            "prior."
        )
    elif 0 < abc.tolerance < tolerances[-1]:
        message = (
            f"Distances of {n} particles are up to {tolerances[-1]:.3g}, "
            f"above the tolerance of {abc.tolerance:.3g}: raise n_simulations, or "
            "lower n_particles."
        )
    if message:
        warnings.warn(message, FewDrawsWarning, stacklevel=4)


def check_functions(abc, method, *names):
    """Raise ValueError if an option that ``method`` calls is None."""
    lacking = [name for name in names if getattr(abc, name) is None]
    if lacking:
        raise ValueError(
            f"{method} needs {' and '.join(lacking)}: call set_params first."
        )
