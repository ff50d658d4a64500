"""Forms of every estimator, generated, and what all of its public methods return.

A form is an estimator with one option at another value than its default, on rows of a
kind that suits it, learned in one of several ways: see tests/test_wide_records.py.
Options, values and methods are read from the classes.
"""

import importlib
import inspect
import re
import tempfile
import warnings
import zlib
from numbers import Integral, Real
from pathlib import Path
from typing import Literal, Union, get_args, get_origin, get_type_hints
from unittest import mock

import numpy as np
import pandas as pd
from scipy import sparse, stats
from sklearn.base import is_classifier
from sklearn.utils import get_tags
from sklearn.utils._param_validation import Interval, StrOptions, make_constraint

import skdgm
from skdgm.base.options import Options
from skdgm.constraints import Inequality, Range
from skdgm.partition import bracket
from skdgm.registry import ESTIMATORS
from tests.test_records import LABELS, NUMBERS, ROWS, WEIGHT, _quick

# What no other value of can be recorded.
LEFT_OUT = "verbose", "random_state", "n_jobs"
# Methods that another part of a record calls, or that take minutes.
NOT_CALLED = "fit", "partial_fit", "fit_transform", "fit_predict", "resized"
NOT_CALLED += ("predictability",)
WAYS = "fit", "weights", "partial", "again", "sparse", "file"
LENGTHS, FEW = [9, 7, 8], 4
# Of each class: kinds of rows for its root, changes, and kinds of rows for each change.
N_ROOTS, N_CHANGES, N_NUMBERS, N_TRIED = 4, 24, 6, 5
MOST = {"n_iter": 2, "batch_size": 8}


def simulate(theta, rng):
    return rng.normal(theta[0], 1 + theta[1], size=(5, 1))


def moments(X):
    return X.mean(), X.std()


def small(estimator):
    """Few units, draws and epochs, wherever there are more by default."""
    for name, value in estimator.get_params().items():
        most = MOST.get(re.sub(".*__|^pretrain_|^refine_", "", name), 5)
        if isinstance(value, bool | np.bool_):
            continue
        if isinstance(value, int) and value > most:
            estimator.set_params(**{name: most})
        elif isinstance(value, tuple) and all(isinstance(own, int) for own in value):
            estimator.set_params(**{name: tuple(min(own, most) for own in value)})
        elif value == "auto" and name.endswith("n_iter"):
            estimator.set_params(**{name: most})
        elif name == "random_state":
            estimator.set_params(**{name: 0})
    return estimator


def root(name):
    """The estimator of a class that its forms vary."""
    home = importlib.import_module(f"skdgm.{ESTIMATORS[name]}")
    estimator = small(getattr(home, name)())
    net = small(skdgm.FVBN())
    if name == "ABC":
        priors = [stats.norm(), stats.uniform()]
        estimator.set_params(simulator=simulate, priors=priors, summary=moments)
        estimator.set_params(n_particles=20, n_simulations=100)
    elif name == "DBMClassifier":
        estimator.set_params(dbm=small(skdgm.DBM()))
    elif name == "ConstrainedTable":
        rules = Range("a", -9), Inequality("bit", "a")
        estimator.set_params(estimator=net, constraints=rules)
    elif name in ("DensityOutlierDetector", "GenerativeImputer"):
        estimator.set_params(estimator=net)
    elif name == "SelfSupervisedBoosting":
        estimator.set_params(estimator=net, n_particles=50)
    return estimator


def changes(estimator, prefix=""):
    """Pairs of an option and another value than its own, by how they are written."""
    found = {}
    constraints = type(estimator)._parameter_constraints
    for name, own in estimator.get_params(deep=False).items():
        if name in LEFT_OUT:
            continue
        kinds = constraints.get(name, [])
        full = prefix + name
        for value in _values(kinds if isinstance(kinds, list) else [], own):
            found[f"{full}={value!r}"] = full, value
        groups = [kind for kind in kinds if _is_group(kind)]
        for kind in groups:
            if not isinstance(own, kind):
                found[f"{full}={kind.__name__}()"] = full, small(kind())
                for text, (inner, value) in changes(small(kind())).items():
                    other = small(kind()).set_params(**{inner: value})
                    found[f"{full}={kind.__name__}({text})"] = full, other
        if isinstance(own, Options) and not hasattr(own, "fit"):
            found |= changes(own, f"{full}__")
    return found


