"""Outlier detection with density estimators."""

from skdgm.anomaly.detector import DensityOutlierDetector

__all__ = ["DensityOutlierDetector"]
