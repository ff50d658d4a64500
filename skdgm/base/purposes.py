"""What an estimator's seed is for: a stream for each purpose."""

INIT, SHUFFLE, STEP, PROBE, SPLIT, LIKELIHOOD, IMPUTE = range(7)
