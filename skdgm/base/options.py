"""Options of estimators: default, constraint and paragraph of each in one place.

An option is an annotated name in the body of a class, as a field of a dataclass is, and
a paragraph of the class's docstring::

    class Shrunk(NetEstimator):
        \"\"\"Shrunk model.

        Parameters
        ----------
        shrinkage
            Factor by which weights shrink.
        \"\"\"

        n_components: Count = 16
        _: KW_ONLY
        shrinkage: Positive | None = None
        learning_rate = 0.01

The hint is the constraint: ``float`` numbers above 0, or None. Options are inherited
with their paragraphs, and so are fitted attributes, which the section "Attributes"
describes. A plain assignment is another default of an inherited option; an annotation
of its own, another constraint; an entry in the docstring, another paragraph; and
the default ``removed(value)`` takes an option away, with the value that it implies.
Options that a class lacks, but its model reads, are implied by another class,
``class Narrow(Estimator, implied=Wide)``: they have its defaults unless ``ClassVar``
tells others. Positional are the options before ``_: KW_ONLY``, as in dataclasses.

From these follow the constructor, ``_parameter_constraints`` of scikit-learn and the
docstring in full, with types and defaults. Type checkers and editors know the
constructor by PEP 681. A class with a constructor of its own keeps it.
"""

import inspect
import re
import sys
from dataclasses import KW_ONLY
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    ClassVar,
    Final,
    Literal,
    NamedTuple,
    Union,
    dataclass_transform,
    get_args,
    get_origin,
)

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, StrOptions

from skdgm.utils.plain import packed, unpacked

# Numbers within limits, for hints.
Count = Annotated[int, Interval(Integral, 1, None, closed="left")]
CountOrZero = Annotated[int, Interval(Integral, 0, None, closed="left")]
Several = Annotated[int, Interval(Integral, 2, None, closed="left")]
Positive = Annotated[float, Interval(Real, 0, None, closed="neither")]
NotNegative = Annotated[float, Interval(Real, 0, None, closed="left")]
# Between 0 and 1: without both of them, without 1, and with both.
Fraction = Annotated[float, Interval(Real, 0, 1, closed="neither")]
Share = Annotated[float, Interval(Real, 0, 1, closed="left")]
Probability = Annotated[float, Interval(Real, 0, 1, closed="both")]
ArrayLike = Annotated[object, "array-like"]
Verbose = Annotated[int, "verbose"]
RandomState = Annotated[int | np.random.RandomState | None, "random_state"]
Auto = Literal["auto"]

_PLAIN = {bool: "boolean", int: Integral, float: Real, NoneType: None}
_SECTION = re.compile(r"^(\w[\w ]*)\n-{3,}\n", re.MULTILINE)
_ENTRY = re.compile(r"\n(?=\S)")
_CITATION = re.compile(r",?\s*\[(\d+)\]_")
_REFERENCE = re.compile(r"\.\. \[(\d+)\] (.*?)(?=\n\.\. |\Z)", re.DOTALL)


class _Removed(NamedTuple):
    implied: object


def removed(implied: Any = KW_ONLY, *, init: Literal[False] = False) -> Any:
    """Default of an option that is taken away, with the value that it implies; by
    ``init``, type checkers know that it is none of the constructor."""
    return _Removed(implied)


@dataclass_transform(field_specifiers=(removed,))
class Options:
    """Base class of what declares options: estimators, and groups of their options."""

    # Values of options that a class lacks, by name.
    _IMPLIED = {}

    def __init_subclass__(cls, implied=None, **keywords):
        super().__init_subclass__(**keywords)
        if implied is not None:
            options = _options_of(implied).items()
            defaults = {name: own for name, (hint, own) in options if hint is not None}
            cls._IMPLIED = cls._IMPLIED | defaults | implied._IMPLIED
        cls._own_options, cls._own_positional = {}, ()
        by_hand = {kind for kind in cls.__mro__ if vars(kind).get("_own_init")}
        cls._own_init = "__init__" in vars(cls)
        if cls._own_init or by_hand:
            return
        _declare(cls)
        if issubclass(cls, BaseEstimator):
            _construct(cls)
        if isinstance(vars(cls).get("__doc__"), str):
            cls.__doc__ = _Docstring(cls)

    def __getstate__(self):
        # Plain data, which skops keeps.
        return packed(super().__getstate__())

    def __setstate__(self, state):
        state = unpacked(state)
        if hasattr(super(), "__setstate__"):
            super().__setstate__(state)
        else:
            self.__dict__.update(state)


