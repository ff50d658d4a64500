"""Errors for unknown names in modules."""

from difflib import get_close_matches


def missing(module, name, names):
    """AttributeError for a name that a module lacks, with the name that is probably
    meant."""
    close = get_close_matches(name, names, n=1, cutoff=0.8)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    text = f"module {module!r} has no attribute {name!r}{hint}"
    # Python itself would add another hint to an error with a name.
    return AttributeError(text)
