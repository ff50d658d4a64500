"""Options of estimators: default, constraint and documentation in one place.

An option is an annotated name in the body of a class, like a field of a dataclass, and
a paragraph of the docstring of the class::

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

The type hint is the constraint: numbers above 0, or None. Subclasses inherit options
with their paragraphs, and fitted attributes with their paragraphs in the section
"Attributes". A subclass may override each part of an inherited option: a plain
assignment sets the default, an annotation the constraint, and an entry in the docstring
the paragraph. Options before ``_: KW_ONLY`` are positional, as in dataclasses.

An option may have details, such as the momentum of ``solver``. Details are not
arguments of the constructor, but of an :class:`~skdgm.base.groups.OptionGroup`, which
the option accepts in place of a string. Models read details by their own names, like
options. A class declares the constraint and default of a detail by an annotated
assignment, ``momentum: Share = within("solver", 0.9)``. Details that several classes
share are fields of a :class:`Details` in the type hint of the option. A :class:`Doc` in
the hint is the paragraph of the option::

    class Steps(Details):
        momentum: Share = 0.9

    Optimizer = Annotated[Literal["sgd"] | SGD, Steps, Doc("Optimizer of the net.")]

    class Shrunk(Estimator):
        solver: Optimizer = "sgd"
        momentum = 0.5

A class that declares an option with ``Details`` has these details of the option and no
others. ``flat(default=value)`` turns an inherited detail into an argument.

The declarations determine the constructor, scikit-learn's ``_parameter_constraints``
and the complete docstring, with types and defaults. Type checkers and editors derive
the constructor by PEP 681. A class that defines ``__init__`` keeps it.
"""

import inspect
import re
import sys
import textwrap
from dataclasses import KW_ONLY
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
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

from skdgm.base.keywords import InitSignature, check_keywords
from skdgm.exceptions import OlderFileError
from skdgm.utils.plain import packed, unpacked

# Types of numbers with limits, for hints.
Count = Annotated[int, Interval(Integral, 1, None, closed="left")]
CountOrZero = Annotated[int, Interval(Integral, 0, None, closed="left")]
Several = Annotated[int, Interval(Integral, 2, None, closed="left")]
Positive = Annotated[float, Interval(Real, 0, None, closed="neither")]
NotNegative = Annotated[float, Interval(Real, 0, None, closed="left")]
# Between 0 and 1: excluding both, excluding 1, including both.
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


class Details:
    """Base class of the details of an option, to be listed in its type hint. Fields
    have constraints and defaults, as in :class:`Options`."""


class Doc(NamedTuple):
    """Paragraph on an option, to be listed in its type hint.

    Parameters
    ----------
    text : str
    kind : str
        Type in words, if it differs from the type hint.
    """

    text: str
    kind: str = ""


class _Within(NamedTuple):
    group: str | None
    default: object


def within(group: str, default: Any, *, init: Literal[False] = False) -> Any:
    """Default of a detail of the option ``group``; ``init`` tells type checkers that
    the constructor does not take it."""
    return _Within(group, default)


def flat(*, default: Any) -> Any:
    """Default of an option that is a detail in a base class."""
    return _Within(None, default)


class Option(NamedTuple):
    """Option of a class.

    Parameters
    ----------
    hint : type hint or None
        None if the class does not have this detail.
    default : object
    group : str or None
        Name of the option that has this detail; None for an option.
    """

    hint: object
    default: object
    group: str | None = None

    @property
    def is_argument(self):
        """True if the constructor takes the option."""
        return self.hint is not None and self.group is None


@dataclass_transform(field_specifiers=(within, flat))
class Options:
    """Base class of classes that declare options: estimators and groups."""

    # Details, by name.
    _DETAILS = {}
    __signature__ = InitSignature()

    if not TYPE_CHECKING:

        def __new__(cls, *args, **keywords):
            check_keywords(cls, keywords)
            return super().__new__(cls)

    def __init_subclass__(cls, **keywords):
        super().__init_subclass__(**keywords)
        cls._own_options, cls._own_positional, cls._own_docs = {}, (), {}
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
        # Plain data, which skops can save.
        return packed(super().__getstate__())

    def __setstate__(self, state):
        state = unpacked(state)
        if moved := self._DETAILS.keys() & state.keys():
            raise OlderFileError(
                f"The {type(self).__name__} is of an earlier version of skdgm, in "
                f"which {sorted(moved)} were separate options: fit it again."
            )
        if hasattr(super(), "__setstate__"):
            super().__setstate__(state)
        else:
            self.__dict__.update(state)


def allowed(hint):
    """List of scikit-learn's constraints for a type hint, or "no_validation" if nothing
    can be checked."""
    origin = get_origin(hint)
    if origin is Annotated:
        return list(hint.__metadata__)
    if origin is Literal:
        return [StrOptions(set(get_args(hint)))]
    if origin in (Union, UnionType):
        parts = [allowed(part) for part in get_args(hint)]
        free = "no_validation" in parts
        return "no_validation" if free else [rule for part in parts for rule in part]
    kind = _PLAIN.get(hint, origin or hint)
    known = kind is None or (isinstance(kind, type | str) and kind not in (object, Any))
    return [kind] if known else "no_validation"


