"""Files of encoder weights in the forms that they are published in."""

from __future__ import annotations

import pickle
import sys
import types
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

Arrays = list[np.ndarray]


def write_keras_file(path: Path, layers: Iterable[tuple[str, Arrays]], names: str = "W b beta running") -> None:
    """Legacy Keras HDF5: one group a layer, its arrays listed in order, named as the oldest files name them.

    layers: name and arrays of each; none for layers without weights, which have a group too.
    names: endings of the arrays' names, in order.
    """
    with h5py.File(path, "w") as file:
        ordered = []
        for name, arrays in layers:
            ordered.append(name)
            own = [f"{name}_{end}_1:0" for end in names.split()[: len(arrays)]]
            group = file.create_group(name)
            group.attrs["weight_names"] = np.array([each.encode() for each in own], "S80")
            for each, array in zip(own, arrays, strict=True):
                group[each] = array
        file.attrs["layer_names"] = np.array([name.encode() for name in ordered], "S60")


class _TorchTensor:
    """Pickled as PyTorch pickles a tensor: a call of `_rebuild_tensor_v2` with a storage kept outside."""

    def __init__(self, key: str, array: np.ndarray, strides: tuple[int, ...]) -> None:
        self.key, self.array, self.strides = key, array, strides

    def __reduce__(self) -> tuple[Any, ...]:
        arguments = (_Stored(self.key, self.array), 0, self.array.shape, self.strides, False, OrderedDict())
        return sys.modules["torch._utils"]._rebuild_tensor_v2, arguments


class _Stored:
    def __init__(self, key: str, array: np.ndarray) -> None:
        self.key, self.array = key, array


class _Pickler(pickle.Pickler):
    def persistent_id(self, obj: Any) -> Any:
        if not isinstance(obj, _Stored):
            return None
        kind = "LongStorage" if obj.array.dtype == np.int64 else "FloatStorage"
        return "storage", getattr(sys.modules["torch"], kind), obj.key, "cpu", obj.array.size, None


def write_torch_file(
    path: Path, arrays: Mapping[str, np.ndarray], strides: Mapping[str, tuple[int, ...]] | None = None
) -> None:
    """What `torch.save(state_dict, path, _use_new_zipfile_serialization=False)` writes; PyTorch is not needed.

    strides: in elements, for arrays that are to look like another view of the same numbers.
    """
    stand_ins = _pretend_torch()
    sys.modules.update(stand_ins)
    try:
        with path.open("wb") as file:
            for header in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
                pickle.dump(header, file, protocol=2)
            tensors = OrderedDict(
                (name, _TorchTensor(str(place), array, (strides or {}).get(name, _own_strides(array))))
                for place, (name, array) in enumerate(arrays.items())
            )
            _Pickler(file, protocol=2).dump(tensors)
            pickle.dump([tensor.key for tensor in tensors.values()], file, protocol=2)
            for array in arrays.values():
                file.write(array.size.to_bytes(8, "little") + array.tobytes())
    finally:
        for name in stand_ins:
            del sys.modules[name]


def _own_strides(array: np.ndarray) -> tuple[int, ...]:
    return tuple(step // array.itemsize for step in array.strides)


def _pretend_torch() -> dict[str, types.ModuleType]:
    """Modules with the few names that a pickle of a state dict refers to."""

    def _rebuild_tensor_v2() -> None: ...

    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    for kind in ("FloatStorage", "LongStorage"):
        setattr(torch, kind, type(kind, (), {"__module__": "torch"}))
    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2  # type: ignore[attr-defined]
    return {"torch": torch, "torch._utils": utils}
