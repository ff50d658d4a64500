"""Who called: the user, or something that fits estimators for them."""

import sys

# What runs others' functions and methods, and is no user's code.
RUNNERS = {"joblib", "concurrent", "multiprocessing", "threading", "runpy"}
# Of scikit-learn, what stands between a user and a method that they call.
_WRAPPERS = "sklearn.base", "sklearn.utils", "sklearn.callback"


def callers(frame):
    """A frame and all that led there, from within, and their modules' names."""
    while frame:
        known = frame.f_globals
        name, spec = known.get("__name__") or "", known.get("__spec__")
        # A module that is run as a script, as joblib's workers are, has another name.
        yield frame, spec.name if name == "__main__" and spec else name
        frame = frame.f_back


def fits_for_another():
    """Whether a method of ours was called by a Pipeline, a search, or another estimator
    that is not of this package."""
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
    """Whether a frame is of a method of an estimator that derives from none of ours."""
    names = frame.f_code.co_varnames[: frame.f_code.co_argcount]
    owner = frame.f_locals.get("self") if "self" in names else None
    if not (hasattr(owner, "get_params") and hasattr(owner, "fit")):
        return False
    return not any(kind.__module__.startswith("skdgm.") for kind in type(owner).__mro__)
