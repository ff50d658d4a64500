"""Saving and loading of estimators without pickle."""

from skdgm.persistence.files import load, save
from skdgm.persistence.types import TRUSTED_TYPES

__all__ = ["TRUSTED_TYPES", "load", "save"]
