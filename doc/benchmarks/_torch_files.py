"""Tensors in files of PyTorch before version 1.6, without PyTorch."""

import pickle
from types import SimpleNamespace

import numpy as np

_DTYPES = {"FloatStorage": "<f4", "DoubleStorage": "<f8", "LongStorage": "<i8"}


class _Node(SimpleNamespace):
    """Instance of a class that is not imported: its state as attributes."""

    def __init__(self, *values, **state):
        super().__init__(values=values, **state)

    def __setstate__(self, state):
        vars(self).update(state)


class _Reader(pickle.Unpickler):
    """Unpickler that imports no class but containers."""

    def __init__(self, file):
        super().__init__(file)
        self.storages = {}

    def find_class(self, module, name):
        if module == "collections":
            return super().find_class(module, name)
        if name == "_rebuild_tensor_v2":
            return self._tensor
        return _DTYPES.get(name) or type(name, (_Node,), {})

    def persistent_load(self, pid):
        _, dtype, key, _, size, _ = pid
        return self.storages.setdefault(key, np.empty(size, dtype))

    def _tensor(self, storage, offset, shape, strides, *_):
        strides = [storage.itemsize * stride for stride in strides]
        return np.lib.stride_tricks.as_strided(storage[offset:], shape, strides)


def load(path):
    """Object in a file: tensors as arrays, and other objects as namespaces."""
    with path.open("rb") as file:
        for _ in range(3):  # Magic number, version and sizes of integers.
            pickle.load(file)
        reader = _Reader(file)
        content = reader.load()
        # Tensors are views of the storages, which follow their keys in the file.
        for key in pickle.load(file):
            storage = reader.storages[key]
            size = int.from_bytes(file.read(8), "little")
            storage[:] = np.frombuffer(
                file.read(size * storage.itemsize), storage.dtype
            )
    return content