def allowed(hint):
    """Constraints of scikit-learn's that a type hint stands for, as a list; or
    "no_validation", where it says nothing that can be checked."""
    origin = get_origin(hint)
    if origin is Annotated:
        return list(hint.__metadata__)
    if origin is Literal:
        return [StrOptions(set(get_args(hint)))]
    if origin in (Union, UnionType):
        parts = [allowed(part) for part in get_args(hint)]
        free = "no_validation" in parts
        return "no_validation" if free else [own for part in parts for own in part]
    kind = _PLAIN.get(hint, origin or hint)
    known = kind is None or (isinstance(kind, type | str) and kind not in (object, Any))
    return [kind] if known else "no_validation"


def _declare(cls):
    """Collect a class's own options: pairs of hint and default, by name.

    The hint is None where an option is taken away. Defaults leave the class, in whose
    objects they are attributes.
    """
    own, inherited = cls._own_options, _options_of(cls)
    for name, hint in inspect.get_annotations(cls).items():
        hint = _evaluated(hint, cls)
        kinds = hint, get_origin(hint)
        constant = ClassVar in kinds or Final in kinds or name.isupper()
        if hint is KW_ONLY:
            cls._own_positional = tuple(own)
        elif constant and (name in inherited or name in cls._IMPLIED):
            own[name] = None, vars(cls).get(name, KW_ONLY)
        elif not (constant or name.startswith("_")) and name in vars(cls):
            own[name] = hint, vars(cls)[name]
    for name in inherited.keys() & vars(cls).keys() - own.keys():
        if not hasattr(vars(cls)[name], "__get__"):  # A method or property.
            own[name] = inherited[name][0], vars(cls)[name]
    for name, (_, value) in own.items():
        if isinstance(value, _Removed):
            own[name] = None, value.implied
    for name in own.keys() & vars(cls).keys():
        delattr(cls, name)


def _evaluated(hint, cls):
    """Hint of a class; any object where only type checkers know what it is."""
    if not isinstance(hint, str):
        return hint
    try:
        return eval(hint, vars(sys.modules[cls.__module__]), dict(vars(cls)))
    except Exception:
        return object


def _options_of(cls):
    """Options of a class and its bases, positional ones first, then those of a class
    before those of its bases."""
    places, found, first = {}, {}, _positional(cls)
    for place, kind in reversed(list(enumerate(cls.__mro__))):
        for name, option in vars(kind).get("_own_options", {}).items():
            places.setdefault(name, place)
            found[name] = option
    places |= {name: place - len(first) for place, name in enumerate(first)}
    return {name: found[name] for name in sorted(found, key=places.get)}


def _positional(cls):
    """Names of positional options: those of the nearest class that has some."""
    owned = (vars(kind).get("_own_positional") for kind in cls.__mro__)
    return next(filter(None, owned), ())


def _construct(cls):
    """Give a class the constructor and the constraints that its options ask for."""
    found = _options_of(cls)
    options = {name: option for name, option in found.items() if option[0] is not None}
    first = [name for name in _positional(cls) if name in options]
    implied = {
        name: value
        for name, (hint, value) in found.items()
        if hint is None and value is not KW_ONLY
    }
    # Without any of its own, a class leaves those of its other bases in sight.
    if any(cls._IMPLIED.get(name, KW_ONLY) is not implied[name] for name in implied):
        cls._IMPLIED = cls._IMPLIED | implied
    spec = [(name, hint, id(value)) for name, (hint, value) in options.items()], first
    if getattr(cls, "_spec", None) == spec:
        return
    cls._spec = spec
    cls._parameter_constraints = {
        name: allowed(hint) for name, (hint, _) in options.items()
    }
    arguments = [f"{name}=_options[{name!r}][1]" for name in options]
    if len(first) < len(arguments):
        arguments.insert(len(first), "*")
    body = "".join(f"\n    self.{name} = {name}" for name in options) or " pass"
    made = {"_options": options}
    exec(f"def __init__(self, {', '.join(arguments)}):{body}", made)
    cls.__init__ = made["__init__"]
    cls.__init__.__module__ = cls.__module__
    cls.__init__.__qualname__ = f"{cls.__qualname__}.__init__"