def _is_group(kind):
    is_class = isinstance(kind, type) and issubclass(kind, Options)
    return is_class and not hasattr(kind, "fit")


def _values(kinds, own):
    """Other values of an option, in an order that is always the same."""
    found, rules = [], [make_constraint(kind) for kind in kinds]
    for kind in kinds:
        if isinstance(kind, StrOptions):
            found += sorted(kind.options)
        elif kind == "boolean":
            found += [False, True]
        elif kind is None:
            found.append(None)
        elif isinstance(kind, Interval):
            found += _numbers_in(kind, own)
        elif kind is tuple and isinstance(own, tuple) and own:
            found.append((*own, own[-1]))
        elif kind is tuple and isinstance(own, Real) and not isinstance(own, bool):
            found.append((own, own + 1 if isinstance(own, Integral) else own / 2))
    texts = {}
    for value in found:
        if value == "auto" and isinstance(own, int):
            # A number of epochs or units that takes long.
            continue
        if repr(value) != repr(own) and any(
            rule.is_satisfied_by(value) for rule in rules
        ):
            texts[repr(value)] = value
    return list(texts.values())


def _numbers_in(kind, own):
    number = isinstance(own, Real) and not isinstance(own, bool)
    if issubclass(kind.type, Integral) or kind.type is int:
        tried = [own + 1, own - 1] if isinstance(own, Integral) and number else [2, 1]
    else:
        tried = [own * 1.5, own / 2] if number and own else []
        tried += [0.3, 1.5]
    fits = make_constraint(kind).is_satisfied_by
    return [value for value in tried if fits(value)][:1]


def rows_of(text):
    """Rows and attributes of a form: "real", "frame complete labels"."""
    kind, *how = text.split()
    X = ROWS[kind]
    if "complete" in how:
        filled = pd.DataFrame(X).ffill().bfill()
        X = filled if isinstance(X, pd.DataFrame) else filled.to_numpy()
    y = {"labels": LABELS, "numbers": NUMBERS, "number": NUMBERS[:, 0]}
    return X, next((y[name] for name in how if name in y), None)


def kinds_of_rows(estimator, needs_y=False):
    """Texts for rows_of that an estimator may be learned from, most suitable first."""
    required = get_tags(estimator).target_tags.required
    if is_classifier(estimator):
        targets = [" labels"]
    elif required or needs_y:
        targets = [" numbers", " labels", " number"]
    else:
        targets = [""]
    holes = [kind + end for kind in ROWS for end in ("", " complete")]
    return [kind + y for y in targets for kind in holes]


class Form:
    """One estimator to record: class, rows, way of learning, and changed options."""

    def __init__(self, text):
        self.text = text
        self.name, self.rows, self.way, *self.changed = text.split(" | ")

    def estimator(self):
        made = root(self.name)
        for text in self.changed:
            option, value = changes(made)[text]
            made.set_params(**{option: value})
        return made

    def fitted(self):
        estimator, (X, y) = self.estimator(), rows_of(self.rows)
        if self.way == "sparse":
            X = sparse.csr_array(X.astype(float))
        given = {} if y is None else {"y": y}
        if hasattr(estimator, "sequence_length"):
            given["lengths"] = LENGTHS
        if self.way == "weights":
            given["sample_weight"] = WEIGHT
        if self.way == "partial":
            if "classes" in inspect.signature(estimator.partial_fit).parameters:
                given["classes"] = np.unique(y)
            for _ in range(2):
                estimator.partial_fit(X, **given)
            return estimator
        estimator.fit(X, **given)
        if self.way == "again":
            estimator.set_params(warm_start=True).fit(X, **given)
        elif self.way == "file":
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "model.skdgm"
                skdgm.save(estimator, path)
                estimator = skdgm.load(path)
        return estimator

    def record(self):
        """What is learned and returned, by name: two numbers, or the name of an error;
        or an error alone, in words."""
        quick = mock.patch.object(bracket, "estimate", _quick)
        with warnings.catch_warnings(record=True) as heard, quick:
            warnings.simplefilter("always")
            try:
                estimator = self.fitted()
            except Exception as error:
                text = re.sub(
                    r"-?\d[\d.e+-]*|\s+", " ", f"{type(error).__name__}: {error}"
                )
                return text[:80].strip()
            found = {"heard": _heard(heard)}
            found |= _attributes(estimator)
            found |= _returned(estimator, *rows_of(self.rows))
        return {name: _summary(value) for name, value in found.items()}


