"""Inspection of the call stack: location of warnings, and fits on behalf of other code.

A call is made by the user, or by code that fits for the user, such as a Pipeline.
"""

import sys
import warnings

# Modules that run functions and methods on behalf of user code.
RUNNERS = {"joblib", "concurrent", "multiprocessing", "threading", "runpy"}
# Modules of scikit-learn that wrap methods which users call directly.
_WRAPPERS = "sklearn.base", "sklearn.utils", "sklearn.callback"
_INSIDE = RUNNERS | {"skdgm", "sklearn"}
_ONCE = "default", "module", "once"
# Warnings that were issued, with their locations.
_warned = set()


def callers(frame):
    """Iterate over a frame and its callers, innermost first, with the name of the
    module in which each frame's code is defined."""
    while frame:
        known = frame.f_globals
        name, spec = known.get("__name__") or "", known.get("__spec__")
        # The __name__ of a module run as a script (a joblib worker) is "__main__".
        yield frame, spec.name if name == "__main__" and spec else name
        frame = frame.f_back


def fits_for_another():
    """Return whether this package is called by a Pipeline, a search, a worker of a
    thread or process pool, or an estimator outside this package."""
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
    """Return whether a frame is a method of an estimator outside skdgm."""
    names = frame.f_code.co_varnames[: frame.f_code.co_argcount]
    owner = frame.f_locals.get("self") if "self" in names else None
    if not (hasattr(owner, "get_params") and hasattr(owner, "fit")):
        return False
    return not any(kind.__module__.startswith("skdgm.") for kind in type(owner).__mro__)


def warn(message, category):
    """Warn at the innermost line outside this package, scikit-learn and joblib.

    Python forgets issued warnings whenever filters change, and scikit-learn changes
    filters for each fold. Warnings under joblib are therefore recorded here. In a
    process or thread of joblib there is no such line, and the location is "sys".
    """
    level, through = 0, set()
    for frame, name in callers(sys._getframe()):
        level, root = level + 1, name.split(".")[0]
        if root not in _INSIDE:
            module, line = name, frame.f_lineno
            break
        through.add(root)
    else:
        level, module, line = level + 1, "sys", 1
    recorded = not through.isdisjoint(RUNNERS)
    if recorded and _action(message, category, module, line) in _ONCE:
        key = message, category, module, line
        if key in _warned:
            return
        _warned.add(key)
    warnings.warn(message, category, stacklevel=level)


def _action(message, category, module, line):
    """Action that the warning filters prescribe."""
    # From Python 3.14 on filters may be local to a context.
    filters = getattr(warnings, "_get_filters", lambda: warnings.filters)()
    for action, text, kind, where, number in filters:
        if (
            issubclass(category, kind)
            and number in (0, line)
            and (text is None or text.match(message))
            and (where is None or where.match(module))
        ):
            return action
    return "default"