class _Docstring:
    """Docstring of a class, with its options' types and defaults, and with what its
    bases say of options and attributes, without citations of references that it does
    not have; put together when it is first read."""

    def __init__(self, cls):
        self.cls, self.own, self.whole = cls, cls.__doc__, None

    def __get__(self, instance, owner):
        if self.whole is None:
            head, sections = self.sections()
            both = {"Parameters": self._parameters(), "Attributes": self._attributes()}
            sections = {name: "\n".join(entries) for name, entries in both.items()} | {
                name: text for name, text in sections.items() if name not in both
            }
            self.whole = head + "".join(
                f"\n\n{name}\n{'-' * len(name)}\n{text.rstrip()}"
                for name, text in sections.items()
                if text
            )
        return self.whole

    def sections(self):
        """What the class itself says: the beginning, and sections by name."""
        parts = _SECTION.split(inspect.cleandoc(self.own))
        return parts[0].rstrip(), dict(zip(parts[1::2], parts[2::2]))

    def references(self):
        """References by their numbers."""
        text = self.sections()[1].get("References", "").strip()
        return dict(_REFERENCE.findall(text))

    def entries(self, section):
        """Entries of a section, as tuples of names, type and paragraph."""
        text = self.sections()[1].get(section, "").strip()
        for entry in _ENTRY.split(text) if text else ():
            head, _, body = re.sub(r"\\\n +", "", entry).partition("\n")
            names, _, kind = head.partition(" : ")
            yield tuple(re.split(", +", names)), kind.strip(), body

    def _nearest(self, section):
        """What the nearest class says of each name, by name."""
        found = {}
        for kind in self.cls.__mro__:
            doc = vars(kind).get("__doc__")
            for entry in doc.entries(section) if isinstance(doc, _Docstring) else ():
                entry = *entry[:2], self._cited(entry[2], doc.references())
                for name in entry[0]:
                    found.setdefault(name, entry)
        return found

    def _cited(self, paragraph, theirs):
        """Paragraph without citations of other references than the class's own."""
        own = self.references().items()
        shared = {number for number, text in own if theirs.get(number, text) == text}
        return _CITATION.sub(lambda m: m[0] * (m[1] in shared), paragraph)

    def _parameters(self):
        options = {k: v for k, v in _options_of(self.cls).items() if v[0] is not None}
        found, done = self._nearest("Parameters"), set()
        for name in options:
            if name in done or name not in found:
                continue
            entry = names, kind, body = found[name]
            names = [one for one in names if one in options and found[one] is entry]
            done.update(names)
            hints, defaults = zip(*(options[one] for one in names))
            if "default=" not in kind:
                shown = ", ".join(map(_shown, dict.fromkeys(defaults)))
                kind = f"{kind or worded(hints[0])}, default={shown}"
            yield f"{', '.join(names)} : {kind}\n{body}".rstrip()

    def _attributes(self):
        for name, (names, kind, body) in self._nearest("Attributes").items():
            if name == names[0]:
                yield f"{', '.join(names)} : {kind}\n{body}".rstrip()


def worded(hint):
    """Words of numpydoc for a type hint."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return worded(args[0])
    if origin is Literal:
        words = ", ".join(map(_shown, args))
        return f"{{{words}}}" if len(args) > 1 else words
    if origin in (Union, UnionType):
        *words, last = dict.fromkeys(map(worded, args))
        return f"{', '.join(words)} or {last}" if words else last
    return "None" if hint is NoneType else hint.__name__


def _shown(value):
    return f'"{value}"' if isinstance(value, str) else repr(value)
