"""Reads weights that PyTorch saved, without PyTorch: the older form of `torch.save`, one pickle after another.

Only the names a state dict needs are unpickled, so a file cannot run code (the format is torch/serialization.py's
`_legacy_save`: magic number, version, system facts, the state dict, the storages' keys, then their bytes).
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from streamseg.errors import UsageError
from train.encoders.base import require_file

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MAGIC = 0x1950A86A20F9469CFC6C
_DTYPES = {"FloatStorage": np.float32, "LongStorage": np.int64, "HalfStorage": np.float16, "DoubleStorage": np.float64}


def read_torch_file(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a state dict by name, in PyTorch's own layout.

    Raises:
        UsageError: the file is missing, damaged, or no state dict in the older form.
    """
    require_file(path)
    try:
        with path.open("rb") as file:
            return _read(file)
    except Exception as error:  # a damaged pickle may raise anything
        raise UsageError(
            f"{path}: expected weights saved by torch.save in its older form "
            f"(_use_new_zipfile_serialization=False), got: {error}"
        ) from error


def _read(file: IO[bytes]) -> dict[str, NDArray[Any]]:
    if _Unpickler(file).load() != _MAGIC:
        raise ValueError("no magic number of PyTorch at its start")
    for _version_then_system in range(2):
        _Unpickler(file).load()
    reader = _Unpickler(file)
    tensors: dict[str, _Tensor] = reader.load()
    for key in _Unpickler(file).load():
        storage = reader.storages[key]
        # the file says how long the block is; a damaged one may say more than there is, which `array` refuses
        count = int.from_bytes(file.read(8), "little")
        storage.data = np.frombuffer(file.read(count * storage.dtype().itemsize), storage.dtype)
    return {name: tensor.array() for name, tensor in tensors.items()}


class _Storage:
    """One block of numbers; `data` comes after the pickles."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        self.data: NDArray[Any] = np.empty(0, dtype)


class _Tensor:
    """A view of a storage, by offset, shape and strides in elements."""

    def __init__(self, storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any):
        self._storage, self._offset, self._shape, self._strides = storage, offset, shape, strides

    def array(self) -> NDArray[Any]:
        """The view, copied. Raises ValueError when it reaches past the storage, which numpy would not notice."""
        data = self._storage.data
        last = sum((side - 1) * stride for side, stride in zip(self._shape, self._strides, strict=True))
        if min(0, self._offset, *self._strides) < 0 or self._offset + last >= data.size:
            raise ValueError("a tensor that reaches past its numbers; the end of the file may be missing")
        steps = [stride * data.itemsize for stride in self._strides]
        return np.lib.stride_tricks.as_strided(data[self._offset :], self._shape, steps).copy()


class _Unpickler(pickle.Unpickler):
    """Knows state dicts and nothing else."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _Tensor
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        # unpickling runs what it is told to: only what a state dict needs is let through
        raise pickle.UnpicklingError(f"'{module}.{name}' has no place in a state dict")

    def persistent_load(self, pid: Any) -> _Storage:
        _kind, dtype, key, *_ = pid
        return self.storages.setdefault(key, _Storage(dtype))
