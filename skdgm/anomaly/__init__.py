"""Outlier detection by likelihood."""

from skdgm.anomaly.density_outlier_detector import DensityOutlierDetector

__all__ = ["DensityOutlierDetector"]