def _heard(warned):
    names = {warning.category.__name__ for warning in warned}
    return sorted(names - {"ConvergenceWarning", "DeprecationWarning", "FutureWarning"})


def _attributes(estimator):
    names = {*vars(estimator), *dir(type(estimator))}
    found = {}
    for name in sorted(names):
        if name.endswith("_") and not name.startswith("_"):
            try:
                found[name] = getattr(estimator, name)
            except Exception as error:
                found[name] = error
    return found


def _returned(estimator, X, y):
    """Results of all methods, or the error of each."""
    few, found, codes = X[:FEW], {}, None
    for name in sorted(
        dir(type(estimator)), key=lambda name: (name != "transform", name)
    ):
        if name.startswith(("_", "set_", "get_")) or name.endswith("_"):
            continue
        if name in NOT_CALLED:
            continue
        method = getattr(estimator, name, None)
        if not inspect.ismethod(method) and not inspect.isfunction(method):
            continue
        for text, given in _calls(method, few, y, codes).items():
            result = _result(method, given)
            if isinstance(result, ValueError) and pd.isna(few).any(axis=None):
                complete = pd.DataFrame(X).ffill().bfill()[:FEW]
                complete = complete if hasattr(few, "columns") else complete.to_numpy()
                own = {k: complete if v is few else v for k, v in given.items()}
                result = _result(method, own)
            if isinstance(result, AttributeError):
                continue
            found[f"{name}({text})"] = result
            if name == "transform" and getattr(result, "ndim", 0) == 2:
                codes = np.linspace(0.1, 0.9, 3 * result.shape[1]).reshape(3, -1)
    return found


def _result(method, given):
    try:
        return method(**given)
    except Exception as error:
        return error


KNOWN = {"n_samples": 3, "random_state": 0, "n_draws": 4, "n_steps": 3, "burn_in": 1}
KNOWN |= {"thin": 1}


def _calls(method, few, y, codes):
    """Arguments of calls of a method, by a text."""
    asked = inspect.signature(method).parameters
    hints = get_type_hints(method)
    given = {name: value for name, value in KNOWN.items() if name in asked}
    lengths = method.__name__ == "log_partition" and [3, 4]
    others = {"X": few, "v": few, "X_new": few[::-1], "H": codes, "Z": codes}
    others |= {"y": None if y is None else y[: len(few)]}
    is_series = hasattr(method.__self__, "sequence_length")
    if (is_series and "X" in asked and "lengths" in asked) or lengths:
        others["lengths"] = lengths or [FEW - 1, 1]
    for name, value in others.items():
        required = name in asked and asked[name].default is inspect.Parameter.empty
        if name in asked and (value is not None or required):
            given[name] = value
    if method.__name__ == "sample" and asked.get("X") is not None:
        given["X"] = few
    if method.__name__ in ("sample", "generate") and "y" in given and y is not None:
        given["y"] = y[:3]
    found = {"": given}
    for name in asked:
        for value in _literals(hints.get(name)):
            if value != asked[name].default:
                found[f"{name}={value}"] = given | {name: value}
    if "conditions" in asked:
        for text, conditions in _conditions(few).items():
            found[f"conditions={text}"] = given | {"conditions": conditions}
    if "prefix" in asked:
        found["prefix"] = given | {"prefix": few}
    return found


