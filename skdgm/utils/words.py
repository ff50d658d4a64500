"""Words of messages."""

# Names that are pronounced letter by letter: "an ndarray".
_SPELLED = "ndarray"


def with_article(noun: str) -> str:
    """Noun with "a" or "an" before it, such as the name of a class."""
    vowel = noun.lstrip("'").lower().startswith((*"aeiou", _SPELLED))
    return f"{'an' if vowel else 'a'} {noun}"
