"""Warnings that point to the line where the user called the package."""

import sys
import warnings

from skdgm.utils.callers import RUNNERS, callers

_INSIDE = RUNNERS | {"skdgm", "sklearn"}
_ONCE = "default", "module", "once"
# Warnings already issued, with their places.
_said = set()


def warn(message, category):
    """Warn, with the innermost line outside this package, scikit-learn and joblib.

    Python forgets which warnings it has issued whenever filters change, as scikit-learn
    changes them for each fold, so warnings issued under joblib are recorded here. In
    a process or a thread of joblib's there is no such line, and the place is "sys".

    Parameters
    ----------
    message : str
    category : type
        Subclass of Warning.
    """
    level, through = 0, set()
    for frame, name in callers(sys._getframe()):
        level, root = level + 1, name.split(".")[0]
        if root not in _INSIDE:
            place = name, frame.f_lineno
            break
        through.add(root)
    else:
        level, place = level + 1, ("sys", 1)
    if not through.isdisjoint(RUNNERS) and _action(message, category, *place) in _ONCE:
        said = message, category, *place
        if said in _said:
            return
        _said.add(said)
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