def _literals(hint):
    if hint is bool:
        return [False, True]
    if get_origin(hint) is Literal:
        return get_args(hint)
    if get_origin(hint) is Union:
        return [
            value
            for part in get_args(hint)
            for value in _literals(part)
            if part is not bool
        ]
    supertype = getattr(hint, "__supertype__", None)
    return _literals(supertype) if supertype is not None else []


def _conditions(few):
    column = few.columns[0] if hasattr(few, "columns") else 0
    values = few[column] if hasattr(few, "columns") else few[:, 0]
    values = values[~pd.isna(values)]
    if not len(values):
        return {}
    value = np.asarray(values)[0]
    return {"value": {column: value}, "range": {column: slice(value, None)}}


def _summary(value):
    """A weighted sum of numbers and their norm; or the name of an error."""
    if isinstance(value, Exception):
        return type(value).__name__
    numbers = np.array(list(_flat(value, 3)), dtype=float)
    numbers = np.where(np.isfinite(numbers), numbers, 1e3)
    total = numbers @ np.cos(np.arange(numbers.size))
    return total, float(np.sqrt(numbers @ numbers))


def _flat(value, depth):
    """All numbers in what is returned, and one for each text."""
    if isinstance(value, pd.DataFrame):
        value = [value[name].to_numpy() for name in value]
    elif sparse.issparse(value):
        value = value.toarray()
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
        yield from value.ravel().astype(float)
    elif isinstance(value, dict):
        yield from _flat([*value, *value.values()], depth)
    elif isinstance(value, list | tuple | np.ndarray | set):
        parts = value.ravel() if isinstance(value, np.ndarray) else value
        parts = sorted(parts, key=repr) if isinstance(value, set) else parts
        for part in parts:
            yield from _flat(part, depth)
    elif isinstance(value, Real | np.bool_):
        yield float(value)
    elif isinstance(value, str | pd.Timestamp | type(None) | type(pd.NaT)):
        yield float(zlib.crc32(str(value).encode()) % 97)
    elif depth and hasattr(value, "__dict__") and not hasattr(value, "get_params"):
        public = {k: v for k, v in vars(value).items() if not k.startswith("_")}
        yield from _flat(public, depth - 1)


def found_forms(name):
    """Forms of a class, with their records: of its root on rows of some kinds, and of
    changes, each on rows and by a way of learning that differ from change to change."""
    made, able = root(name), []
    for rows in kinds_of_rows(made):
        form = Form(f"{name} | {rows} | fit")
        record = form.record()
        if not isinstance(record, str):
            able.append(rows)
            if len(able) <= N_ROOTS or rows == "frame":
                yield form, record
    for text in _some(changes(made)):
        start = zlib.crc32(f"{name} {text}".encode())
        kinds = able + kinds_of_rows(made, needs_y=True)[: len(ROWS)]
        tried = [
            f"{name} | {rows} | {WAYS[(start // 64 + number) % len(WAYS)]} | {text}"
            for number, rows in enumerate(kinds[start % max(len(able), 1) :][:N_TRIED])
        ]
        tried += [f"{name} | {rows} | fit | {text}" for rows in kinds[len(able) :]]
        for form in map(Form, tried or [f"{name} | real | fit | {text}"]):
            record = form.record()
            if not isinstance(record, str):
                break
        yield form, record


def wanted(name):
    """Changes of a class that are recorded."""
    return _some(changes(root(name)))


def _some(changes):
    """All words and truth values, and as many numbers as there is room for."""
    numbers = [text for text, (_, value) in changes.items() if _is_number(value)]
    words = [text for text in changes if text not in numbers]
    numbers.sort(key=lambda text: zlib.crc32(text.encode()))
    return words + numbers[: max(N_NUMBERS, N_CHANGES - len(words))]


def _is_number(value):
    return isinstance(value, Real) and not isinstance(value, bool)
