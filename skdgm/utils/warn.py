"""Warnings that point to where a user called."""

import sys
import warnings

_INSIDE = {"skdgm", "sklearn"}


def warn(message, category):
    """Warn of the line outside of this package, and of scikit-learn, that led here."""
    level, frame = 2, sys._getframe(1)
    while frame and frame.f_globals.get("__name__", "").split(".")[0] in _INSIDE:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
