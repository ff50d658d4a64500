"""Names that belief/ imports until it uses objectives."""

from skdgm.boltzmann._objective import EnergyObjective as Trainer
from skdgm.boltzmann._state import density, present

__all__ = ["Trainer", "density", "present"]
