"""Columns of counts: of words in documents."""

import numpy as np
from scipy.special import entr

from skdgm.data.columns import ColumnKind, Columns, observed
from skdgm.training import check_finite
from skdgm.utils.domains import count_rows


class CountColumns(ColumnKind):
    """Columns of counts, whose statistics are those of the first fit."""

    tags = {"positive_only": True}

    def rows(self, model, X, **options):
        return count_rows(model, X, **options)

    def learn(self, table, before=None):
        """Learn in the first fit only; later ``before`` is kept."""
        if before is not None:
            return before, table
        seen, total = observed(table, None)
        check_finite(total, total, "columns")
        mean = total / np.maximum(seen, np.finfo(float).tiny)
        return Columns(seen, total, mean), table

    def share(self, columns):
        """Share of each column in the words, smoothed as if each had been counted once
        more."""
        more = columns.mean + 1 / np.maximum(columns.seen, 1.0)
        return more / more.sum()

    def fill(self, columns):
        """Initial values of missing entries: the means."""
        return columns.mean

    def length(self, columns):
        """Mean length of documents."""
        return columns.mean.sum()

    def loss_of_independent(self, columns):
        """Negative log-likelihood of the words of a document of mean length, in nats,
        if each were drawn from the smoothed shares."""
        return self.length(columns) * entr(self.share(columns)).sum()
