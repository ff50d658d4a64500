"""Machines whose hidden units set covariances of real columns."""