def _declare(cls):
    """Collect the options that a class declares, by name.

    Remove their defaults from the class, because options are attributes of instances.
    """
    declared, inherited, stated = cls._own_options, _options_of(cls), set()
    for name, hint in inspect.get_annotations(cls).items():
        hint, details, doc = _parts_of(_evaluated(hint, cls))
        if doc:
            cls._own_docs[name] = doc
        if details:
            removed = [n for n, option in inherited.items() if option.group == name]
            declared |= dict.fromkeys(removed, Option(None, KW_ONLY))
            declared |= {
                detail: Option(detail_hint, default, group=name)
                for detail, (detail_hint, default) in details.items()
            }
        kinds = hint, get_origin(hint)
        constant = ClassVar in kinds or Final in kinds or name.isupper()
        if hint is KW_ONLY:
            cls._own_positional = tuple(declared)
        elif not (constant or name.startswith("_")) and name in vars(cls):
            earlier = (inherited | declared).get(name)
            declared[name] = Option(hint, vars(cls)[name], earlier and earlier.group)
            stated.add(name)
    for name in (inherited.keys() | declared.keys()) & vars(cls).keys() - stated:
        if not hasattr(vars(cls)[name], "__get__"):  # A method or property.
            declared[name] = (inherited | declared)[name]._replace(
                default=vars(cls)[name]
            )
    for name, option in declared.items():
        if isinstance(option.default, _Within):
            group, default = option.default
            declared[name] = option._replace(default=default, group=group)
    for name in declared.keys() & vars(cls).keys():
        delattr(cls, name)


def _parts_of(hint):
    """Hint without details and documentation; a dict of the hint and default of each
    detail; and the Doc, or None."""
    if get_origin(hint) is not Annotated:
        return hint, {}, None
    kind, *parts = get_args(hint)
    docs = [part for part in parts if isinstance(part, Doc)]
    groups = [part for part in parts if _is_class(part, Details)]
    rest = tuple(part for part in parts if part not in (*docs, *groups))
    details = {
        name: (_evaluated(annotation, base), getattr(group, name))
        for group in groups
        for base in reversed(group.__mro__)
        for name, annotation in inspect.get_annotations(base).items()
    }
    hint = Annotated[kind, *rest] if rest else kind
    return hint, details, docs[-1] if docs else None


def _is_class(candidate, base):
    return isinstance(candidate, type) and issubclass(candidate, base)


def _evaluated(hint, cls):
    """Evaluate a hint of a class; ``object`` if only type checkers can evaluate it."""
    if not isinstance(hint, str):
        return hint
    try:
        return eval(hint, vars(sys.modules[cls.__module__]), dict(vars(cls)))
    except Exception:
        return object


def _options_of(cls):
    """Options of a class and its bases: positional options first, then those of the
    class, then those of its bases."""
    places, options, first = {}, {}, _positional(cls)
    for place, kind in reversed(list(enumerate(cls.__mro__))):
        for name, option in vars(kind).get("_own_options", {}).items():
            places.setdefault(name, place)
            options[name] = option
    places |= {name: place - len(first) for place, name in enumerate(first)}
    return {name: options[name] for name in sorted(options, key=places.get)}


def declared_by(cls):
    """Options and details that a class itself declares, by name."""
    return dict(cls._own_options)


def default_of(cls, name):
    """Default of an option of a class."""
    return _options_of(cls)[name].default


def _arguments(options):
    """Options that the constructor takes, by name. Hints omit groups that have none of
    the details of the class."""
    arguments, details = {}, {}
    for name, option in options.items():
        details.setdefault(option.group, {})[name] = option
    for name, option in options.items():
        fields, kinds = details.get(name, {}), groups_in(option.hint)
        useless = [k for k in kinds if not k.by_field(fields)]
        if useless:
            useful = tuple(k for k in get_args(option.hint) if k not in useless)
            option = option._replace(hint=Union[useful])  # noqa: UP007
        if option.is_argument:
            arguments[name] = option
    return arguments


def _positional(cls):
    """Names of positional options: those of the nearest class that declares some."""
    tuples = (vars(kind).get("_own_positional") for kind in cls.__mro__)
    return next(filter(None, tuples), ())


