"""Purposes of an estimator's seed; each has a random stream of its own."""

INIT, SHUFFLE, STEP, PROBE, SPLIT, LIKELIHOOD, IMPUTE = range(7)
