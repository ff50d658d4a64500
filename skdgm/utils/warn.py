"""Warnings that point to where a user called."""

import sys
import warnings

from skdgm.utils.callers import RUNNERS, callers

_INSIDE = RUNNERS | {"skdgm", "sklearn"}
_ONCE = "default", "module", "once"
# What was said, and where.
_said = set()


def warn(message, category):
    """Warn of the line outside of this package, of scikit-learn and of joblib that led
    here.

    Python forgets what it said whenever filters change, as scikit-learn changes them
    for each fold: so what joblib runs is remembered here. In a process or a thread of
    its own there is no such line, and the place is called "sys".
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
    """What filters say is to be done."""
    # From Python 3.14 on they may be a context's own.
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