def _construct(cls):
    """Add the constructor and the constraints that follow from the options of a
    class."""
    declared = _options_of(cls)
    options = _arguments(declared)
    first = [name for name in _positional(cls) if name in options]
    cls._DETAILS = {name: o for name, o in declared.items() if o.group in options}
    spec = (
        [(name, hint, id(value)) for name, (hint, value, _) in options.items()],
        first,
    )
    # A group needs its own constructor, whose errors name the group.
    if getattr(cls, "_spec", None) == spec and not hasattr(cls, "FLAT_NAMES"):
        return
    cls._spec = spec
    cls._parameter_constraints = {
        name: allowed(option.hint) for name, option in options.items()
    }
    arguments = [f"{name}=_options[{name!r}].default" for name in options]
    if len(first) < len(arguments):
        arguments.insert(len(first), "*")
    body = "".join(f"\n    self.{name} = {name}" for name in options) or " pass"
    namespace = {"_options": options}
    exec(f"def __init__(self, {', '.join(arguments)}):{body}", namespace)
    cls.__init__ = namespace["__init__"]
    cls.__init__.__module__ = cls.__module__
    cls.__init__.__qualname__ = f"{cls.__qualname__}.__init__"


class _Docstring:
    """Docstring of a class, completed at first access: types and defaults of options,
    and entries on options and attributes from its bases. Inherited citations are
    omitted if the class lacks the reference."""

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
        """Beginning of the docstring of the class itself, and sections by name."""
        parts = _SECTION.split(inspect.cleandoc(self.own))
        return parts[0].rstrip(), dict(zip(parts[1::2], parts[2::2]))

    def references(self):
        """References by their numbers."""
        text = self.sections()[1].get("References", "").strip()
        return dict(_REFERENCE.findall(text))

    def entries(self, section):
        """Yield the entries of a section, as tuples of names, type and paragraph."""
        text = self.sections()[1].get(section, "").strip()
        for entry in _ENTRY.split(text) if text else ():
            head, _, body = re.sub(r"\\\n +", "", entry).partition("\n")
            names, _, kind = head.partition(" : ")
            yield tuple(re.split(", +", names)), kind.strip(), body

    def _nearest(self, section):
        """Entry of the nearest class for each name."""
        nearest = {}
        for kind in self.cls.__mro__:
            doc = vars(kind).get("__doc__")
            for entry in doc.entries(section) if isinstance(doc, _Docstring) else ():
                entry = *entry[:2], self._cited(entry[2], doc.references())
                for name in entry[0]:
                    nearest.setdefault(name, entry)
            shared = vars(kind).get("_own_docs", {}) if section == "Parameters" else {}
            for name, (text, words) in shared.items():
                body = textwrap.indent(inspect.cleandoc(text), "    ")
                nearest.setdefault(name, ((name,), words, body))
        return nearest

    def _cited(self, paragraph, theirs):
        """Paragraph without citations of references that the class does not have."""
        refs = self.references().items()
        shared = {number for number, text in refs if theirs.get(number, text) == text}
        return _CITATION.sub(lambda m: m[0] * (m[1] in shared), paragraph)

    def _parameters(self):
        declared, done = _options_of(self.cls), set()
        options = _arguments(declared)
        nearest = self._nearest("Parameters")
        for name in options:
            if name in done or name not in nearest:
                continue
            entry = names, kind, body = nearest[name]
            names = [n for n in names if n in options and nearest[n] is entry]
            done.update(names)
            hints, defaults, _ = zip(*(options[n] for n in names))
            if "default=" not in kind:
                shown = ", ".join(map(_shown, dict.fromkeys(defaults)))
                kind = f"{kind or worded(hints[0])}, default={shown}"
            text = f"{', '.join(names)} : {kind}\n{body}".rstrip()
            details = _details_in_words(name, declared, options[name].hint)
            # A list ends with a blank line.
            is_list = bool(details) and "\n\n    - " in text
            yield text + "\n" * is_list + details

    def _attributes(self):
        for name, (names, kind, body) in self._nearest("Attributes").items():
            if name == names[0]:
                yield f"{', '.join(names)} : {kind}\n{body}".rstrip()


def _details_in_words(group, options, hint):
    """Lines on the details of an option, with their defaults; "" if it has none."""
    kinds, defaults = groups_in(hint), {}
    for name, option in options.items():
        for kind in kinds if option.group == group else ():
            defaults |= kind.by_field({name: f"={_shown(option.default)}``"})
    if not defaults:
        return ""
    fields = [field for kind in kinds for field in kind._parameter_constraints]
    fields = sorted(defaults, key=fields.index)
    defaults = ", ".join(f"``{field}{defaults[field]}" for field in fields)
    takers = [f":class:`~skdgm.options.{kind.__name__}`" for kind in kinds]
    takers = " or ".join(filter(None, (", ".join(takers[:-1]), takers[-1])))
    text = f"Details are those of {takers}; by default {defaults}."
    lines = textwrap.wrap(text, 84, break_on_hyphens=False, break_long_words=False)
    return "\n" + textwrap.indent("\n".join(lines), "    ")


def groups_in(hint):
    """Classes of groups that a type hint allows."""
    return [kind for kind in get_args(hint) if hasattr(kind, "FLAT_NAMES")]


def worded(hint):
    """Type in numpydoc's words for a type hint."""
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
