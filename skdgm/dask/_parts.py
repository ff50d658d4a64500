"""Parts of tables of Dask, and of arrays, as shards."""

from itertools import accumulate, pairwise

import numpy as np

from skdgm.data.sequences import as_one_table, by_row, of_sequences


def shards_of(client, X, y, sample_weight, n_shards):
    """Parts of X, y and weights of each shard; parts are delayed, and can be made again
    where they were lost."""
    parts, lengths = _parts(X, n_shards)
    if lengths is None:
        lengths = client.gather(client.compute(X.map_partitions(len)))
    lengths = [int(n) for n in lengths]
    full = [k for k, n in enumerate(lengths) if n]
    n_shards = len(full) if n_shards is None else int(n_shards)
    if n_shards > len(full):
        raise ValueError(
            f"n_shards={n_shards}, but X has {len(full)} partitions with rows: "
            "repartition it, or ask for fewer."
        )
    starts, given = [0, *accumulate(lengths)], []
    for name, values in (("y", y), ("sample_weight", sample_weight)):
        values = None if values is None else np.asarray(values)
        if values is not None and len(values) != starts[-1]:
            raise ValueError(
                f"{name} has {len(values)} rows, but X has {starts[-1]}: inconsistent "
                "numbers of samples."
            )
        given.append(values)
    found = []
    for group in np.array_split(full, n_shards):
        own = [np.arange(starts[k], starts[k + 1]) for k in group]
        rows = np.concatenate(own)
        more = (None if values is None else values[rows] for values in given)
        found.append(([parts[k] for k in group], *more))
    return found


def shards_of_sequences(client, X, given, sample_weight, n_shards, each):
    """Parts of whole sequences, their lengths and weights of their rows, of each shard;
    ``given`` are lengths and groups, as of a fit."""
    import dask

    parts, ends, collected = None, None, hasattr(X, "to_delayed")
    if collected:
        parts, n_rows = _parts(X, None)
        if n_rows is None:
            n_rows = client.gather(client.compute(X.map_partitions(len)))
        ends = np.cumsum([int(n) for n in n_rows])
        # What tells the sequences apart has no need of the rows.
        rows = np.broadcast_to(np.float32(0), (int(ends[-1]), 1))
        _, lengths = as_one_table(rows, *given, each)
    else:
        X, lengths = as_one_table(X, *given, each)
    edges = np.append(0, np.cumsum(lengths))
    # Where shards may begin: with a sequence, and a partition.
    places = np.arange(len(edges))
    if collected:
        places = np.append(0, np.flatnonzero(np.isin(edges[1:], ends)) + 1)
    n = min(8, len(places) - 1) if n_shards is None else int(n_shards)
    if n > len(places) - 1:
        raise ValueError(
            f"n_shards={n}, but there are {len(places) - 1} sequences that end where "
            "a partition of X does, and shards have whole ones: divide X at ends of "
            "sequences, or ask for fewer."
        )
    weight = by_row(sample_weight, lengths)
    weight = None if weight is None else np.asarray(weight)
    if weight is not None and len(weight) != edges[-1]:
        of_sequences(weight, lengths)  # Which says so.
    found = []
    for own in np.array_split(np.arange(len(places) - 1), n):
        begin, end = places[own[0]], places[own[-1] + 1]
        rows = slice(edges[begin], edges[end])
        if collected:
            inside = (ends > rows.start) & (ends <= rows.stop)
            given = [parts[k] for k in np.flatnonzero(inside)]
        else:
            given = [dask.delayed(getattr(X, "iloc", X)[rows])]
        more = None if weight is None else weight[rows]
        found.append((given, lengths[begin:end], more))
    return found


def _parts(X, n_shards):
    """Delayed parts of X, and their numbers of rows, None if these are not known."""
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
    parts = [take(slice(*ends)) for ends in pairwise(edges)]
    return [dask.delayed(part) for part in parts], np.diff(edges)
