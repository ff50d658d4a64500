"""Densities by classifiers that tell rows from draws of the model."""

from skdgm.boosting.self_supervised_boosting import SelfSupervisedBoosting

__all__ = ["SelfSupervisedBoosting"]
