"""Data-parallel fits on the workers of a Dask cluster."""

from skdgm.dask._fit import fit

__all__ = ["fit"]
