"""A name that belief/ imports."""

from skdgm.data.classes import weight_of_classes as counted

__all__ = ["counted"]
