"""Trees of JSON for the objects that estimators consist of.

None, booleans, integers, finite floats, strings and lists are encoded as themselves.
Everything else is a JSON object with a key for its kind:

=================================  ====================================================
``{"float": "nan"}``               a float that JSON does not have
``{"scalar": "float32", ...}``     a NumPy scalar, with its ``value``
``{"array": 3}``                   the array in ``arrays/3.npy``, or with ``item`` its
                                   only element
``{"objects": [...], "shape"}``    an array of Python objects, in C order
``{"dtype": "<f8"}``               a NumPy dtype
``{"tuple": [...]}``               a tuple
``{"dict": [[key, value], ...]}``  a dictionary
``{"namespace": {...}}``           a SimpleNamespace
``{"record": tag, "fields"}``      a NamedTuple of skdgm
``{"estimator": tag, "id", ...}``  an estimator of skdgm, with its ``attributes`` and
                                   metadata ``requests``; or a group of options
``{"random_state": {...}, "id"}``  a RandomState
``{"same": 2}``                    the estimator or RandomState with that id
``{"pandas": name, "parts"}``      an Index, a dtype, or a time
``{"time": name, "text"}``         a Python date, time or duration
``{"sparse": name, "parts"}``      a sparse matrix or array of SciPy, by its arrays
=================================  ====================================================
"""

import math
import re
from types import FunctionType, SimpleNamespace

import numpy as np
import scipy.sparse as sp

from skdgm.exceptions import UnsavableError
from skdgm.persistence.types import RECORDS, WITH_PARAMS, name_of, tag_of
from skdgm.utils import pandas_parts as frames

_REALS = "float16", "float32", "float64"
_WHOLE = tuple(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))
# NumPy types of scalars, and the Python types that represent them exactly.
SCALARS = dict.fromkeys(_WHOLE, int) | dict.fromkeys(_REALS, float)
SCALARS |= {"bool": bool, "str": str}
# dtypes of arrays in files: all but objects, records, and text of length 0, which has
# no bytes.
PLAIN = re.compile(r"[<>|=]?(?:[biufcSU][1-9]\d*|[mM]8(?:\[\w+\])?)")
DTYPE = re.compile(rf"{PLAIN.pattern}|[<>|=]?[SU]0|\|?O8?")
# Sparse matrices and arrays, of all formats.
FORMATS = "bsr", "coo", "csc", "csr", "dia", "dok", "lil"
SPARSE = {f"{name}_{kind}" for name in FORMATS for kind in ("array", "matrix")}
# Attributes of which sparse arrays consist; lil and dok are converted first.
_ROWS, _PLACES = ("data", "indices", "indptr"), ("data", "coords")
PARTS = dict.fromkeys(("bsr", "csc", "csr"), _ROWS) | {"dia": ("data", "offsets")}
PARTS |= {"coo": _PLACES, "dok": _PLACES, "lil": _ROWS}
# Maximum depth of a tree; each level takes several levels of Python's stack.
_DEEPEST = 100


