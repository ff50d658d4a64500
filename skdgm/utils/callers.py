"""Inspection of the call stack: a call by the user, or by code that fits for them."""

import sys

# Modules that run functions and methods on behalf of others, and are not user code.
RUNNERS = {"joblib", "concurrent", "multiprocessing", "threading", "runpy"}
# Modules of scikit-learn that wrap methods which the user calls directly.
_WRAPPERS = "sklearn.base", "sklearn.utils", "sklearn.callback"


def callers(frame):
    """Iterate over a frame and its callers, innermost first.

    Yields
    ------
    frame : frame
    name : str
        Name of the module in which the frame's code is defined.
    """
    while frame:
        known = frame.f_globals
        name, spec = known.get("__name__") or "", known.get("__spec__")
        # The __name__ of a module run as a script (a joblib worker) is "__main__".
        yield frame, spec.name if name == "__main__" and spec else name
        frame = frame.f_back


def fits_for_another():
    """Return whether this package is called by a Pipeline, a search, a worker of joblib
    or another thread pool, or an estimator from outside this package."""
    for frame, name in callers(sys._getframe()):
        root = name.split(".")[0]
        if root in RUNNERS - {"runpy"}:
            return True
        if root == "sklearn" and not name.startswith(_WRAPPERS):
            return True
        if root not in ("sklearn", "skdgm") and _is_of_an_estimator(frame):
            return True
    return False


def _is_of_an_estimator(frame):
    """Return whether a frame is a method of an estimator not derived from skdgm."""
    names = frame.f_code.co_varnames[: frame.f_code.co_argcount]
    owner = frame.f_locals.get("self") if "self" in names else None
    if not (hasattr(owner, "get_params") and hasattr(owner, "fit")):
        return False
    return not any(kind.__module__.startswith("skdgm.") for kind in type(owner).__mro__)
