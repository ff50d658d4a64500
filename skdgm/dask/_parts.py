"""Division of Dask collections and arrays into shards."""

from itertools import accumulate, pairwise

import numpy as np

from skdgm.data.sequences import as_one_table, by_row, of_sequences


def shards_of(client, X, y, sample_weight, n_shards):
    """Delayed parts of X, and arrays of y and weights, of each shard. Lost parts can be
    computed again."""
    parts, lengths = _parts(X, n_shards)
    if lengths is None:
        lengths = client.gather(client.compute(X.map_partitions(len)))
    lengths = [int(n) for n in lengths]
    nonempty = [k for k, n in enumerate(lengths) if n]
    n_shards = len(nonempty) if n_shards is None else int(n_shards)
    if n_shards > len(nonempty):
        raise ValueError(
            f"n_shards={n_shards}, but X has {len(nonempty)} partitions with rows: "
            "repartition it, or ask for fewer."
        )
    starts, arrays = [0, *accumulate(lengths)], []
    for name, values in (("y", y), ("sample_weight", sample_weight)):
        values = None if values is None else np.asarray(values)
        if values is not None and len(values) != starts[-1]:
            raise ValueError(
                f"{name} has {len(values)} rows, but X has {starts[-1]}: inconsistent "
                "numbers of samples."
            )
        arrays.append(values)
    shards = []
    for group in np.array_split(nonempty, n_shards):
        indices = [np.arange(starts[k], starts[k + 1]) for k in group]
        rows = np.concatenate(indices)
        values_of_rows = (None if values is None else values[rows] for values in arrays)
        shards.append(([parts[k] for k in group], *values_of_rows))
    return _with_weight(shards)


def shards_of_sequences(client, series, sample_weight, n_shards, length):
    """Delayed parts with whole sequences, their lengths, and weights of their rows, of
    each shard, given a :class:`~skdgm.base.series.Series`; ``length`` is that of all
    sequences, or None."""
    import dask

    X, given_lengths, groups = series
    parts, ends, collected = None, None, hasattr(X, "to_delayed")
    if collected:
        parts, n_rows = _parts(X, None)
        if n_rows is None:
            n_rows = client.gather(client.compute(X.map_partitions(len)))
        ends = np.cumsum([int(n) for n in n_rows])
        # Only the number of rows matters for dividing them into sequences.
        rows = np.broadcast_to(np.float32(0), (int(ends[-1]), 1))
        _, lengths = as_one_table(rows, given_lengths, groups, length)
    else:
        X, lengths = as_one_table(X, given_lengths, groups, length)
    edges = np.append(0, np.cumsum(lengths))
    # Shards begin with a sequence and with a partition.
    bounds = np.arange(len(edges))
    if collected:
        bounds = np.append(0, np.flatnonzero(np.isin(edges[1:], ends)) + 1)
    n = min(8, len(bounds) - 1) if n_shards is None else int(n_shards)
    if n > len(bounds) - 1:
        raise ValueError(
            f"n_shards={n}, but there are {len(bounds) - 1} sequences that end where "
            "a partition of X does, and shards have whole ones: divide X at ends of "
            "sequences, or ask for fewer."
        )
    weight = by_row(sample_weight, lengths)
    weight = None if weight is None else np.asarray(weight)
    if weight is not None and len(weight) != edges[-1]:
        of_sequences(weight, lengths)  # Raises the error.
    shards = []
    for intervals in np.array_split(np.arange(len(bounds) - 1), n):
        begin, end = bounds[intervals[0]], bounds[intervals[-1] + 1]
        rows = slice(edges[begin], edges[end])
        if collected:
            inside = (ends > rows.start) & (ends <= rows.stop)
            parts_of_rows = [parts[k] for k in np.flatnonzero(inside)]
        else:
            parts_of_rows = [dask.delayed(getattr(X, "iloc", X)[rows])]
        weight_of_rows = None if weight is None else weight[rows]
        shards.append((parts_of_rows, lengths[begin:end], weight_of_rows))
    return _with_weight(shards)


def _with_weight(shards):
    """Merge each shard whose weights are all 0 with the previous shard, or with the
    next one if it is the first."""
    merged = []
    for shard in shards:
        weight_before = merged[-1][-1] if merged else None
        empty = any(
            weight is not None and not np.any(weight)
            for weight in (weight_before, shard[-1])
        )
        if merged and empty:
            parts, *arrays = zip(merged.pop(), shard)
            arrays = (None if a is None else np.concatenate([a, b]) for a, b in arrays)
            shard = parts[0] + parts[1], *arrays
        merged.append(shard)
    return merged


def _parts(X, n_shards):
    """Delayed parts of X, and their numbers of rows, or None if these are unknown."""
    import dask
    import dask.array as da

    if hasattr(X, "npartitions") and hasattr(X, "map_partitions"):
        return X.to_delayed(), None
    if isinstance(X, da.Array):
        if np.isnan(X.shape).any():
            raise ValueError(
                "X has chunks of unknown sizes: call X.compute_chunk_sizes() before."
            )
        if X.ndim != 2:
            raise ValueError(f"Expected 2D array, got one of {X.ndim} dimensions.")
        X = X.rechunk({1: -1})
        return X.to_delayed().ravel().tolist(), X.chunks[0]
    if not hasattr(X, "iloc"):
        X = np.asarray(X)
    n_rows = len(X) if np.ndim(X) == 2 else 0
    if not n_rows:
        raise ValueError("X must be a table with at least one row.")
    edges = np.linspace(0, n_rows, min(n_rows, n_shards or 8) + 1).astype(int)
    take = X.iloc.__getitem__ if hasattr(X, "iloc") else X.__getitem__
    parts = [take(slice(start, stop)) for start, stop in pairwise(edges)]
    return [dask.delayed(part) for part in parts], np.diff(edges)
