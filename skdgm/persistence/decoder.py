"""Decoding of the JSON trees of :mod:`skdgm.persistence.encoder` to objects."""

import math
from collections.abc import Container
from inspect import getattr_static
from types import FunctionType, SimpleNamespace
from typing import Any, TypeVar

import numpy as np
import scipy.sparse as sp

from skdgm.exceptions import CorruptFileError, OversizedFileError
from skdgm.persistence.encoder import DTYPE, PARTS, SCALARS, SPARSE
from skdgm.persistence.types import RECORDS, WITH_PARAMS, class_of, current_names
from skdgm.utils import pandas_parts as frames

_KINDS = "float", "scalar", "array", "objects", "dtype", "tuple", "dict", "namespace"
_KINDS += "record", "estimator", "random_state", "same", "pandas", "time", "sparse"
# Maximum size of objects that are copied from arrays, relative to the size of the file.
_COPIES = 16
# Numbers in the state of a Mersenne Twister.
_N_KEY = 624

Kind = TypeVar("Kind")


class Decoder:
    """Decoder of a file of ``n_bytes`` bytes; ``array(number)`` returns the array with
    a number, the same object at each call."""

    def __init__(self, array, n_bytes=math.inf):
        self._read, self._known = array, {}
        self._n_bytes, self._left = n_bytes, _COPIES * n_bytes

    def value(self, node: Any) -> Any:
        """Return the object that a node encodes.

        A node that is not valid raises CorruptFileError or any other error.
        """
        if node is None or isinstance(node, bool | int | float | str):
            return node
        if isinstance(node, list):
            return list(map(self.value, node))
        for name in _KINDS:
            if name in node:
                return getattr(self, f"_{name}_of")(node)
        raise CorruptFileError(f"The file has an entry of no known kind: {set(node)}.")

    def _float_of(self, node):
        return float(one_of(node["float"], {"nan", "inf", "-inf"}))

    def _scalar_of(self, node):
        name = one_of(node["scalar"], SCALARS)
        value = of_type(self.value(node["value"]), SCALARS[name])
        return getattr(np, {"bool": "bool_", "str": "str_"}.get(name, name))(value)

    def _array_of(self, node):
        array = self._read(of_type(node["array"], int))
        return array[()] if "item" in node else array

    def _objects_of(self, node):
        shape = [of_type(size, int) for size in of_type(node["shape"], list)]
        nodes = of_type(node["objects"], list)
        objects = np.empty(len(nodes), dtype=object)
        for number, part in enumerate(nodes):
            objects[number] = self.value(part)
        if min(shape, default=0) < 0:
            raise CorruptFileError("The file has an array with a negative size.")
        return objects.reshape(shape)

    def _dtype_of(self, node):
        name = of_type(node["dtype"], str)
        if not DTYPE.fullmatch(name):
            raise CorruptFileError(f"The file has the dtype {name!r}.")
        return np.dtype(name)

    def _tuple_of(self, node):
        return tuple(map(self.value, of_type(node["tuple"], list)))

    def _dict_of(self, node):
        pairs = [of_type(pair, list) for pair in of_type(node["dict"], list)]
        return {self.value(key): self.value(part) for key, part in pairs}

    def _namespace_of(self, node):
        return SimpleNamespace(**current_names(self._named(node["namespace"])))

    def _record_of(self, node):
        cls = class_of(of_type(node["record"], str), RECORDS)
        # Fields that older files lack have their default values.
        new = {name: cls._field_defaults[name] for name in getattr(cls, "LATER", ())}
        renamed = getattr(cls, "RENAMED", {})
        read = current_names(self._named(node["fields"])).items()
        fields = new | {renamed.get(name, name): value for name, value in read}
        if set(fields) != set(cls._fields):
            raise CorruptFileError(
                f"The file has a {node['record']} with the fields {list(fields)}, "
                f"instead of {list(cls._fields)}."
            )
        return cls(**fields)

    def _estimator_of(self, node):
        cls = class_of(of_type(node["estimator"], str), WITH_PARAMS)
        estimator = self._known[self._new_id(node)] = object.__new__(cls)
        attributes = current_names(self._named(node["attributes"]))
        missing = set(cls._get_param_names()) - set(attributes)
        not_data = [name for name in attributes if not is_free(cls, name)]
        if missing or not_data:
            raise CorruptFileError(
                f"The file has a {cls.__name__} without {sorted(missing)}, or with the "
                f"attributes {not_data}, which are no data."
            )
        estimator.__setstate__(attributes)
        if "requests" in node:
            requests = estimator._get_metadata_request()
            for method, aliases in of_type(node["requests"], dict).items():
                for name, alias in of_type(aliases, dict).items():
                    vars(requests)[method].add_request(param=name, alias=alias)
            estimator._metadata_request = requests
        return estimator

    def _random_state_of(self, node):
        state = of_type(self.value(node["random_state"]), dict)
        key, position = state["state"]["key"], of_type(state["state"]["pos"], int)
        is_valid = key.dtype == np.uint32 and key.shape == (_N_KEY,)
        if state["bit_generator"] != "MT19937" or not (
            is_valid and 0 <= position <= _N_KEY
        ):
            raise CorruptFileError("The file has a RandomState that is none.")
        random_state = self._known[self._new_id(node)] = np.random.RandomState(0)
        random_state.set_state(state)
        return random_state

    def _same_of(self, node):
        return self._known[of_type(node["same"], int)]

    def _pandas_of(self, node):
        kind, parts = of_type(node["pandas"], str), self._named(node["parts"])
        self._copy(parts.values())
        if kind == "RangeIndex":
            start, stop, step = (
                of_type(parts[name], int) for name in ("start", "stop", "step")
            )
            if len(range(start, stop, step)) > self._n_bytes:
                raise OversizedFileError("The file has a range longer than itself.")
        return frames.decode(kind, parts)

    def _copy(self, parts):
        """Count the bytes of copies, since a file can have many copies of one array."""
        self._left -= sum(getattr(part, "nbytes", 0) for part in parts)
        if self._left < 0:
            raise OversizedFileError(
                f"The file has objects of more than {_COPIES} times its own size."
            )

    def _time_of(self, node):
        kinds = {kind.__name__: kind for kind in frames.TIMES}
        kind = kinds[one_of(node["time"], kinds)]
        return frames.time_of(kind, of_type(node["text"], str))

    def _sparse_of(self, node):
        name = one_of(node["sparse"], SPARSE)
        form, parts = name[:3], self._named(node["parts"])
        shape = of_type(parts["shape"], tuple)
        data, *coordinates = (parts[part] for part in PARTS[form])
        coords = coordinates[0] if form in ("coo", "dok") else coordinates
        self._copy([data, *coords])
        if form in ("coo", "dok"):
            matrix = sp.coo_array((data, *coordinates), shape)
        elif form == "dia":
            matrix = sp.dia_array((data, *coordinates), shape)
        else:
            # An index out of range would crash compiled methods.
            make = sp.csr_array if form == "lil" else getattr(sp, f"{form}_array")
            matrix = make((data, *coordinates), shape)
            matrix.check_format(full_check=True)
        return getattr(sp, name)(matrix)

    def _named(self, nodes: Any) -> dict[str, Any]:
        return {name: self.value(part) for name, part in of_type(nodes, dict).items()}

    def _new_id(self, node):
        number = of_type(node["id"], int)
        if number in self._known:
            raise CorruptFileError(f"The file has two objects of id {number}.")
        return number


def of_type(value: Any, kind: type[Kind]) -> Kind:
    """Return a value if its type is exactly ``kind``, or raise CorruptFileError."""
    if type(value) is not kind:
        raise CorruptFileError(
            f"The file has a {type(value).__name__} in place of a {kind.__name__}."
        )
    return value


def one_of(value: Any, known: Container[str]) -> str:
    """Return a string if it is in ``known``; otherwise raise CorruptFileError."""
    if of_type(value, str) not in known:
        raise CorruptFileError(f"The file has an invalid value {value!r}.")
    return value


def is_free(cls, name):
    """Return whether an attribute with a name would hide no code of the class."""
    item = getattr_static(cls, name, None)
    is_code = isinstance(item, FunctionType | property | classmethod | staticmethod)
    return name.isidentifier() and not name.startswith("__") and not is_code
