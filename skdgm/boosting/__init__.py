"""Density estimation with classifiers of data versus model samples."""

from skdgm.boosting.self_supervised_boosting import SelfSupervisedBoosting

__all__ = ["SelfSupervisedBoosting"]
