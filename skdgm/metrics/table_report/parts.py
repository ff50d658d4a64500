"""Scores of the report on synthetic rows, and their summary."""

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.utils import Bunch

from skdgm.metrics.table_report import closest as gower
from skdgm.metrics.table_report.encodings import coded
from skdgm.metrics.table_report.fidelity import column_shapes, coverage, pair_trends
from skdgm.metrics.two_sample import tell_apart

_LEVELS = 0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0
# Maximum error of a correct guess of a number, in standard deviations.
_TOLERANCE = 0.1


def drawn(columns, sizes, rng):
    """Columns of random rows; ``sizes`` are the numbers of rows of each table."""
    rows = [
        rng.permutation(len(part))[:size] for part, size in zip(columns[0].parts, sizes)
    ]
    return [column.take(rows) for column in columns]


def fidelity(columns, scores):
    """Tables of columns and of pairs; adds their means to ``scores``."""
    shapes, pairs = column_shapes(columns), pair_trends(columns)
    table = {"column": shapes["column"], "kind": [column.kind for column in columns]}
    table |= {"metric": shapes["metric"], "score": shapes["score"]}
    table["coverage"] = [coverage(column) for column in columns]
    for place, name in enumerate(("missing_real", "missing_synthetic")):
        missing = (np.isnan(column.parts[place]).mean() for column in columns)
        table[name] = [float(share) for share in missing]
    counted = np.array(pairs["score"])[np.array(pairs["counted"], bool)]
    means = _mean(shapes["score"]), _mean(counted)
    scores["quality"] = _mean(means)
    scores["shapes"], scores["trends"] = means
    scores["trends_of_all"] = _mean(pairs["score"])
    scores["coverage_of_columns"] = _mean(table["coverage"])
    return table, pairs


def _mean(values):
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else np.nan


def two_samples(columns, max_rows, rng):
    """Two-sample test of held-out rows, or else real rows, against synthetic rows."""
    pairs_of_parts = [
        column.of((len(column.parts) - 1 if len(column.parts) > 2 else 0, 1))
        for column in columns
    ]
    n = min([max_rows, *map(len, pairs_of_parts[0].parts)])
    (X, Y), discrete = coded(drawn(pairs_of_parts, [n, n], rng))
    seed = rng.randint(2**31 - 1)
    options = {"categorical_features": discrete, "random_state": seed}
    result = tell_apart(X, Y, HistGradientBoostingClassifier(**options), None, rng)
    return result._asdict()


def closeness(columns, max_rows, confidence, rng):
    """Figures of the closest rows, and quantiles of distances."""
    sizes = [len(part) for part in columns[0].parts]
    n = min([max_rows, sizes[0], *sizes[2:]])
    subsample = drawn(columns, [n, min(max_rows, sizes[1]), n], rng)
    subsample = [column.of(range(len(sizes))) for column in subsample]
    interval, distances = gower.closest_records(subsample, confidence)
    numbers = gower.row_numbers(columns)
    copies = [np.isin(table_numbers, numbers[0]) for table_numbers in numbers[1:]]
    closest = dict(zip(("share", "lower", "upper"), interval))
    closest |= {"n_rows": n, "copies": float(copies[0].mean())}
    closest["held_out_copies"] = float(copies[1].mean()) if copies[1:] else np.nan
    closest["n_copies"] = int(copies[0].sum())
    quantiles = {"level": list(_LEVELS)}
    for name, distance in zip(("train", "held_out"), distances):
        quantiles[name] = np.quantile(distance, _LEVELS).tolist()
    return closest, quantiles


def disclosed(columns, known, sensitive, confidence):
    """Shares of guessed values of training and held-out rows, and their differences."""
    names = "column", "train", "train_lower", "train_upper", "held_out"
    names += "held_out_lower", "held_out_upper", "excess", "excess_lower"
    table = {name: [] for name in (*names, "excess_upper")}
    # With this confidence level, all intervals hold jointly (Bonferroni).
    joint = 1 - (1 - confidence) / len(sensitive)
    for place, guessed in gower.guesses(columns, known, sensitive).items():
        column, shares, sizes = columns[place], [], []
        values = column.parts[0][~np.isnan(column.parts[0])]
        tolerance = 0.0 if column.is_discrete or not len(values) else np.std(values)
        tolerance *= _TOLERANCE
        for truth, guess in zip(column.parts, guessed):
            known_values = ~np.isnan(truth)
            is_right = np.abs(guess - truth)[known_values] <= tolerance
            shares.append(float(is_right.mean()) if len(is_right) else np.nan)
            sizes.append(len(is_right))
        entry = [column.name]
        for share, size in zip(shares, sizes):
            entry += [share, *gower.wilson(share, max(1, size), confidence)]
        entry.append(shares[0] - shares[1])
        entry += gower.excess(shares, [max(1, size) for size in sizes], joint)
        for name, value in zip(table, entry):
            table[name].append(value)
    return table


def as_table(columns, index=None):
    """DataFrame of lists by name, indexed by one of them; a Bunch without pandas."""
    try:
        import pandas as pd
    except ImportError:
        return Bunch(**columns)
    table = pd.DataFrame(columns)
    return table if index is None else table.set_index(index)


def listed(table):
    """Lists of a table by name, including its index if that has a name."""
    if isinstance(table, Bunch):
        return dict(table)
    return table.reset_index(drop=table.index.name is None).to_dict("list")
