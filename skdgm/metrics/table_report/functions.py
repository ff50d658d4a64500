"""Functions between columns of a real table that synthetic rows break."""

import numpy as np

from skdgm.utils import relations


def functions(columns, scores):
    """Shares of synthetic and of held-out rows that break each function: a dict of
    lists "function", "broken" and "held_out". Adds the share of synthetic rows that
    break any of the functions to ``scores``."""
    parts = list(zip(*(column.parts for column in columns)))
    numbers = {"numerical": True, "datetime": "time"}
    kinds = [numbers.get(column.kind, False) for column in columns]
    names = [column.name for column in columns]
    table = {"function": [], "broken": [], "held_out": []}
    any_broken = np.zeros(len(parts[1][0]), bool)
    for relation in relations.find(parts[0], kinds):
        masks = [relations.broken(relation, parts[0], rows) for rows in parts[1:]]
        any_broken |= masks[0]
        table["function"].append(relations.described(relation, names))
        table["broken"].append(float(masks[0].mean()))
        table["held_out"].append(float(masks[1].mean()) if masks[1:] else np.nan)
    scores["broken_functions"] = float(any_broken.mean())
    return table