class Encoder:
    """Encoder of one estimator, whose tree refers to ``arrays`` by number."""

    def __init__(self):
        self.arrays, self._numbers, self._ids, self._open = [], {}, {}, []

    def node(self, value, where):
        """Encode an object for JSON; ``where`` is its name in errors."""
        kind = type(value)
        if value is None or kind in (bool, int, str):
            return value
        if kind is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        if isinstance(value, np.generic):
            return self._scalar(value, where)
        if kind is np.ndarray:
            return self._array(value, where)
        if isinstance(value, np.dtype) and DTYPE.fullmatch(value.str):
            return {"dtype": value.str}
        if id(value) in self._open:
            raise UnsavableError(f"{where} contains itself.")
        if len(self._open) == _DEEPEST:
            raise UnsavableError(f"{where} is nested more than {_DEEPEST} times.")
        self._open.append(id(value))
        node = self._container(value, kind, where)
        self._open.pop()
        return node

    def _container(self, value, kind, where):
        if kind is list:
            return self._parts(value, where)
        if kind is tuple:
            return {"tuple": self._parts(value, where)}
        if kind is dict:
            return {"dict": [self._parts(pair, where) for pair in value.items()]}
        if kind is SimpleNamespace:
            return {"namespace": self._named(vars(value), where)}
        tag = tag_of(kind)
        if tag in RECORDS:
            fields = self._named(value._asdict(), where)
            return {"record": tag, "fields": fields}
        if tag in WITH_PARAMS:
            return self._shared(value, lambda: self._estimator(value, where))
        if kind is np.random.RandomState:
            return self._shared(value, lambda: self._random_state(value, where))
        if frames.is_pandas(value):
            parts = frames.encode(
                value, lambda v, name: self.node(v, f"{where}.{name}")
            )
            if parts is not None:
                return {"pandas": kind.__name__, "parts": parts}
        if kind in frames.TIMES:
            text = frames.text_of(value)
            if text is not None:
                return {"time": kind.__name__, "text": text}
        if sp.issparse(value) and kind.__name__ in SPARSE:
            convert = {"lil": value.tocsr, "dok": value.tocoo}.get(value.format)
            source = value if convert is None else convert()
            parts = {name: getattr(source, name) for name in PARTS[value.format]}
            parts |= {"shape": value.shape}
            return {"sparse": kind.__name__, "parts": self._named(parts, where)}
        if isinstance(value, FunctionType):
            raise UnsavableError(
                f"{where} is a function, and files of skdgm.save have no code: set it "
                "to None before, or save with pickle or skops, which keep the name of "
                "a function in a module."
            )
        raise UnsavableError(
            f"{where} is a {name_of(kind)}, which skdgm.save does not keep: it keeps "
            "estimators of skdgm, arrays, numbers, strings, tuples, lists and dicts. "
            "Save other estimators, such as Pipelines, with skops."
        )

    def _parts(self, values, where):
        return [self.node(part, f"{where}[{n}]") for n, part in enumerate(values)]

    def _named(self, values, where):
        return {n: self.node(part, f"{where}.{n}") for n, part in values.items()}

    def _shared(self, value, encode):
        if id(value) in self._ids:
            return {"same": self._ids[id(value)]}
        number = self._ids[id(value)] = len(self._ids)
        return encode() | {"id": number}

    def _estimator(self, value, where):
        attributes = {
            name: part
            for name, part in vars(value).items()
            if not (name.startswith("_") and "callback" in name)
            and name != "_metadata_request"
        }
        node = {
            "estimator": tag_of(type(value)),
            "attributes": self._named(attributes, where),
        }
        if hasattr(value, "_metadata_request"):
            requests = value._get_metadata_request()
            node["requests"] = {
                method: dict(part.requests)
                for method, part in vars(requests).items()
                if hasattr(part, "requests")
            }
        return node

    def _random_state(self, value, where):
        state = value.get_state(legacy=False)
        if state["bit_generator"] != "MT19937":
            raise UnsavableError(
                f"{where} is a RandomState of {state['bit_generator']}: only those of "
                "MT19937, the default, can be saved."
            )
        return {"random_state": self.node(state, where)}

    def _scalar(self, value, where):
        name = type(value).__name__.removesuffix("_")
        if name in SCALARS and type(value).__module__ == "numpy":
            number = SCALARS[name](value)
            return {"scalar": name, "value": self.node(number, where)}
        return self._array(np.asarray(value), where) | {"item": True}

    def _array(self, value, where):
        if value.dtype == object:
            nodes = self._parts(value.ravel().tolist(), where)
            return {"objects": nodes, "shape": list(value.shape)}
        if not PLAIN.fullmatch(value.dtype.str):
            raise UnsavableError(f"{where} is an array of {value.dtype}.")
        if id(value) not in self._numbers:
            self._numbers[id(value)] = len(self.arrays)
            self.arrays.append(value)
        return {"array": self._numbers[id(value)]}
